import { memo, useState } from "react";
import type { PastedMatches, PastedRecord, UnreadQuery } from "../../host/engine/browser/contract.ts";
import { countText, plural, visible } from "../lib/text.ts";
import { Empty } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { type RuleDraft, type RuleQueryWire, methodOf } from "./model.ts";
import { hasSharedMemory, usePasted } from "./pasted-kernel.ts";

const MOST_ROWS = 200;

const shown = { all: "all", matched: "matched", unmatched: "not matched", malformed: "no events" } as const;
type Shown = keyof typeof shown;

/** In the kernels' words, and in a reader's. */
const reasons: Readonly<Record<string, string>> = {
  "not-json": "this is no JSON", truncated: "the JSON ends too early", "bad-string": "a text in it cannot be read", "bad-number": "a number in it cannot be read", "bad-escape": "an escape in it cannot be read",
  "trailing-bytes": "something stands behind the JSON", "too-deep": "it is nested too deeply", "not-an-object": "an event is an object", "too-many-values": "it has too many values", "too-large": "it is larger than an event may be",
};

interface Asked {
  readonly label: string;
  readonly texts: readonly string[];
}

/** Logs that somebody pasted, and which of them each query matches, as both are being written. They stay in the browser. */
export function PastedLogs({ draft, text, onText, onTests }: { readonly draft: RuleDraft; readonly text: string; readonly onText: (text: string) => void; readonly onTests: () => void }) {
  const asked = draft.queries.map(askedOf);
  const pasted = usePasted(asked.map(({ texts }) => texts), text);
  if (methodOf(draft).id === "third_party") return <Empty>This rule looks at no logs of its own queries.</Empty>;
  if (!hasSharedMemory()) {
    return (
      <Empty>
        <p>Pasted logs are matched here in the browser, and it lets pages do that only over https or on localhost: this one came by another way.</p>
        <p>The server can check them instead: <button type="button" className="linkish" onClick={onTests}>as unit tests</button>.</p>
      </Empty>
    );
  }
  return (
    <div className="form pasted">
      <Field text={text} onText={onText} />
      {pasted.kind === "fault" ? <p className="form-problem" role="alert">{visible(pasted.text)}</p> : pasted.kind === "matches" && <Matches asked={asked} matches={pasted.matches} isOld={pasted.isOld} />}
      <p className="quiet">Matched in this browser by the kernels the server runs{pasted.kind === "matches" && pasted.matches.variant === "scalar" ? ", without SIMD" : ""}: the logs are sent nowhere. They pass no pipelines, so paste events as rules see them; the rule's own filters are not looked at.</p>
    </div>
  );
}

/** Apart, so that megabytes are not laid out anew with every key of a query; their lines are not broken for the same reason. */
const Field = memo(({ text, onText }: { readonly text: string; readonly onText: (text: string) => void }) => (
  <label>
    Logs: JSON events one a line, an array of them, or lines of plain text
    <textarea className="code" rows={7} wrap="off" spellCheck={false} value={text} placeholder={'{"ddsource":"auth","evt":{"outcome":"failure"},"usr":{"id":"ann"}}'} onChange={(event) => onText(event.target.value)} />
  </label>
));

function askedOf({ name, query, customQueryExtension }: RuleQueryWire, i: number): Asked {
  return { label: name || String.fromCharCode(97 + (i % 26)), texts: [query ?? "", customQueryExtension ?? ""] };
}

function Matches({ asked, matches: { records, queries }, isOld }: { readonly asked: readonly Asked[]; readonly matches: PastedMatches; readonly isOld: boolean }) {
  const [chosen, setChosen] = useState<Shown>("all");
  const [most, setMost] = useState(MOST_ROWS);
  const refused = records.filter(({ malformed }) => malformed !== undefined).length;
  const events = records.length - refused;
  const rows = records.filter((record) => isShown(record, chosen));
  return (
    <section aria-label="Matches" aria-busy={isOld}>
      <div className="pasted-head">
        <p role="status">
          {plural(events, "event")}
          {asked.map(({ label }, i) => typeof queries[i] === "number" && <span key={i}>, <b>{visible(label)}</b> matches {countText(queries[i])}</span>)}
          {refused > 0 && <>, <span className="bad">{plural(refused, "record is no event", "records are no events")}</span></>}
        </p>
        <label className="preview-span">Show <select value={chosen} onChange={(event) => setChosen(event.target.value as Shown)}>{Object.entries(shown).map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select></label>
      </div>
      {asked.map(({ label, texts }, i) => typeof queries[i] === "object" && <Unread key={i} label={label} texts={texts} unread={queries[i]} />)}
      <table className="plain pasted-rows">
        <thead><tr><th className="number">Line</th>{asked.map(({ label }, i) => <th key={i} title={visible(label)}>{visible(label)}</th>)}<th>Log</th></tr></thead>
        <tbody>{rows.slice(0, most).map((record, i) => <Row key={i} record={record} asked={asked} queries={queries} />)}</tbody>
      </table>
      {rows.length > most && <button type="button" onClick={() => setMost(most + MOST_ROWS * 5)}>{plural(rows.length - most, "more row")}</button>}
    </section>
  );
}

function isShown({ matched, malformed }: PastedRecord, chosen: Shown): boolean {
  if (chosen === "all") return true;
  if (chosen === "malformed") return malformed !== undefined;
  return malformed === undefined && (matched.length > 0) === (chosen === "matched");
}

function Row({ record: { line, text, matched, malformed }, asked, queries }: { readonly record: PastedRecord; readonly asked: readonly Asked[]; readonly queries: PastedMatches["queries"] }) {
  return (
    <tr className={matched.length ? "is-matched" : ""}>
      <td className="number">{countText(line)}</td>
      {asked.map(({ label }, i) => <td key={i}><Mark label={label} isMatched={typeof queries[i] === "number" && malformed === undefined ? matched.includes(i) : undefined} /></td>)}
      <td><div className="pasted-text">{malformed !== undefined && <span className="bad">{reasons[malformed] ?? visible(malformed)}: </span>}<Line>{text}</Line></div></td>
    </tr>
  );
}

/** Undefined where nobody knows. */
function Mark({ label, isMatched }: { readonly label: string; readonly isMatched: boolean | undefined }) {
  const [sign, words] = isMatched === undefined ? ["–", "was not asked"] : isMatched ? ["✓", "matches"] : ["·", "does not match"];
  return <span className={isMatched ? "good" : "quiet"} title={`${visible(label)} ${words}`}><span aria-hidden="true">{sign}</span><span className="visually-hidden">{words}</span></span>;
}

function Unread({ label, texts, unread: { part, problem } }: { readonly label: string; readonly texts: readonly string[]; readonly unread: UnreadQuery }) {
  const text = texts[part] ?? "";
  const { start, end } = problem.at ?? { start: 0, end: 0 };
  return (
    <p className="form-problem" role="alert">
      {part > 0 ? "The extension of query" : "Query"} {visible(label)} cannot be read: {visible(problem.message)}{problem.hint ? `: ${visible(problem.hint)}` : ""}{" "}
      <code>{visible(text.slice(0, start))}<mark>{visible(text.slice(start, Math.max(end, start + 1))) || " "}</mark>{visible(text.slice(Math.max(end, start + 1)))}</code>
    </p>
  );
}
