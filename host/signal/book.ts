import { createHash } from "node:crypto";
import type { CaseHit } from "../detect/hit.ts";
import type { RecentEvents } from "../detect/recent.ts";
import type { Json, LogEvent } from "../event/event.ts";
import { type NormalizeOptions, normalizeEvent } from "../event/normalize.ts";
import { type Suppression, isSuppressed, ruleEvent } from "../rule/guards.ts";
import { type Rule, type RuleCase, severityNumber } from "../rule/rule.ts";
import { MergedEvents } from "./merge.ts";
import { type CriticalAsset, signalSeverity } from "./severity.ts";
import type { Signal } from "./signal.ts";
import { renderTemplate } from "./template.ts";

/** Samples kept at each end of a signal. */
const SAMPLES = 5;
/** Events merged into a signal's attributes; those after only count. */
const MERGE_CAP = 1000;
const RENDER_EVERY_MS = 10_000;
const decoder = new TextDecoder();

export interface SignalEvent {
  readonly kind: "opened" | "extended";
  readonly signal: Signal;
}

export interface SignalBookOptions {
  readonly suppressions?: readonly Suppression[];
  readonly criticalAssets?: readonly CriticalAsset[];
}

interface Open {
  readonly signal: Signal;
  readonly merged: MergedEvents;
  readonly first: Json[];
  last: Json[];
  mergedCount: number;
  caseRank: number;
  readonly perQuery: number[];
  renderedAtMs: number;
}

/** Opens and extends signals from case hits: keys, severity, suppression, samples, text. */
export class SignalBook {
  readonly signals: Signal[] = [];
  suppressed = 0;
  readonly #rules: readonly Rule[];
  readonly #ruleEvents: readonly LogEvent[];
  readonly #options: SignalBookOptions;
  readonly #recent: RecentEvents;
  readonly #profiles: readonly NormalizeOptions[];
  readonly #open = new Map<string, Open>();

  constructor(rules: readonly Rule[], recent: RecentEvents, profiles: readonly NormalizeOptions[], options: SignalBookOptions) {
    this.#rules = rules;
    this.#ruleEvents = rules.map(ruleEvent);
    this.#recent = recent;
    this.#profiles = profiles;
    this.#options = options;
  }

