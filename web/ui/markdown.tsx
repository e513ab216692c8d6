import { Fragment, type ReactNode } from "react";
import { visible } from "../lib/text.ts";

/** The little Markdown that rule messages use, as elements: headings, lists, emphasis, code, links to the web. No HTML. */
export function Markdown({ children }: { readonly children: string }) {
  const text = children.replace(/^%%%\s*\n?|\n?\s*%%%\s*$/g, "").slice(0, 50_000);
  return <div className="markdown">{text.split(/\n{2,}/).map((block, i) => <Block key={i} text={block} />)}</div>;
}

function Block({ text }: { readonly text: string }) {
  const lines = text.split("\n");
  if (text.startsWith("```")) return <pre>{visible(text.replace(/^```\w*\n?|```\s*$/g, ""))}</pre>;
  const heading = /^(#{1,4})\s+(.*)$/.exec(lines[0]!);
  if (heading) return (<><h4>{spans(heading[2]!)}</h4>{lines.length > 1 && <Block text={lines.slice(1).join("\n")} />}</>);
  const isItem = (line: string): boolean => /^\s*(?:[-*]|\d+[.)])\s+/.test(line);
  if (lines.every((line) => isItem(line) || line.trim() === "")) {
    const items = lines.filter(isItem).map((line, i) => <li key={i}>{spans(line.replace(/^\s*(?:[-*]|\d+[.)])\s+/, ""))}</li>);
    return /^\s*\d/.test(lines[0]!) ? <ol>{items}</ol> : <ul>{items}</ul>;
  }
  return <p>{lines.map((line, i) => <Fragment key={i}>{i > 0 && <br />}{spans(line)}</Fragment>)}</p>;
}

const SPAN = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]{1,300})\]\((https?:\/\/[^\s)]{1,2000})\)/;

function spans(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let rest = text;
  for (let match = SPAN.exec(rest); match; match = SPAN.exec(rest)) {
    if (match.index) parts.push(<bdi key={parts.length}>{visible(rest.slice(0, match.index))}</bdi>);
    const [whole, strong, code, label, address] = match;
    if (strong !== undefined) parts.push(<strong key={parts.length}>{visible(strong)}</strong>);
    else if (code !== undefined) parts.push(<code key={parts.length}>{visible(code)}</code>);
    else parts.push(<a key={parts.length} href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>{visible(label!)}</a>);
    rest = rest.slice(match.index + whole.length);
  }
  if (rest) parts.push(<bdi key={parts.length}>{visible(rest)}</bdi>);
  return parts;
}
