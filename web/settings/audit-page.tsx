import { useEffect, useState } from "react";
import { type ApiFault, post } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { setParams, usePlace } from "../lib/router.tsx";
import { quoted } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import { Facets } from "../ui/facets.tsx";
import { Empty, Fault } from "../ui/fault.tsx";
import { Grid, type GridColumn } from "../ui/grid.tsx";
import { JsonView } from "../ui/json-view.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { Line } from "../ui/text.tsx";
import { TimePicker } from "../ui/time-picker.tsx";

const AUDIT = "/api/v2/audit/events";

interface Deed {
  readonly id: string;
  readonly attributes: { readonly timestamp: string; readonly message: string; readonly attributes: { readonly evt?: { readonly name?: string; readonly outcome?: string }; readonly action?: string; readonly usr?: { readonly email?: string }; readonly asset?: { readonly type?: string; readonly name?: string; readonly prev_value?: unknown; readonly new_value?: unknown }; readonly network?: { readonly client?: { readonly ip?: string } } } };
}

const columns: readonly GridColumn[] = [{ id: "time", title: "Time", width: "140px" }, { id: "event", title: "Event Name", width: "180px" }, { id: "action", title: "Action", width: "90px" }, { id: "who", title: "Who", width: "minmax(140px, 1fr)" }, { id: "asset", title: "What", width: "minmax(160px, 2fr)" }, { id: "message", title: "Message", width: "minmax(160px, 3fr)" }, { id: "outcome", title: "Outcome", width: "80px" }];
const facetNames: ReadonlyArray<readonly [string, string]> = [["@evt.name", "Event Name"], ["@action", "Action"], ["@usr.email", "User"], ["@asset.type", "Asset Type"], ["@evt.outcome", "Outcome"], ["@evt.actor.type", "Actor"], ["@auth_method", "Came in by"]];
const PAGE = 200;
const NEAR_END = 40;

/** Who did what, and what was before and after; without the right to all of it, one's own deeds. */
export default function AuditPage() {
  const { params } = usePlace();
  const query = params.get("query") ?? "";
  const span = { from: params.get("from") ?? "now-30d", to: params.get("to") ?? "now" };
  const open = params.get("event");
  const filter = { query: query || "*", from: span.from, to: span.to };
  const key = JSON.stringify(filter);
  const [{ deeds, after, isLoading, fault }, setState] = useState<{ readonly deeds: readonly Deed[]; readonly after: string | undefined; readonly isLoading: boolean; readonly fault?: ApiFault }>({ deeds: [], after: undefined, isLoading: true });
  const [active, setActive] = useState(0);
  const ask = (cursor: string | undefined, signal?: AbortSignal): void => {
    setState((before) => ({ ...before, isLoading: true }));
    post<{ readonly data: readonly Deed[]; readonly meta: { readonly page?: { readonly after?: string } } }>(`${AUDIT}/search`, { filter, page: { limit: PAGE, ...(cursor ? { cursor } : {}) } }, signal).then(
      ({ data, meta }) => setState((before) => ({ deeds: cursor ? [...before.deeds, ...data] : data, after: data.length < PAGE ? undefined : meta.page?.after, isLoading: false })),
      (error: ApiFault) => !signal?.aborted && setState({ deeds: [], after: undefined, isLoading: false, fault: error }),
    );
  };
  useEffect(() => {
    const abort = new AbortController();
    ask(undefined, abort.signal);
    return () => abort.abort();
  }, [key]);
  const facets = useLoad(`audit facets ${key}`, async (signal) => {
    const { data } = await post<{ readonly data: ReadonlyArray<{ readonly attributes: { readonly path: string; readonly values: ReadonlyArray<{ readonly value: string; readonly count: number }> } }> }>(`${AUDIT}/facets`, { filter, facets: facetNames.map(([name]) => name) }, signal);
    return data.map(({ attributes: { path, values } }) => ({ id: path, title: facetNames.find(([name]) => name === path)?.[1] ?? path, values: values.filter(({ value }) => value !== "").slice(0, 12).map((each) => ({ ...each, query: `${path}:${quoted(each.value)}` })) }));
  });
  const opened = deeds.find(({ id }) => id === open);
  return (
    <div className={`explorer ${opened ? "has-panel" : ""}`}>
      <header className="explorer-head">
        <h1>Audit trail</h1>
        <QueryBar label="Search the audit trail" value={query} onSubmit={(next) => setParams({ query: next })} fields={facetNames.map(([name, about]) => ({ name, about }))} valuesOf={async (field) => facets.data?.find(({ id }) => id === field)?.values.map(({ value }) => value) ?? []} placeholder={'Search, such as @evt.name:"Cloud Security Platform"'} />
        <TimePicker span={span} onChoose={({ from, to }) => setParams({ from, to })} />
      </header>
      <Facets facets={facets.data ?? []} query={query} onQuery={(next) => setParams({ query: next })} />
      <section className="explorer-main" aria-label="Deeds found">
        {fault ? <Fault fault={fault} /> : !deeds.length && !isLoading ? <Empty>Nothing was done that matches.</Empty> : (
          <Grid<Deed> label="Audit trail" columns={columns} count={deeds.length} rowAt={(index) => deeds[index]} keyOf={({ id }) => id} onSight={(_from, to) => after !== undefined && !isLoading && to > deeds.length - NEAR_END && ask(after)} active={active} onActive={setActive} onOpen={(index) => setParams({ event: deeds[index]?.id })} {...(open ? { openKey: open } : {})}
            cell={({ attributes: { timestamp, message, attributes: { evt, action, usr, asset } } }, { id }) => <Line>{id === "time" ? timeText(timestamp, "row") : id === "event" ? evt?.name ?? "" : id === "action" ? action ?? "" : id === "who" ? usr?.email ?? "" : id === "asset" ? [asset?.type, asset?.name].filter(Boolean).join(" ") : id === "outcome" ? evt?.outcome ?? "" : message}</Line>} />
        )}
      </section>
      {opened && (
        <aside className="panel" aria-label="Deed">
          <header className="panel-head"><div className="panel-triage"><strong><Line>{opened.attributes.message}</Line></strong><span className="panel-spring" /><button type="button" className="icon-button" aria-label="Close" onClick={() => setParams({ event: undefined })}>✕</button></div></header>
          <div className="tab-panel" tabIndex={0} role="region" aria-label="Deed in full"><JsonView value={opened.attributes.attributes} onLeaf={(path, value) => setParams({ query: `@${path}:${quoted(String(value))}` })} /></div>
        </aside>
      )}
    </div>
  );
}
