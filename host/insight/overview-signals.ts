import { severities } from "../rule/rule.ts";
import { type Point, bucketWidth, filled } from "./buckets.ts";
import { type TimeSpan, all, phrase, signalsHref } from "./links.ts";
import type { OverviewAsk, OverviewModule } from "./overview-ask.ts";
import { overviewModule } from "./overview-ask.ts";
import type { FlowData, MeanTime } from "./overview-model.ts";
import { changePercent } from "./week-change.ts";

/** Highest first, as the page lists them. */
const ranked = severities.toReversed();
const bySeverity = { facet: "status", limit: severities.length };
const MOST_SOURCES = 10;
const MOST_NAMED = 50;
const OTHER = "other";
const UNKNOWN = "N/A";
/** Signals may be triaged for so long after their creation. */
const TRIAGE_MS = 31 * 86_400_000;
/** Signals that a job made of the past were not waited for. */
const OF_NOW = "-@historical_job_id:*";

interface SeverityCounts {
  readonly severity: string;
  readonly count: number;
  readonly points: readonly Point[];
}

async function severitiesOverTime({ numbers }: OverviewAsk, span: TimeSpan, widthMs: number): Promise<SeverityCounts[]> {
  const groups = new Map((await numbers.overTime("*", span, [bySeverity], widthMs)).map((group) => [group.values[0]!, group]));
  return ranked.map((severity) => ({ severity, count: groups.get(severity)?.count ?? 0, points: filled(groups.get(severity)?.times ?? new Map(), span, widthMs) }));
}

/** Signals at whose triage something came to be within the span: created in it, or up to a month before. */
function reachedHref(query: string, time: "acknowledged_at" | "resolved_at", { fromMs, toMs }: TimeSpan): string {
  return signalsHref(all(query, reachedQuery(time, { fromMs, toMs })), { fromMs: fromMs - TRIAGE_MS, toMs });
}

export function reachedQuery(time: "acknowledged_at" | "resolved_at", { fromMs, toMs }: TimeSpan): string {
  return `@workflow.timings.${time}:[${fromMs} TO ${toMs}}`;
}

export const signalModules: readonly OverviewModule[] = [
  overviewModule({
    id: "overview.kpi", title: "Signal distribution", needs: "signals",
    href: ({ span }) => signalsHref("", span),
    async read(ask) {
      const { span, numbers } = ask;
      const before = { fromMs: span.fromMs - (span.toMs - span.fromMs), toMs: span.fromMs };
      const intervalMs = bucketWidth(span);
      const [now, then] = await Promise.all([severitiesOverTime(ask, span, intervalMs), numbers.groups("*", before, [bySeverity])]);
      const counts = new Map(then.map(({ values, count }) => [values[0]!, count]));
      return {
        intervalMs,
        severities: now.map(({ severity, count, points }) => {
          const previous = counts.get(severity) ?? 0;
          return { severity, count, previous, delta: count - previous, percent: changePercent(count, previous), points, href: signalsHref(`status:${severity}`, span) };
        }),
      };
    },
  }),
  overviewModule({ id: "overview.flow", title: "Signals by severity, source and resolution", needs: "signals", href: ({ span }) => signalsHref("", span), read: flow }),
  overviewModule({
    id: "overview.mttr", title: "Mean time to respond to signals", needs: "signals",
    href: ({ span }) => signalsHref("-@workflow.triage.state:open", span),
    async read({ span, numbers }) {
      const mean = async (metric: string, time: "acknowledged_at" | "resolved_at"): Promise<(severity: string) => MeanTime> => {
        // Of what came to pass in the span, whenever the signals were created.
        const means = new Map((await numbers.means(reachedQuery(time, span), undefined, bySeverity, metric)).map((group) => [group.values[0]!, group]));
        return (severity) => ({ count: means.get(severity)?.count ?? 0, mean: means.get(severity)?.mean ?? null, href: reachedHref(`status:${severity}`, time, span) });
      };
      const [underReview, archived] = await Promise.all([mean("time_to_acknowledge", "acknowledged_at"), mean("time_to_resolve", "resolved_at")]);
      return { severities: ranked.map((severity) => ({ severity, underReview: underReview(severity), archived: archived(severity) })) };
    },
  }),
  overviewModule({
    id: "perf.mttd", title: "Mean time to detect", needs: "signals",
    href: ({ span }) => signalsHref(OF_NOW, span),
    async read({ span, numbers }) {
      const means = await numbers.means(OF_NOW, span, bySeverity, "time_to_detect");
      const count = means.reduce((sum, each) => sum + each.count, 0);
      return {
        all: { count, mean: count ? means.reduce((sum, each) => sum + each.mean * each.count, 0) / count : null, href: signalsHref(OF_NOW, span) },
        severities: (["critical", "high", "medium"] as const).map((severity) => {
          const own = means.find(({ values }) => values[0] === severity);
          return { severity, count: own?.count ?? 0, mean: own?.mean ?? null, href: signalsHref(all(`status:${severity}`, OF_NOW), span) };
        }),
      };
    },
  }),
  overviewModule({
    id: "perf.activity", title: "Signal activity", needs: "signals",
    href: ({ span }) => signalsHref("", span),
    async read(ask) {
      const intervalMs = bucketWidth(ask.span);
      return { intervalMs, series: (await severitiesOverTime(ask, ask.span, intervalMs)).map((each) => ({ ...each, href: signalsHref(`status:${each.severity}`, ask.span) })) };
    },
  }),
];

