import { post } from "../lib/api.ts";
import { type TimePoint, bucketed } from "../lib/buckets.ts";
import { useLoad } from "../lib/load.ts";
import { plural } from "../lib/text.ts";
import { bucketMs } from "../lib/time.ts";
import { Bars } from "../ui/bars.tsx";
import type { Signal } from "./model.ts";

interface Answer {
  readonly data: { readonly buckets: ReadonlyArray<{ readonly computes: { readonly c0: readonly TimePoint[] } }> };
}

const COLOURS = ["series-1", "series-2", "series-3", "series-4", "series-5"];
const MOST_BARS = 60;
const MOST_QUERIES = 5;

/** The logs that each of the rule's queries found around the window that fired, over time. */
export function WindowTimeline({ custom }: { readonly custom: Signal["attributes"]["custom"] }) {
  const { relatedQuery: related, workflow } = custom;
  const [fromMs, toMs] = related ? [Date.parse(related.from), Math.max(Date.parse(related.to), Date.parse(workflow.last_seen)) + 1] : [0, 0];
  const padMs = Math.max(60_000, (toMs - fromMs) / 5);
  const widthMs = bucketMs(toMs - fromMs + 2 * padMs, MOST_BARS);
  const startMs = Math.floor((fromMs - padMs) / widthMs) * widthMs;
  const count = Math.ceil((toMs + padMs - startMs) / widthMs);
  const queries = Object.entries(related?.queries ?? {}).slice(0, MOST_QUERIES);
  const { data, fault } = useLoad(related?.track === "logs" && queries.length ? JSON.stringify([queries, startMs, widthMs]) : undefined, (signal) =>
    Promise.all(queries.map(async ([name, query], i) => {
      const { data: { buckets } } = await post<Answer>("/api/v2/logs/analytics/aggregate", { filter: { query, from: String(startMs), to: String(startMs + count * widthMs) }, compute: [{ aggregation: "count", type: "timeseries", interval: `${widthMs}ms` }] }, signal);
      return { name: name || "query", className: COLOURS[i]!, values: bucketed(buckets[0]?.computes.c0 ?? [], startMs, widthMs, count) };
    })));
  if (!related || related.track !== "logs" || fault) return null;
  const total = data?.reduce((sum, { values }) => sum + values.reduce((a, b) => a + b, 0), 0) ?? 0;
  return (
    <section className="window" aria-label="Window">
      <h3>The window</h3>
      {data && (total === 0 ? <p className="quiet">Its logs are not kept any more.</p> : (
        <>
          <Bars label={`Logs around the window: ${data.map(({ name, values }) => `${name} ${values.reduce((a, b) => a + b, 0)}`).join(", ")}`} startMs={startMs} widthMs={widthMs} series={data} />
          <ul className="legend">{data.map(({ name, className, values }) => <li key={name}><span className={`legend-mark ${className}`} aria-hidden="true" />{name}: {plural(values.reduce((a, b) => a + b, 0), "log")}</li>)}</ul>
        </>
      ))}
    </section>
  );
}
