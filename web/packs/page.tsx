import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural, quoted } from "../lib/text.ts";
import { agoText } from "../lib/time.ts";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import "../styles/settings.css";

const PACKS = "/api/v2/security_monitoring/content_packs";

interface Pack {
  readonly id: string;
  readonly attributes: {
    readonly title: string;
    readonly version: string;
    readonly category: string;
    readonly status: string;
    readonly cp_activation: string;
    readonly sources: readonly string[];
    readonly reasons: readonly string[];
    readonly last_seen: string | null;
    readonly logs_recently: number;
    readonly parse_failure_percent: number;
    readonly rules: number;
    readonly idle_rules: readonly string[];
  };
}

const words: Readonly<Record<string, string>> = { active: "Active", warning: "Warning", broken: "Broken", initializing: "Initializing", install: "Off: no logs of it come", activate: "Off, and its logs come", "needs_filters": "Needs filters" };

/** Content packs: what each brings along, whether it is enabled, whether its logs come and are understood. */
export default function PacksPage() {
  const { params } = usePlace();
  const mayWrite = useMay("security_monitoring_rules_write");
  const packs = useLoad("packs", async (signal) => (await get<{ readonly data: readonly Pack[] }>(`${PACKS}/states`, signal)).data);
  const [status, category, one] = [params.get("status"), params.get("category"), params.get("pack")];
  const all = packs.data ?? [];
  const shown = all.filter(({ id, attributes }) => (!status || attributes.status === status) && (!category || attributes.category === category) && (!one || id === one));
  const statuses = [...new Set(all.map(({ attributes }) => attributes.status))];
  const set = async ({ id, attributes: { title } }: Pack, isOn: boolean): Promise<void> => {
    try {
      await call("PUT", `${PACKS}/${encodeURIComponent(id)}/${isOn ? "activate" : "deactivate"}`);
      tell(isOn ? `${title} enabled: its rules judge from the next log on` : `${title} disabled; what it found stays`);
      packs.reload();
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>Content packs</h1>
        <span className="quiet" role="status">{packs.data ? plural(shown.length, "pack") : ""}</span>
        <div className="switch" role="group" aria-label="Status">
          <button type="button" aria-pressed={!status && !category && !one} onClick={() => setParams({ status: undefined, category: undefined, pack: undefined })}>All</button>
          {statuses.map((each) => <button key={each} type="button" aria-pressed={status === each} onClick={() => setParams({ status: each, category: undefined, pack: undefined })}>{words[each] ?? each} {all.filter(({ attributes }) => attributes.status === each).length}</button>)}
        </div>
      </header>
      {packs.fault && <Fault fault={packs.fault} onRetry={packs.reload} />}
      {!packs.data && !packs.fault && <Loading />}
      {packs.data && !shown.length && <Empty>No pack is so.</Empty>}
      <ul className="pack-list">
        {shown.map((pack) => {
          const { title, version, category: kind, status: now, cp_activation, sources, reasons, last_seen, logs_recently, parse_failure_percent, rules, idle_rules } = pack.attributes;
          const isOn = cp_activation === "activated";
          return (
            <li key={pack.id} className="card">
              <h2>{title} <span className="quiet">{version}</span></h2>
              <p><span className={`pack-status pack-${now}`}>{words[now] ?? now}</span> <span className="quiet">{kind}</span></p>
              <dl className="facts">
                <div><dt>Sources</dt><dd>{sources.map((source) => <span key={source}><Link href={addressOf("/logs", { query: `source:${quoted(source)}`, from: "now-24h", to: "now" })}><Line>{source}</Line></Link> </span>)}</dd></div>
                <div><dt>Logs in 24 h</dt><dd>{countText(logs_recently)}{last_seen ? `, last ${agoText(last_seen)}` : ""}{parse_failure_percent > 0 ? `, ${parse_failure_percent.toFixed(1)} % not understood` : ""}</dd></div>
                <div><dt>Rules</dt><dd>{isOn ? <Link href={addressOf("/security/rules", { query: sources.length ? `source:(${sources.map(quoted).join(" OR ")})` : "" })}>{countText(rules)}</Link> : "off"}{idle_rules.length > 0 ? `, ${plural(idle_rules.length, "rule")} of them cannot fire` : ""}</dd></div>
              </dl>
              {reasons.length > 0 && <ul className="reasons">{reasons.map((reason) => <li key={reason}><Line>{reason}</Line></li>)}</ul>}
              {mayWrite && <button type="button" className={isOn ? "" : "primary"} aria-label={`${isOn ? "Disable" : "Enable"} ${title}`} onClick={() => void set(pack, !isOn)}>{isOn ? "Disable" : "Enable"}</button>}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
