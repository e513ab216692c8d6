import { type ReactNode, useState } from "react";
import type { OverviewModuleId } from "../../host/insight/overview-model.ts";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, setParams, usePlace } from "../lib/router.tsx";
import { apiBound } from "../lib/time.ts";
import { pageOf } from "../shell/pages.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Fault, Loading } from "../ui/fault.tsx";
import { TimePicker } from "../ui/time-picker.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { views } from "./modules.tsx";
import "../styles/overview.css";

interface Module {
  readonly id: OverviewModuleId;
  readonly title: string;
  readonly visible: boolean;
  readonly order: number;
  readonly data: unknown;
  readonly href: string;
}

export default function OverviewPage() {
  const { params } = usePlace();
  const span = { from: params.get("from") ?? "now-7d", to: params.get("to") ?? "now" };
  const [isArranging, setArranging] = useState(false);
  const overview = useLoad(JSON.stringify(span), async (signal) => (await get<{ readonly modules: readonly Module[] }>(addressOf("/api/v2/security/overview", { from: apiBound(span.from), to: apiBound(span.to) }), signal)).modules);
  const modules = overview.data?.toSorted((a, b) => a.order - b.order);
  return (
    <div className="page overview" aria-busy={overview.isLoading}>
      <header className="page-head">
        <h1>Security overview</h1>
        <span className="panel-spring" />
        {overview.isLoading && <span className="quiet">loading</span>}
        <TimePicker span={span} onChoose={({ from, to }) => setParams({ from, to })} />
        <button type="button" onClick={() => setArranging(true)} disabled={!modules}>Customize page</button>
      </header>
      {overview.fault && <Fault fault={overview.fault} onRetry={overview.reload} />}
      {!modules && !overview.fault && <Loading />}
      <div className="overview-grid">
        {modules?.filter(({ visible, id, data }) => visible && data !== null && Object.hasOwn(views, id) && !(id === "onboarding" && (data as { readonly open: number }).open === 0)).map((module) => <ModuleCard key={module.id} module={module} />)}
      </div>
      {isArranging && modules && <Arrange modules={modules} onClose={() => setArranging(false)} onSaved={() => (setArranging(false), overview.reload())} />}
    </div>
  );
}

function ModuleCard({ module: { id, title, href, data } }: { readonly module: Module }) {
  const { view, span } = views[id];
  const View = view as (props: { readonly data: unknown }) => ReactNode;
  return (
    <section className={`card span-${span}`} aria-label={title} data-module={id}>
      <h2>{pageOf(href.split("?", 1)[0]!) ? <Link href={href}>{title}</Link> : title}</h2>
      <View data={data} />
    </section>
  );
}

/** The order of the modules, and those that are not wanted: for oneself alone. */
function Arrange({ modules, onClose, onSaved }: { readonly modules: readonly Module[]; readonly onClose: () => void; readonly onSaved: () => void }) {
  const [order, setOrder] = useState(modules.map(({ id }) => id));
  const [hidden, setHidden] = useState<ReadonlySet<OverviewModuleId>>(new Set(modules.filter(({ visible }) => !visible).map(({ id }) => id)));
  const move = (i: number, by: number): void => setOrder(order.toSpliced(i, 1).toSpliced(i + by, 0, order[i]!));
  const toggle = (id: OverviewModuleId): void => setHidden((before) => (before.has(id) ? new Set([...before].filter((each) => each !== id)) : new Set([...before, id])));
  const save = (layout: object): void => void call("PUT", "/api/v2/security/overview/layout", layout).then(() => (tell("Page arranged"), onSaved()), tellFault);
  return (
    <Dialog title="Customize page" onClose={onClose}>
      <ul className="arrange">
        {order.map((id, i) => (
          <li key={id}>
            <label><input type="checkbox" checked={!hidden.has(id)} onChange={() => toggle(id)} /> {modules.find((module) => module.id === id)!.title}</label>
            <button type="button" className="icon-button" aria-label={`Move ${id} up`} disabled={i === 0} onClick={() => move(i, -1)}>↑</button>
            <button type="button" className="icon-button" aria-label={`Move ${id} down`} disabled={i === order.length - 1} onClick={() => move(i, 1)}>↓</button>
          </li>
        ))}
      </ul>
      <div className="form-end">
        <button type="button" onClick={() => save({ order: [], hidden: [] })}>As it was</button>
        <button type="button" className="primary" onClick={() => save({ order, hidden: [...hidden] })}>Save</button>
      </div>
    </Dialog>
  );
}
