import { get, post } from "../lib/api.ts";
import { type TimePoint, bucketed } from "../lib/buckets.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf } from "../lib/router.tsx";
import { countText, quoted } from "../lib/text.ts";
import { SIGNALS, archiveReasons } from "../signals/model.ts";
import { Bars } from "../ui/bars.tsx";
import { Fault, Loading } from "../ui/fault.tsx";
import { severities } from "../ui/pill.tsx";
import { Line } from "../ui/text.tsx";
import { RULES } from "./model.ts";

interface Tuning {
  readonly data: { readonly attributes: { readonly matches: number; readonly signals: number; readonly suppressed: number; readonly archived: number; readonly false_positives: number; readonly false_positive_rate: number | null; readonly archive_reasons: Readonly<Record<string, number>>; readonly frequent_values: ReadonlyArray<{ readonly field: string; readonly value: string; readonly false_positives: number; readonly others: number }>; readonly is_complete: boolean } };
}

const DAYS = 30;
const DAY_MS = 86_400_000;

/** What a rule found in a month, what became of it, and which values it found most. */
export function Performance({ id }: { readonly id: string }) {
  const tuning = useLoad(`tuning ${id}`, (signal) => get<Tuning>(`${RULES}/${encodeURIComponent(id)}/tuning`, signal));
  const bars = useLoad(`bars ${id}`, async (signal) => {
    const startMs = Math.floor(Date.now() / DAY_MS - DAYS + 1) * DAY_MS;
    const { data } = await post<{ readonly data: { readonly buckets: ReadonlyArray<{ readonly by: { readonly severity: string }; readonly computes: { readonly c0: readonly TimePoint[] } }> } }>(`${SIGNALS}/aggregate`, { filter: { query: `@workflow.rule.id:${quoted(id)}`, from: startMs, to: "now" }, compute: [{ aggregation: "count", type: "timeseries", interval: "1d" }], group_by: [{ facet: "severity" }] }, signal);
    return { startMs, widthMs: DAY_MS, series: severities.toReversed().map((name) => ({ name, className: `severity-${name}`, values: bucketed(data.buckets.find(({ by }) => by.severity === name)?.computes.c0 ?? [], startMs, DAY_MS, DAYS) })) };
  });
  if (tuning.fault) return <Fault fault={tuning.fault} onRetry={tuning.reload} />;
  if (!tuning.data) return <Loading />;
  const found = tuning.data.data.attributes;
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["Events matched", countText(found.matches)], ["Signals", countText(found.signals)], ["Matches suppressed", countText(found.suppressed)], ["Archived", countText(found.archived)],
    ["False positives", found.false_positive_rate === null ? "–" : `${countText(found.false_positives)} (${found.false_positive_rate.toFixed(1)} %)`],
    ...Object.entries(found.archive_reasons).map(([reason, count]): readonly [string, string] => [`Archived: ${archiveReasons[reason] ?? reason}`, countText(count)]),
  ];
  return (
    <div className="rule-performance">
      {bars.data && <Bars label="Signals a day by severity" {...bars.data} />}
      <h3>The last {DAYS} days{found.is_complete ? "" : ", as far as could be read in time"}</h3>
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {found.frequent_values.length > 0 && (
        <>
          <h3>Values its false positives have: what a suppression may leave out</h3>
          <table className="plain">
            <thead><tr><th scope="col">Attribute</th><th scope="col">Value</th><th scope="col" className="number">False positives</th><th scope="col" className="number">Other signals</th></tr></thead>
            <tbody>{found.frequent_values.map(({ field, value, false_positives: wrong, others }) => <tr key={`${field} ${value}`}><td><Line>{field}</Line></td><td><Link href={addressOf("/security/signals", { query: `@workflow.rule.id:${quoted(id)} ${field}:${quoted(value)}`, from: "now-30d", to: "now" })}><Line>{value}</Line></Link></td><td className="number">{countText(wrong)}</td><td className="number">{countText(others)}</td></tr>)}</tbody>
          </table>
        </>
      )}
    </div>
  );
}
