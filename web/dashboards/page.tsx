import { useState } from "react";
import { call, get, post } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, go, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { plural } from "../lib/text.ts";
import { apiBound, timeText } from "../lib/time.ts";
import type { PageProps } from "../shell/pages.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Popup } from "../ui/menu.tsx";
import { Line } from "../ui/text.tsx";
import { TimePicker } from "../ui/time-picker.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { DASHBOARDS, type Dashboard, type Summary, type Widget, type WidgetAnswer, beginnings } from "./model.ts";
import { WidgetView } from "./widget.tsx";
import "../styles/overview.css";
import "../styles/dashboards.css";

export default function DashboardsPage({ rest: [id] }: PageProps) {
  return id === undefined ? <List /> : <One key={id} id={id} />;
}

function List() {
  const mayWrite = useMay("dashboards_write");
  const [title, setTitle] = useState("");
  const found = useLoad("dashboards", async (signal) => (await get<{ readonly dashboards: readonly Summary[] }>(DASHBOARDS, signal)).dashboards);
  const make = (): void => void post<Dashboard>(DASHBOARDS, { title, layout_type: "ordered", widgets: [{ definition: beginnings.timeseries }] }).then(({ id }) => go(`/dashboards/${id}`), tellFault);
  return (
    <div className="page">
      <header className="page-head">
        <h1>Dashboards</h1><span className="quiet" role="status">{found.data ? plural(found.data.length, "dashboard") : ""}</span><span className="panel-spring" />
        {mayWrite && <form className="page-head" onSubmit={(event) => (event.preventDefault(), make())}><input aria-label="Title of a new dashboard" required placeholder="Title of a new dashboard" value={title} onChange={(event) => setTitle(event.target.value)} /><button type="submit" className="primary">Make</button></form>}
      </header>
      {found.fault ? <Fault fault={found.fault} onRetry={found.reload} /> : !found.data ? <Loading /> : !found.data.length ? <Empty>No dashboards.</Empty> : (
        <table className="plain">
          <thead><tr><th scope="col">Dashboard</th><th scope="col">About</th><th scope="col">Of</th><th scope="col">Changed</th></tr></thead>
          <tbody>{found.data.map(({ id, title: name, description, author_handle, is_default, pack, modified_at }) => <tr key={id}><td><Link href={`/dashboards/${encodeURIComponent(id)}`}><Line>{name}</Line></Link></td><td><Line>{description ?? ""}</Line></td><td><Line>{is_default ? (pack ? `pack ${pack}` : "comes along") : author_handle}</Line></td><td>{is_default ? "" : timeText(modified_at, "row")}</td></tr>)}</tbody>
        </table>
      )}
    </div>
  );
}