interface Way {
  readonly severity: string;
  readonly source: string;
  readonly resolution: string;
  readonly value: number;
}

/** From severity over source to what became of it; sources beyond the first ten together. */
async function flow({ span, numbers }: OverviewAsk): Promise<FlowData> {
  const facets = [bySeverity, { facet: "source", missing: UNKNOWN }, "@workflow.sourceCount"];
  const state = (name: string): string => `@workflow.triage.state:${name}`;
  const [open, reviewed, archived, total] = await Promise.all([
    numbers.groups(state("open"), span, facets), numbers.groups(state("under_review"), span, facets),
    numbers.groups(state("archived"), span, [...facets, "archive_reason"]), numbers.count("*", span),
  ]);
  const whole = [...open.map((group) => ({ ...group, resolution: "open" })), ...reviewed.map((group) => ({ ...group, resolution: "under_review" })), ...archived.map((group) => ({ ...group, resolution: `archived:${group.values[3]!}` }))];
  const single = whole.map(({ values: [severity, source, parts], count, resolution }): Way => ({ severity: severity!, source: source!, resolution, value: count / Math.max(1, Number(parts)) }));
  const sources = [...summed(single, ({ source }) => source)].filter(([source]) => source !== UNKNOWN).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([source]) => source);
  const [most, rest] = [sources.slice(0, MOST_SOURCES), sources.slice(MOST_SOURCES)];
  const ways = single.map((way) => (way.source === UNKNOWN || most.includes(way.source) ? way : { ...way, source: OTHER }));
  const sourceQuery = (source: string): string => {
    if (source === UNKNOWN) return "-source:*";
    if (source !== OTHER || most.includes(OTHER)) return `source:${phrase(source)}`;
    // So many that a link could not name them: then those that have none of the first.
    return rest.length <= MOST_NAMED ? `source:(${rest.map(phrase).join(" OR ")})` : `source:* -source:(${most.map(phrase).join(" OR ")})`;
  };
  const resolutionQuery = (resolution: string): string => (resolution.startsWith("archived:") ? all(state("archived"), `archive_reason:${resolution.slice("archived:".length)}`) : state(resolution));
  const node = (kind: "severity" | "source" | "resolution", name: string, value: number, query: string): FlowData["nodes"][number] => ({ id: `${kind}:${name}`, kind, name, value, href: signalsHref(query, span) });
  const pairs = (from: (way: Way) => string, to: (way: Way) => string, query: (one: string, other: string) => string, kinds: readonly [string, string]): FlowData["links"][number][] =>
    [...summed(ways, (way) => JSON.stringify([from(way), to(way)]))].map(([key, value]) => {
      const [one, other] = JSON.parse(key) as [string, string];
      return { from: `${kinds[0]}:${one}`, to: `${kinds[1]}:${other}`, value, href: signalsHref(query(one, other), span) };
    });
  const order = (a: { readonly value: number; readonly name: string }, b: { readonly value: number; readonly name: string }): number => b.value - a.value || (a.name < b.name ? -1 : 1);
  const nodesOf = (kind: "source" | "resolution", of: (way: Way) => string, query: (name: string) => string): FlowData["nodes"][number][] => [...summed(ways, of)].map(([name, value]) => node(kind, name, value, query(name))).sort(order);
  const severe = summed(ways, ({ severity }) => severity);
  return {
    total,
    nodes: [
      ...ranked.filter((severity) => severe.has(severity)).map((severity) => node("severity", severity, severe.get(severity)!, `status:${severity}`)),
      ...nodesOf("source", ({ source }) => source, sourceQuery), ...nodesOf("resolution", ({ resolution }) => resolution, resolutionQuery),
    ],
    links: [
      ...pairs(({ severity }) => severity, ({ source }) => source, (severity, source) => all(`status:${severity}`, sourceQuery(source)), ["severity", "source"]),
      ...pairs(({ source }) => source, ({ resolution }) => resolution, (source, resolution) => all(sourceQuery(source), resolutionQuery(resolution)), ["source", "resolution"]),
    ],
  };
}

function summed<T extends { readonly value: number }>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(keyOf(item), (sums.get(keyOf(item)) ?? 0) + item.value);
  return sums;
}
