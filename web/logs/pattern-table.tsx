import { useEffect, useState } from "react";
import { type ApiFault, post } from "../lib/api.ts";
import { plural } from "../lib/text.ts";
import { Empty, Fault } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { EVENTS, type Log, type LogList } from "./model.ts";
import { patternsOf } from "./patterns.ts";

const PAGE = 1000;
const MOST = 5000;

interface State {
  readonly logs: readonly Log[];
  readonly isDone: boolean;
  readonly fault?: ApiFault;
}

/** The newest logs in groups of messages that are alike, the greatest first. */
export function Patterns({ filter, onOpen, onQuery }: { readonly filter: { readonly query: string; readonly from: string; readonly to: string }; readonly onOpen: (id: string) => void; readonly onQuery: (query: string) => void }) {
  const [{ logs, isDone, fault }, setState] = useState<State>({ logs: [], isDone: false });
  const key = JSON.stringify(filter);
  useEffect(() => {
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      let all: readonly Log[] = [];
      let cursor: string | undefined;
      do {
        const { data, meta } = await post<LogList>(`${EVENTS}/search`, { filter: JSON.parse(key) as object, page: { limit: PAGE, ...(cursor ? { cursor } : {}) } }, abort.signal);
        all = [...all, ...data];
        cursor = meta.page?.after;
        if (!abort.signal.aborted) setState({ logs: all, isDone: !cursor || all.length >= MOST });
      } while (cursor && all.length < MOST && !abort.signal.aborted);
    };
    setState({ logs: [], isDone: false });
    read().catch((error: ApiFault) => !abort.signal.aborted && setState({ logs: [], isDone: true, fault: error }));
    return () => abort.abort();
  }, [key]);
  if (fault) return <Fault fault={fault} />;
  const patterns = patternsOf(logs);
  if (isDone && !patterns.length) return <Empty>No logs match.</Empty>;
  return (
    <div className="patterns" role="region" aria-label="Patterns" tabIndex={0}>
      <p className="quiet">{plural(patterns.length, "pattern")} in the newest {plural(logs.length, "log")}{isDone ? "" : ", reading on"}</p>
      <table className="plain">
        <thead><tr><th scope="col" className="number">Logs</th><th scope="col">Share</th><th scope="col">Source</th><th scope="col">Pattern</th><th scope="col">Look</th></tr></thead>
        <tbody>
          {patterns.map(({ text, count, share, sources, sample, query }) => (
            <tr key={`${text} ${sample.id}`}>
              <td className="number">{count}</td>
              <td><meter min={0} max={1} value={share} aria-label={`${(share * 100).toFixed(1)} %`} /></td>
              <td><Line>{sources.join(", ")}</Line></td>
              <td className="pattern-text"><Line>{text}</Line></td>
              <td><button type="button" className="linkish" onClick={() => onOpen(sample.id)}>sample</button>{query && <button type="button" className="linkish" onClick={() => onQuery(query)}>logs</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
