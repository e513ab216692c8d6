import type { StoredSignal } from "../../host/signal-model/stored.ts";
import type { SignalDocument } from "../../host/signal/document.ts";

/** What the overview asks of a signal, read off its stored row. */
export interface OverviewSignal {
  readonly id: string;
  readonly createdMs: number;
  readonly lastSeenMs: number;
  readonly triggeredMs: number;
  readonly severity: string;
  readonly ruleId: string;
  readonly rule: string;
  readonly state: string;
  readonly reason: string;
  readonly reviewedMs: number | undefined;
  readonly archivedMs: number | undefined;
  readonly sources: readonly string[];
  readonly ips: readonly string[];
  readonly countries: readonly string[];
  readonly regions: readonly string[];
  readonly networks: readonly string[];
  readonly tags: readonly string[];
}

export const severities = ["critical", "high", "medium", "low", "info"];
const IMPORTANT = ["critical", "high", "medium"];
const WEEK_MS = 7 * 86_400_000;

export function overviewSignal(stored: StoredSignal): OverviewSignal {
  const document = JSON.parse(stored.document) as SignalDocument;
  const details = document.details!;
  const at = (...path: readonly string[]): string[] => {
    let value: unknown = details.attributes;
    for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
    return value === undefined ? [] : ([value].flat() as string[]);
  };
  const { triage } = stored;
  return {
    id: stored.id, createdMs: stored.createdMs, lastSeenMs: document.last_seen, triggeredMs: details.triggered_at, severity: document.severity, ruleId: document.rule_id, rule: document.rule_name,
    state: triage.state, reason: triage.archiveReason, reviewedMs: triage.firstUnderReviewMs, archivedMs: triage.state === "archived" ? triage.lastArchivedMs : undefined,
    sources: [...new Set([...details.sources, ...details.tags.filter((tag) => tag.startsWith("source:")).map((tag) => tag.slice(7))])],
    ips: at("network", "client", "ip"), countries: at("network", "client", "geoip", "country", "name"), regions: at("network", "client", "geoip", "subdivision", "name"), networks: at("network", "client", "geoip", "as", "name"), tags: details.tags,
  };
}

type Signals = readonly OverviewSignal[];
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export const created = (signals: Signals, { fromMs, toMs }: Span): OverviewSignal[] => signals.filter(({ createdMs }) => createdMs >= fromMs && createdMs < toMs);
export const isImportant = ({ severity }: Pick<OverviewSignal, "severity">): boolean => IMPORTANT.includes(severity);

/** How many signals have each of the values; a signal with two has both. */
export function countBy(signals: Signals, valuesOf: (signal: OverviewSignal) => readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const signal of signals) for (const value of new Set(valuesOf(signal))) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Most first, then by name. */
export function ordered(counts: ReadonlyMap<string, number>): Array<[string, number]> {
  return [...counts].sort((a, b) => b[1] - a[1] || Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])));
}

export function openRules(all: Signals, span: Span): unknown {
  const open = created(all, span).filter(({ state }) => state === "open");
  const rules = [...Map.groupBy(open, ({ rule }) => rule)].map(([rule, own]) => {
    const pills = severities.map((severity) => ({ severity, count: own.filter((signal) => signal.severity === severity).length })).filter(({ count }) => count > 0);
    const highest = own.filter(({ severity }) => severity === pills[0]!.severity);
    return { rule, total: own.length, severities: pills, lastSeenMs: Math.max(...own.map(({ lastSeenMs }) => lastSeenMs)), rank: severities.indexOf(pills[0]!.severity), first: highest.length, last: Math.max(...highest.map(({ lastSeenMs }) => lastSeenMs)) };
  });
  rules.sort((a, b) => a.rank - b.rank || b.first - a.first || b.last - a.last || (a.rule < b.rule ? -1 : 1));
  return { total: open.length, rules: rules.slice(0, 10).map(({ rank: _rank, first: _first, last: _last, ...row }) => row) };
}

export function kpis(all: Signals, span: Span, widthMs: number): unknown {
  const length = span.toMs - span.fromMs;
  return severities.map((severity) => {
    const own = all.filter((signal) => signal.severity === severity);
    const [count, previous] = [created(own, span).length, created(own, { fromMs: span.fromMs - length, toMs: span.fromMs }).length];
    return { severity, count, previous, delta: count - previous, percent: previous === 0 ? null : ((count - previous) / previous) * 100, points: points(created(own, span), span, widthMs) };
  });
}

export function points(signals: Signals, { fromMs, toMs }: Span, widthMs: number): Array<[number, number]> {
  const list: Array<[number, number]> = [];
  for (let at = Math.floor(fromMs / widthMs) * widthMs; at < toMs; at += widthMs) list.push([at, created(signals, { fromMs: at, toMs: at + widthMs }).length]);
  return list;
}

