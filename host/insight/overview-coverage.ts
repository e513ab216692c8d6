import { packCategories } from "../event/pipeline/packs.ts";
import { type Point, bucketWidth, filled } from "./buckets.ts";
import { logsHref, packsHref, phrase } from "./links.ts";
import { type OverviewAsk, type OverviewModule, type OverviewPack, overviewModule } from "./overview-ask.ts";
import type { LogVolumeData } from "./overview-model.ts";
import { type HourChange, hourChange } from "./unusual.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Logs are counted in slots of ten minutes, and of an hour once they are two days old. */
const SLOT_MS = 600_000;
const FINE_MS = 2 * DAY_MS;
const MOST_SOURCES = 10;
const healthStatuses = ["active", "warning", "broken", "initializing", "not_configured"];

const packHref = ({ id }: Pick<OverviewPack, "id">): string => packsHref({ pack: id });

export const coverageModules: readonly OverviewModule[] = [
  overviewModule({
    id: "coverage.packs", title: "Enabled content packs and integrations", needs: "rules",
    href: () => packsHref(),
    async read({ packs, sources, span }) {
      const all = await packs();
      const read = new Set(all.flatMap((pack) => pack.sources));
      const others = (await sources())?.filter((source) => !read.has(source));
      return {
        categories: packCategories.map((category) => {
          const own = all.filter((pack) => pack.category === category);
          const enabled = own.filter(({ isEnabled }) => isEnabled).length;
          return {
            category, enabled, total: own.length, share: own.length ? enabled / own.length : 0, href: packsHref({ category }),
            packs: own.map((pack) => ({ id: pack.id, title: pack.title, enabled: pack.isEnabled, status: pack.status, href: packHref(pack) })),
          };
        }),
        other: others ? { count: others.length, sources: others.map((source) => ({ source, href: logsHref(`source:${phrase(source)}`, span) })) } : null,
      };
    },
  }),
  overviewModule({
    id: "coverage.health", title: "Content pack and logs health", needs: "rules",
    href: () => packsHref(),
    async read({ packs }) {
      const all = await packs();
      return {
        statuses: healthStatuses.map((status) => {
          const own = all.filter((pack) => pack.status === status);
          return { status, count: own.length, href: packsHref({ status }), packs: own.map((pack) => ({ id: pack.id, title: pack.title, reasons: pack.reasons, href: packHref(pack) })) };
        }),
      };
    },
  }),
  overviewModule({ id: "coverage.logs", title: "Logs analyzed by Cloud SIEM", needs: "logs", href: ({ span }) => logsHref("", span), read: logVolumes }),
];

/** The ten sources with most logs, and the others together, over time. */
async function logVolumes(ask: OverviewAsk): Promise<LogVolumeData> {
  const { span, nowMs } = ask;
  const intervalMs = bucketWidth(span, span.fromMs < nowMs - FINE_MS ? HOUR_MS : SLOT_MS);
  const lastHour = Math.floor(Math.min(nowMs, span.toMs) / HOUR_MS) * HOUR_MS - HOUR_MS;
  const [shown, week] = await Promise.all([ask.logs(span, intervalMs), ask.isRestricted ? undefined : ask.logs({ fromMs: lastHour - 7 * DAY_MS, toMs: lastHour + HOUR_MS }, HOUR_MS)]);
  const hours = new Map(week?.sources.map(({ source, times }) => [source, bucketed(times, HOUR_MS)]));
  const volumes = shown.sources.map(({ source, times }) => {
    const buckets = bucketed(times, intervalMs);
    return { source, buckets, total: [...buckets.values()].reduce((sum, count) => sum + count, 0) };
  }).filter(({ total }) => total > 0).sort((a, b) => b.total - a.total || (a.source < b.source ? -1 : 1));
  const [first, rest] = [volumes.slice(0, MOST_SOURCES), volumes.slice(MOST_SOURCES)];
  const points = (buckets: ReadonlyMap<number, number>): Point[] => filled(buckets, span, intervalMs);
  return {
    intervalMs, total: volumes.reduce((sum, { total }) => sum + total, 0),
    sources: first.map(({ source, buckets, total }) => ({ source, total, points: points(buckets), change: changeOf(hours.get(source), lastHour), href: logsHref(`source:${phrase(source)}`, span) })),
    other: rest.length ? {
      sources: rest.length, total: rest.reduce((sum, { total }) => sum + total, 0), points: points(added(rest.map(({ buckets }) => buckets))),
      href: logsHref(`source:* -source:(${first.map(({ source }) => phrase(source)).join(" OR ")})`, span),
    } : null,
    isEstimate: !ask.isRestricted,
    ...(shown.isPartial ? { isPartial: true } : {}),
  };
}

function changeOf(hours: ReadonlyMap<number, number> | undefined, hourMs: number): HourChange | null {
  return hours ? hourChange(hours, hourMs) : null;
}

function bucketed(times: ReadonlyMap<number, number>, widthMs: number): Map<number, number> {
  const buckets = new Map<number, number>();
  for (const [timeMs, count] of times) {
    const start = Math.floor(timeMs / widthMs) * widthMs;
    buckets.set(start, (buckets.get(start) ?? 0) + count);
  }
  return buckets;
}

function added(all: readonly ReadonlyMap<number, number>[]): Map<number, number> {
  const sums = new Map<number, number>();
  for (const each of all) for (const [timeMs, count] of each) sums.set(timeMs, (sums.get(timeMs) ?? 0) + count);
  return sums;
}
