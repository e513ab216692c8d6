import { useState } from "react";
import { get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { go, setParams } from "../lib/router.tsx";
import { quoted, visible } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { JsonView } from "../ui/json-view.tsx";
import { withTerm } from "../ui/terms.ts";
import { Line, Text } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { EVENTS, type Log, sourceOf } from "./model.ts";

/** One log in full. */
export function EventPanel({ id, known, query, onClose }: { readonly id: string; readonly known: Log | undefined; readonly query: string; readonly onClose: () => void }) {
  const found = useLoad(known ? undefined : id, async (signal) => (await get<{ readonly data: Log }>(`${EVENTS}/${encodeURIComponent(id)}`, signal)).data);
  const log = known ?? found.data;
  return (
    <aside className="panel" aria-label="Log">
      {log ? <Event log={log} query={query} onClose={onClose} /> : (
        <>
          <button type="button" className="icon-button panel-close" aria-label="Close" onClick={onClose}>✕</button>
          {found.fault ? found.fault.status === 404 ? <Empty>This log is not kept any more, or your roles do not let you see it.</Empty> : <Fault fault={found.fault} onRetry={found.reload} /> : <Loading />}
        </>
      )}
    </aside>
  );
}

interface Leaf {
  readonly path: string;
  readonly value: string | number | boolean;
}

function Event({ log, query, onClose }: { readonly log: Log; readonly query: string; readonly onClose: () => void }) {
  const [leaf, setLeaf] = useState<Leaf>();
  const { attributes } = log;
  const testForm = async (): Promise<string> => JSON.stringify(await get(`${EVENTS}/${encodeURIComponent(log.id)}?format=ddlog`), undefined, 2);
  const copy = (text: Promise<string>, what: string): void => void text.then((known) => navigator.clipboard.writeText(known)).then(() => tell(`${what} copied`), tellFault);
  const narrow = (term: string): void => {
    setLeaf(undefined);
    setParams({ query: withTerm(query, term) });
  };
  return (
    <>
      <header className="panel-head">
        <div className="panel-triage">
          <strong><Line>{sourceOf(log) || "log"}</Line></strong>
          <time dateTime={attributes.timestamp}>{timeText(attributes.timestamp)}</time>
          <span className="panel-spring" />
          <button type="button" className="icon-button" aria-label="Close" title="Close (Esc)" onClick={onClose}>✕</button>
        </div>
        <div className="panel-deeds">
          <button type="button" onClick={() => go(`/security/rules/new?log=${encodeURIComponent(log.id)}`)}>Use in unit test</button>
          <button type="button" onClick={() => copy(testForm(), "The log, as a unit test takes it,")}>Copy for a unit test</button>
          <button type="button" onClick={() => copy(Promise.resolve(JSON.stringify(log, undefined, 2)), "JSON")}>Copy JSON</button>
        </div>
      </header>
      <div className="tab-panel" tabIndex={0} role="region" aria-label="Log in full">
        {attributes.message && <pre className="log-message"><Text>{attributes.message}</Text></pre>}
        <JsonView value={{ host: attributes.host, service: attributes.service, status: attributes.status, source: sourceOf(log) }} onLeaf={(path, value) => setLeaf({ path, value })} />
        <h3>Attributes</h3>
        <JsonView value={attributes.attributes} onLeaf={(path, value) => setLeaf({ path: `@${path}`, value })} />
        <h3>Tags</h3>
        <ul className="tags">{(attributes.tags ?? []).map((tag) => <li key={tag}><button type="button" onClick={() => narrow(tag.includes(":") ? `${tag.slice(0, tag.indexOf(":"))}:${quoted(tag.slice(tag.indexOf(":") + 1))}` : quoted(tag))}><Line>{tag}</Line></button></li>)}</ul>
      </div>
      {leaf && (
        <Dialog title={`${visible(leaf.path)}: ${visible(String(leaf.value)).slice(0, 80)}`} onClose={() => setLeaf(undefined)}>
          <ul className="choices">
            <li><button type="button" onClick={() => narrow(`${leaf.path}:${quoted(String(leaf.value))}`)}>Only logs with it</button></li>
            <li><button type="button" onClick={() => narrow(`-${leaf.path}:${quoted(String(leaf.value))}`)}>Leave it out</button></li>
            {isAddress(String(leaf.value)) && (
              <>
                <li><button type="button" onClick={() => (setLeaf(undefined), setParams({ query: `@network.ip.list:${quoted(String(leaf.value))}`, event: undefined }))}>All logs with this address, wherever it stands</button></li>
                <li><button type="button" onClick={() => go(`/security/signals?query=${encodeURIComponent(`@network.client.ip:${quoted(String(leaf.value))}`)}`)}>Signals of this address</button></li>
              </>
            )}
            <li><button type="button" onClick={() => (setLeaf(undefined), void navigator.clipboard.writeText(String(leaf.value)).then(() => tell("Value copied"), tellFault))}>Copy the value</button></li>
          </ul>
        </Dialog>
      )}
    </>
  );
}

function isAddress(text: string): boolean {
  return /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) || (/^[\da-f:.]+$/i.test(text) && text.split(":").length > 2);
}