export const resolutionOf = ({ state, reason }: OverviewSignal): string => (state === "archived" ? `archived:${reason}` : state);

/** What flows from one to the next, by `severity>source` and `source>resolution`. */
export function flow(all: Signals, span: Span, sourceName: (source: string) => string): Map<string, number> {
  const links = new Map<string, number>();
  const add = (key: string, value: number): void => void links.set(key, (links.get(key) ?? 0) + value);
  for (const signal of created(all, span)) {
    const sources = signal.sources.length ? signal.sources : ["N/A"];
    for (const source of sources) {
      add(`severity:${signal.severity}>source:${sourceName(source)}`, 1 / sources.length);
      add(`source:${sourceName(source)}>resolution:${resolutionOf(signal)}`, 1 / sources.length);
    }
  }
  return links;
}

const mean = (numbers: readonly number[]): { readonly count: number; readonly mean: number | null } => ({ count: numbers.length, mean: numbers.length ? numbers.reduce((a, b) => a + b, 0) / numbers.length : null });
const within = (ms: number | undefined, { fromMs, toMs }: Span): ms is number => ms !== undefined && ms >= fromMs && ms < toMs;

export function response(all: Signals, span: Span): unknown {
  return severities.map((severity) => {
    const own = all.filter((signal) => signal.severity === severity);
    return {
      severity, underReview: mean(own.filter(({ reviewedMs }) => within(reviewedMs, span)).map(({ reviewedMs, createdMs }) => (reviewedMs! - createdMs) / 1000)),
      archived: mean(own.filter(({ archivedMs }) => within(archivedMs, span)).map(({ archivedMs, createdMs }) => (archivedMs! - createdMs) / 1000)),
    };
  });
}

export function detection(all: Signals, span: Span, severity?: string): unknown {
  return mean(created(all, span).filter((signal) => severity === undefined || signal.severity === severity).map(({ createdMs, triggeredMs }) => Math.max(0, createdMs - triggeredMs) / 1000));
}

export function weekChanges(all: Signals, nowMs: number, valuesOf: (signal: OverviewSignal) => readonly string[]): Map<string, { readonly last: number; readonly prior: number; readonly delta: number; readonly percent: number | null }> {
  const last = countBy(created(all, { fromMs: nowMs - WEEK_MS, toMs: nowMs }), valuesOf);
  const prior = countBy(created(all, { fromMs: nowMs - 2 * WEEK_MS, toMs: nowMs - WEEK_MS }), valuesOf);
  return new Map([...new Set([...last.keys(), ...prior.keys()])].map((name) => {
    const [now, then] = [last.get(name) ?? 0, prior.get(name) ?? 0];
    return [name, { last: now, prior: then, delta: now - then, percent: then === 0 ? null : ((now - then) / then) * 100 }];
  }));
}

export const archivedWithin = (all: Signals, span: Span): OverviewSignal[] => all.filter(({ archivedMs }) => within(archivedMs, span));

export function falsePositives(all: Signals, span: Span, least: number): unknown {
  return [...Map.groupBy(created(all, span), ({ ruleId }) => ruleId)]
    .map(([ruleId, own]) => {
      const wrong = own.filter(({ state, reason }) => state === "archived" && reason === "false_positive").length;
      return { ruleId, rule: ordered(countBy(own, ({ rule }) => [rule]))[0]![0], falsePositives: wrong, total: own.length, percent: (wrong / own.length) * 100 };
    })
    .filter((rule) => rule.falsePositives > 0 && rule.total >= least)
    .sort((a, b) => b.percent - a.percent || b.total - a.total || (a.ruleId < b.ruleId ? -1 : 1)).slice(0, 10);
}

/** Values within values, as wedges have them. */
export function wedges(all: Signals, span: Span, outer: (signal: OverviewSignal) => readonly string[], inner: (signal: OverviewSignal) => readonly string[]): unknown {
  const own = created(all, span);
  return {
    total: own.length, unknown: own.filter((signal) => outer(signal).length === 0).length,
    wedges: ordered(countBy(own, outer)).map(([name, count]) => ({ name, count, children: ordered(countBy(own.filter((signal) => outer(signal).includes(name)), inner)).map(([child, each]) => ({ name: child, count: each })) })),
  };
}

export function splits(all: Signals, span: Span, valuesOf: (signal: OverviewSignal) => readonly string[]): Array<{ readonly name: string; readonly total: number; readonly important: number; readonly lessImportant: number }> {
  const own = created(all, span);
  return ordered(countBy(own, valuesOf)).map(([name, total]) => {
    const important = own.filter((signal) => valuesOf(signal).includes(name) && isImportant(signal)).length;
    return { name, total, important, lessImportant: total - important };
  });
}