  /** Open or extend; undefined when a suppression ate the hit. */
  apply(hit: CaseHit): SignalEvent | undefined {
    const rule = this.#rules[hit.ruleIndex]!;
    const group = signalGroup(rule, hit.group);
    const key = JSON.stringify([hit.ruleIndex, ...Object.entries(group).flat()]);
    const known = this.#open.get(key);
    const extends_ = known !== undefined && this.#extends(rule, known.signal, hit.timeMs);
    const open = extends_ ? known : this.#begin(rule, group, key, hit);
    const events = hit.events.map((slot) => ({ slot, record: this.#record(slot) }));
    const merged = extends_ ? open.merged : new MergedEvents();
    const target = extends_ ? open : { ...open, merged };
    for (const { slot, record } of events) {
      if (record === undefined || target.mergedCount >= MERGE_CAP) continue;
      merged.add(normalizeEvent(record, this.#profiles[this.#recent.profile(slot)]!));
      target.mergedCount++;
    }
    const view = merged.asEvent(group, rule.tags, rule.name);
    if (isSuppressed(this.#options.suppressions ?? [], this.#ruleEvents[hit.ruleIndex]!, view, hit.timeMs)) {
      this.suppressed++;
      return undefined;
    }
    const { signal } = target;
    signal.eventsMatched += hit.events.length;
    hit.perQuery.forEach((count, i) => (target.perQuery[i] = (target.perQuery[i] ?? 0) + count));
    for (const { record } of events) {
      if (record === undefined) continue;
      if (target.first.length < SAMPLES) target.first.push(record);
      else target.last = [...target.last.slice(-(SAMPLES - 1)), record];
    }
    signal.samples = [...target.first, ...target.last];
    signal.tags = [...new Set([...rule.tags, ...merged.tags])];
    signal.lastSeenMs = Math.max(signal.lastSeenMs, hit.timeMs);
    signal.firstSeenMs = Math.min(signal.firstSeenMs, hit.timeMs);
    this.#raise(rule, target, hit, view, extends_);
    if (!extends_) {
      this.#open.set(key, target);
      this.signals.push(signal);
    }
    this.#render(rule, target, hit, view, extends_);
    return { kind: extends_ ? "extended" : "opened", signal };
  }

  #extends(rule: Rule, signal: Signal, timeMs: number): boolean {
    const { keepAliveMs, maxSignalDurationMs } = rule.options;
    if (timeMs < signal.firstSeenMs) {
      // A late event made an earlier match appear: the signal then began earlier.
      return signal.firstSeenMs - timeMs < keepAliveMs && signal.lastSeenMs - timeMs <= maxSignalDurationMs;
    }
    return timeMs - signal.lastSeenMs < keepAliveMs && timeMs - signal.firstSeenMs <= maxSignalDurationMs;
  }

  #begin(rule: Rule, group: Readonly<Record<string, string>>, key: string, hit: CaseHit): Open {
    const signal: Signal = {
      id: signalId(rule, key, hit, this.#recent.eventNumber(hit.events.at(-1) ?? -1)),
      ruleId: rule.id, ruleName: rule.name, ruleVersion: rule.version,
      caseName: "", severity: "info", group, firstSeenMs: hit.timeMs, lastSeenMs: hit.timeMs, eventsMatched: 0,
      title: rule.name, message: rule.message, tags: rule.tags, samples: [],
    };
    return { signal, merged: new MergedEvents(), first: [], last: [], mergedCount: 0, caseRank: -1, perQuery: [], renderedAtMs: Number.NEGATIVE_INFINITY };
  }

  /** The highest severity so far names the case. */
  #raise(rule: Rule, open: Open, hit: CaseHit, view: LogEvent, extending: boolean): void {
    const each: RuleCase = rule.cases[hit.caseIndex]!;
    const severity = signalSeverity(each.severity, this.#options.criticalAssets ?? [], this.#ruleEvents[hit.ruleIndex]!, view, rule.options.decreaseCriticalityBasedOnEnv);
    if (extending && severityNumber(severity) <= severityNumber(open.signal.severity)) return;
    open.signal.severity = severity;
    open.signal.caseName = each.name;
    open.signal.title = each.name === "" ? rule.name : `${rule.name} - ${each.name}`;
    open.renderedAtMs = Number.NEGATIVE_INFINITY;
  }

  #render(rule: Rule, open: Open, hit: CaseHit, view: LogEvent, extending: boolean): void {
    if (extending && hit.timeMs - open.renderedAtMs < RENDER_EVERY_MS) return;
    open.renderedAtMs = hit.timeMs;
    const { signal } = open;
    signal.message = renderTemplate(rule.message, {
      event: view,
      fallback: open.merged.latest,
      severity: severityNumber(signal.severity),
      ruleName: rule.name,
      caseName: signal.caseName,
      firstSeenMs: signal.firstSeenMs,
      lastSeenMs: signal.lastSeenMs,
      eventsMatched: signal.eventsMatched,
      eventsPerQuery: Object.fromEntries(rule.queries.map((query, i) => [query.label, open.perQuery[i] ?? 0])),
    });
  }

  #record(slot: number): Json | undefined {
    const bytes = this.#recent.bytes(slot);
    if (!bytes) return undefined;
    const text = decoder.decode(bytes);
    try {
      return JSON.parse(text) as Json;
    } catch {
      return text;
    }
  }
}

/** Group-by fields of the first grouped query and their values; only those of `groupSignalsBy` where the rule has it. */
function signalGroup(rule: Rule, values: readonly string[]): Record<string, string> {
  const names = rule.queries.find((query) => query.groupByNames.length)?.groupByNames ?? [];
  const entries = names.map((name, i): [string, string] => [name, values[i] ?? ""]);
  if (!rule.groupSignalsBy.length) return Object.fromEntries(entries);
  return Object.fromEntries(entries.filter(([name]) => rule.groupSignalsBy.includes(name)));
}

/** The same for the same stream: rule, version, key, time of the opening match; a counter tells equal ones apart. */
function signalId(rule: Rule, key: string, hit: CaseHit, event: number): string {
  const sameMoment = rule.options.keepAliveMs === 0 ? event : 0;
  return createHash("sha256").update(JSON.stringify([rule.id, rule.version, key.slice(key.indexOf(",")), hit.timeMs, sameMoment])).digest("hex").slice(0, 24);
}