function One({ id }: { readonly id: string }) {
  const { params } = usePlace();
  const mayWrite = useMay("dashboards_write");
  const span = { from: params.get("from") ?? "now-24h", to: params.get("to") ?? "now" };
  const path = `${DASHBOARDS}/${encodeURIComponent(id)}`;
  const found = useLoad(id, (signal) => get<Dashboard>(path, signal));
  const [draft, setDraft] = useState<readonly Widget[]>();
  const [editing, setEditing] = useState<number>();
  const dashboard = found.data;
  const widgets = draft ?? dashboard?.widgets;
  const values = Object.fromEntries((dashboard?.template_variables ?? []).flatMap(({ name }) => (params.get(`tpl_${name}`) ? [[name, params.get(`tpl_${name}`)!]] : [])));
  const shown = useLoad(widgets?.length ? JSON.stringify([span, widgets, values]) : undefined, async (signal) => (await post<{ readonly data: { readonly attributes: { readonly widgets: readonly WidgetAnswer[] } } }>("/api/v2/dashboards/widgets/query", { data: { attributes: { from: apiBound(span.from), to: apiBound(span.to), widgets, template_variables: dashboard!.template_variables, values } } }, signal)).data.attributes.widgets);
  if (found.fault) return found.fault.status === 404 ? <Empty>There is no such dashboard. <Link href="/dashboards">All dashboards</Link></Empty> : <Fault fault={found.fault} onRetry={found.reload} />;
  if (!dashboard || !widgets) return <Loading />;
  const isOwn = mayWrite && !dashboard.is_default;
  const save = (): void => void call("PUT", path, { title: dashboard.title, description: dashboard.description, layout_type: dashboard.layout_type, template_variables: dashboard.template_variables, widgets: draft }).then(() => (tell("Dashboard saved"), setDraft(undefined), found.reload()), tellFault);
  const clone = (): void => void post<Dashboard>(`${path}/clone`, {}).then((made) => (tell("Cloned"), go(`/dashboards/${made.id}`)), tellFault);
  return (
    <div className="page">
      <header className="page-head">
        <Link href="/dashboards">Dashboards</Link>
        <h1><Line>{dashboard.title}</Line></h1>
        {dashboard.template_variables.map(({ name, default: usual }) => <label key={name} className="page-head"><Line>{`$${name}`}</Line><input key={values[name] ?? ""} size={10} placeholder={usual ?? "*"} defaultValue={values[name] ?? ""} onBlur={(event) => setParams({ [`tpl_${name}`]: event.target.value })} onKeyDown={(event) => event.key === "Enter" && setParams({ [`tpl_${name}`]: event.currentTarget.value })} /></label>)}
        <span className="panel-spring" />
        {shown.isLoading && <span className="quiet">loading</span>}
        <TimePicker span={span} onChoose={({ from, to }) => setParams({ from, to })} />
        {isOwn && !draft && <button type="button" onClick={() => setDraft(dashboard.widgets)}>Edit</button>}
        {isOwn && draft && (
          <>
            <Popup label="Add a widget ▾" align="right">{(close) => <ul className="choices">{Object.keys(beginnings).map((type) => <li key={type}><button type="button" onClick={() => (close(), setDraft([...draft, { definition: beginnings[type]! }]), setEditing(draft.length))}>{type.replace("_", " ")}</button></li>)}</ul>}</Popup>
            <button type="button" className="primary" onClick={save}>Save</button>
            <button type="button" onClick={() => setDraft(undefined)}>Cancel</button>
          </>
        )}
        {mayWrite && !draft && <button type="button" onClick={clone}>Clone</button>}
        {isOwn && !draft && <button type="button" className="danger" onClick={() => void call("DELETE", path).then(() => (tell("Dashboard deleted"), go("/dashboards")), tellFault)}>Delete</button>}
      </header>
      {dashboard.description && <p className="quiet"><Line>{dashboard.description}</Line></p>}
      {shown.fault && <Fault fault={shown.fault} onRetry={shown.reload} />}
      <div className="overview-grid">
        {widgets.map((widget, i) => (
          <div key={`${widget.id ?? "new"} ${i}`} className={widget.definition.type === "query_value" ? "span-4" : ["timeseries", "geomap", "list_stream"].includes(widget.definition.type) ? "span-8" : "span-4"}>
            {draft && (
              <div className="widget-deeds">
                <button type="button" aria-label={`Edit widget ${i + 1}`} onClick={() => setEditing(i)}>Edit</button>
                <button type="button" aria-label={`Move widget ${i + 1} forward`} disabled={i === 0} onClick={() => setDraft(draft.toSpliced(i - 1, 2, draft[i]!, draft[i - 1]!))}>←</button>
                <button type="button" aria-label={`Move widget ${i + 1} back`} disabled={i === draft.length - 1} onClick={() => setDraft(draft.toSpliced(i, 2, draft[i + 1]!, draft[i]!))}>→</button>
                <button type="button" className="danger" aria-label={`Remove widget ${i + 1}`} onClick={() => setDraft(draft.filter((_, j) => j !== i))}>Remove</button>
              </div>
            )}
            <WidgetView definition={widget.definition} answer={shown.data?.[i]} />
          </div>
        ))}
      </div>
      {draft && editing !== undefined && draft[editing] && <EditWidget widget={draft[editing]} onClose={() => setEditing(undefined)} onSave={(next) => (setDraft(draft.map((each, j) => (j === editing ? next : each))), setEditing(undefined))} />}
    </div>
  );
}

function EditWidget({ widget, onClose, onSave }: { readonly widget: Widget; readonly onClose: () => void; readonly onSave: (widget: Widget) => void }) {
  const [first] = widget.definition.requests ?? [];
  const [title, setTitle] = useState(widget.definition.title ?? "");
  const [query, setQuery] = useState(first?.q ?? "");
  const [text, setText] = useState(() => JSON.stringify(widget.definition, undefined, 2));
  const [problem, setProblem] = useState<string>();
  const hasQuery = typeof first?.q === "string";
  const save = (): void => {
    try {
      const definition = JSON.parse(text) as Widget["definition"];
      onSave({ ...widget, definition });
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const change = (next: { readonly title?: string; readonly query?: string }): void => {
    const definition = JSON.parse(text) as Widget["definition"];
    setText(JSON.stringify({ ...definition, ...(next.title === undefined ? {} : { title: next.title }), ...(next.query === undefined ? {} : { requests: definition.requests!.map((each, i) => (i === 0 ? { ...each, q: next.query } : each)) }) }, undefined, 2));
  };
  return (
    <Dialog title="Edit the widget" onClose={onClose} width="44rem">
      <form className="form" onSubmit={(event) => (event.preventDefault(), save())}>
        {widget.definition.type !== "note" && <label>Title<input value={title} onChange={(event) => (setTitle(event.target.value), change({ title: event.target.value }))} /></label>}
        {hasQuery && <label>Query<input className="code" spellCheck={false} value={query} onChange={(event) => (setQuery(event.target.value), change({ query: event.target.value }))} /></label>}
        <label>Definition<textarea className="code" rows={14} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} /></label>
        {problem && <p className="form-problem" role="alert">{problem}</p>}
        <div className="form-end"><button type="submit" className="primary">Take it</button></div>
      </form>
    </Dialog>
  );
}
