import { useEffect, useState } from "react";
import { post } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf } from "../lib/router.tsx";
import { plural } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import type { Log } from "../logs/model.ts";
import { Empty, Fault } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { type RuleDraft, RULES } from "./model.ts";

interface PreviewAnswer {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly query: string; readonly count: number; readonly complete: boolean; readonly logs: readonly Log[] } }>;
}

const WAIT_MS = 500;
const SPANS = ["now-1h", "now-1d", "now-7d", "now-30d"];

/** The newest logs that the queries match, as they are being written. */
export function Preview({ draft }: { readonly draft: RuleDraft }) {
  const [from, setFrom] = useState("now-1d");
  const asked = JSON.stringify(draft.queries.filter(({ dataSource }) => dataSource === undefined || dataSource === "logs").map(({ name, query, customQueryExtension }) => ({ name, query: query || "*", customQueryExtension })));
  const [key, setKey] = useState(asked);
  useEffect(() => {
    const timer = setTimeout(() => setKey(asked), WAIT_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  const found = useLoad(key === "[]" ? undefined : `${key}${from}`, (signal) => post<PreviewAnswer>(`${RULES}/preview`, { queries: JSON.parse(key), from, limit: 20 }, signal));
  if (key === "[]") return <Empty>This rule looks at no logs of its own queries.</Empty>;
  return (
    <div className="preview" aria-busy={found.isLoading}>
      <label className="preview-span">Within <select value={from} onChange={(event) => setFrom(event.target.value)}>{SPANS.map((each) => <option key={each} value={each}>{each.slice(4)}</option>)}</select></label>
      {found.fault ? <Fault fault={found.fault} /> : found.data?.data.map(({ id, attributes: { query, count, complete, logs } }) => (
        <section key={id}>
          <h3>{id}: {plural(count, "log")}{complete ? "" : " at least"} <Link href={addressOf("/logs", { query, from, to: "now" })}>open</Link></h3>
          {logs.length ? <ul className="preview-logs">{logs.map((log) => <li key={log.id}><time>{timeText(log.attributes.timestamp, "row")}</time> <Link href={addressOf("/logs", { query, from, to: "now", event: log.id })}><Line>{log.attributes.message || JSON.stringify(log.attributes.attributes)}</Line></Link></li>)}</ul> : <p className="quiet">none</p>}
        </section>
      ))}
    </div>
  );
}
