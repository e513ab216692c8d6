import { useState } from "react";
import { visible } from "../lib/text.ts";
import { Text } from "./text.tsx";

const OPEN_DEPTH = 2;
const MOST_MEMBERS = 100;

/** JSON that opens member by member; a press on a leaf hands its path and value over. */
export function JsonView({ value, onLeaf, path = "", depth = 0 }: { readonly value: unknown; readonly onLeaf?: (path: string, value: string | number | boolean) => void; readonly path?: string; readonly depth?: number }) {
  const [most, setMost] = useState(MOST_MEMBERS);
  if (value === null || typeof value !== "object") {
    const text = <span className={`json-${value === null ? "null" : typeof value}`}><Text most={500}>{typeof value === "string" ? value : String(value)}</Text></span>;
    return onLeaf && value !== null && path ? (
      <button type="button" className="json-leaf" title={`Filter by ${path}`} onClick={() => onLeaf(path, value as string | number | boolean)}>{text}</button>
    ) : text;
  }
  const members = Array.isArray(value) ? value.map((each, i) => [String(i), each] as const) : Object.entries(value);
  if (!members.length) return <span className="json-null">{Array.isArray(value) ? "[]" : "{}"}</span>;
  return (
    <ul className="json">
      {members.slice(0, most).map(([name, member]) => {
        const inner = <JsonView value={member} path={Array.isArray(value) ? path : path ? `${path}.${name}` : name} depth={depth + 1} {...(onLeaf ? { onLeaf } : {})} />;
        const isTree = member !== null && typeof member === "object" && Object.keys(member).length > 0;
        return (
          <li key={name}>
            {isTree ? <details open={depth < OPEN_DEPTH}><summary className="json-name">{visible(name)}</summary>{inner}</details> : <><span className="json-name">{visible(name)}</span> {inner}</>}
          </li>
        );
      })}
      {members.length > most && <li><button type="button" className="linkish" onClick={() => setMost(most + 1000)}>{members.length - most} more</button></li>}
    </ul>
  );
}
