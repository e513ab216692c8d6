import { hash } from "node:crypto";
import type { CaseHit, HitEvents } from "../detect/hit.ts";
import { type LifeCycle, lifeCycleOf, thirdPartyCase, thirdPartyGroupNames } from "../detect/method/third-party.ts";
import type { RecentEvents } from "../detect/recent.ts";
import type { LogEvent, Queryable } from "../event/event.ts";
import type { EventReader, MadeFrom } from "../event/made.ts";
import { type Suppression, ruleEvent, suppressionsOf, suppressorOf } from "../rule/guards.ts";
import { type Rule, type RuleCase, type Severity, severityNumber } from "../rule/rule.ts";
import { feedsSignals, isOnSignals } from "../rule/signal-source.ts";
import { type ReadSignal, type SavedSignal, readSignals, writeSignals } from "./book-state.ts";
import { detailPlan } from "./details.ts";
import { OpenSignal, type SignalPlan } from "./open-signal.ts";
import { type CriticalAsset, signalSeverity } from "./severity.ts";
import type { Signal } from "./signal.ts";
import { renderTemplate } from "./template.ts";
import { travelAttributes } from "./travel.ts";

const RENDER_EVERY_MS = 10_000;
/** Signals of one key a match may still reach. */
const RECENT_SIGNALS = 8;

export interface SignalEvent {
  readonly kind: "opened" | "extended";
  readonly signal: Signal;
  /** Signals told before that are none any more: part of this one now, or this one itself, left without a match. */
  readonly gone?: readonly Signal[];
}

/** What became of signals, for rules that read them. */
export interface BookChange extends SignalEvent {
  readonly signal: OpenSignal;
  /** When its first match was before, where it moved. */
  readonly firstSeenBeforeMs?: number;
  /** Signals that are none any more: part of this one now, or left without a match. */
  readonly gone?: readonly OpenSignal[];
}

export interface SignalBookOptions {
  readonly suppressions?: readonly Suppression[];
  readonly criticalAssets?: readonly CriticalAsset[];
  readonly reader: EventReader;
  /** Of rules that see more of events than others, by number of the rule. */
  readonly readers?: ReadonlyMap<number, EventReader>;
  /** @param tried the signal that would have been; it belongs to whoever hears of it. */
  readonly onSuppressed?: (suppression: Suppression, hit: CaseHit, tried: OpenSignal, asked: Queryable) => void;
  /** Signals tell more, for whoever stores them (`SignalDocument`). */
  readonly details?: boolean;
}

interface SignalKey {
  readonly text: string;
  readonly group: Readonly<Record<string, string>>;
  /** Signals that a match may still extend, by time. */
  readonly recent: OpenSignal[];
}

/** Opens and extends signals from case hits: keys, severity, suppression, samples, text. */
export class SignalBook {
  signals: OpenSignal[] = [];
  suppressed = 0;
  /** Signals that opened and were let go of. */
  forgotten = 0;
  /** Changes of signals so far. */
  revision = 0;
  readonly #rules: readonly Rule[];
  readonly #ruleEvents: readonly LogEvent[];
  readonly #options: SignalBookOptions;
  readonly #recent: RecentEvents;
  readonly #profiles: ReadonlyArray<MadeFrom | undefined>;
  /** What signals are made with, by number of the rule. */
  readonly #plans: readonly SignalPlan[];
  readonly #lives: readonly LifeCycle[];
  readonly #keys = new Map<string, SignalKey>();
  /** The same by the groups of each rule: several of them may have one key. */
  readonly #keysOfGroups: ReadonlyArray<Map<string, SignalKey>>;

  constructor(rules: readonly Rule[], recent: RecentEvents, profiles: ReadonlyArray<MadeFrom | undefined>, options: SignalBookOptions) {
    this.#rules = rules;
    this.#ruleEvents = rules.map(ruleEvent);
    this.#keysOfGroups = rules.map(() => new Map());
    this.#recent = recent;
    this.#profiles = profiles;
    this.#options = options;
    // Suppressions, assets, the environment's decrement and templates look at a signal's attributes; else nobody does.
    const looks = (options.suppressions ?? []).length > 0 || (options.criticalAssets ?? []).length > 0;
    this.#lives = rules.map((rule) => (isThirdParty(rule) ? lifeCycleOf(rule) : rule.options));
    const feeds = feedsSignals(rules);
    this.#plans = rules.map((rule, i) => ({
      rule, isOfSignals: isOnSignals(rule), details: options.details ? detailPlan(rule) : undefined,
      merges: looks || feeds[i]! || rule.options.decreaseCriticalityBasedOnEnv || rule.message.includes("{{") || isThirdParty(rule),
    }));
  }

  /**
   * Open or extend; undefined when a suppression ate the hit.
   *
   * @param sourceOf of a rule that reads signals: the signal of a slot.
   */
  apply(hit: CaseHit, sourceOf?: (slot: number) => OpenSignal): BookChange | undefined {
    const rule = this.#rules[hit.ruleIndex]!;
    const { text: key, group, recent } = this.#keyOf(rule, hit);
    const [known, ...bridged] = this.#reached(hit, recent);
    const extending = known !== undefined;
    const madeBy = (): number | string => sourceOf?.(hit.slot).id ?? this.#recent.eventNumber(hit.slot);
    const opened = (): OpenSignal => new OpenSignal(signalId(rule, key, hit, madeBy()), this.#plans[hit.ruleIndex]!, group, hit.timeMs, this.#readerOf(hit.ruleIndex));
    // A new signal has all of its match, also what an earlier one had.
    const which = extending ? "fresh" : "all";
    const stops = suppressionsOf(this.#options.suppressions ?? [], this.#ruleEvents[hit.ruleIndex]!, hit.timeMs);
    if (stops.length) {
      // A match that is stopped leaves no trace, not even in the signal it would have extended.
      const tried = known?.copy() ?? opened();
      this.#take(hit, tried, hit.events(which), sourceOf);
      const asked = tried.asked(higher(tried.severity, this.#severityOf(hit, tried)));
      const suppressor = suppressorOf(stops, this.#ruleEvents[hit.ruleIndex]!, asked, hit.timeMs);
      if (suppressor) {
        this.suppressed++;
        this.#options.onSuppressed?.(suppressor, hit, tried, asked);
        return undefined;
      }
    }
    const firstSeenBeforeMs = known?.firstSeenMs;
    const gone: OpenSignal[] = [];
    if (known) for (const other of bridged) this.#absorb(known, other, recent, gone);
    const signal = known ?? opened();
    const events = hit.count(which);
    this.#take(hit, signal, events, sourceOf);
    if (!sourceOf) signal.eventsMatched += events.total;
    events.perQuery.forEach((count, i) => (signal.perQuery[i] = (signal.perQuery[i] ?? 0) + count));
    signal.lastSeenMs = Math.max(signal.lastSeenMs, hit.timeMs);
    signal.firstSeenMs = Math.min(signal.firstSeenMs, hit.timeMs);
    if (sourceOf) {
      signal.madeOf!.match(hit.slot, { timeMs: hit.timeMs, fromMs: events.slots.length ? sourceOf(events.slots[0]!).firstSeenMs : hit.timeMs });
      // The match may have moved here, from elsewhere in this signal or from another one.
      for (const other of recent.filter((each) => each !== signal)) this.#unmatch(recent, other, hit.slot, gone);
      retime(signal);
    }
    this.#raise(hit, signal, extending);
    if (!extending) {
      // By time; the oldest leave, since no late match reaches them any more.
      recent.push(signal);
      recent.sort((x, y) => x.firstSeenMs - y.firstSeenMs);
      if (recent.length > RECENT_SIGNALS) recent.shift();
      this.signals.push(signal);
    }
    this.#render(hit, signal);
    signal.revision = ++this.revision;
    const kind = extending ? "extended" : "opened";
    const moved = extending && firstSeenBeforeMs !== signal.firstSeenMs;
    return moved || gone.length ? { kind, signal, firstSeenBeforeMs: moved ? firstSeenBeforeMs : undefined, gone } : { kind, signal };
  }

  /**
   * Signals of each rule as bytes, by number of the rule.
   *
   * @param others signals that are none any more, of which others are made; they stand behind the book's own.
   * @param isOver left out where true: nothing changes such a signal any more, and nobody will ask for it.
   */
  save(others: readonly OpenSignal[], numberOf: (input: MadeFrom) => number, isOver: (signal: OpenSignal, lives: LifeCycle) => boolean = () => false): { readonly sections: Array<{ readonly ruleIndex: number; readonly count: number; readonly bytes: Uint8Array }>; readonly places: ReadonlyMap<OpenSignal, number> } {
    const numbers = new Map(this.#rules.map((rule, i) => [rule, i]));
    const kept = [...this.signals.filter((signal) => !isOver(signal, this.#lives[numbers.get(signal.rule)!]!)), ...others];
    const own = new Set<OpenSignal>(this.signals);
    const places = new Map(kept.map((signal, place) => [signal, place]));
    const keys = new Map<OpenSignal, { readonly text: string; readonly at: number }>();
    for (const { text, recent } of this.#keys.values()) recent.forEach((signal, at) => keys.set(signal, { text: JSON.stringify((JSON.parse(text) as unknown[]).slice(1)), at }));
    const byRule = new Map<number, SavedSignal[]>();
    kept.forEach((signal, place) => {
      const ruleIndex = numbers.get(signal.rule)!;
      const key = keys.get(signal);
      const list = byRule.get(ruleIndex) ?? [];
      byRule.set(ruleIndex, list);
      list.push({ signal, ruleIndex, place, recentAt: key ? key.at + 1 : 0, isGone: !own.has(signal), key: key?.text ?? "" });
    });
    const sections = [...byRule].toSorted(([a], [b]) => a - b).map(([ruleIndex, signals]) => ({ ruleIndex, count: signals.length, bytes: writeSignals(signals, numberOf, (signal) => places.get(signal) ?? -1) }));
    return { sections, places };
  }

  /** Lets go of signals that nothing changes any more, once somebody else keeps them. */
  release(isOver: (signal: OpenSignal, lives: LifeCycle) => boolean): void {
    const numbers = new Map(this.#rules.map((rule, i) => [rule, i]));
    const over = new Set(this.signals.filter((signal) => isOver(signal, this.#lives[numbers.get(signal.rule)!]!)));
    if (!over.size) return;
    this.forgotten += over.size;
    this.signals = this.signals.filter((signal) => !over.has(signal));
    const empty = new Set<SignalKey>();
    for (const [text, key] of this.#keys) {
      if (!key.recent.some((signal) => over.has(signal))) continue;
      key.recent.splice(0, key.recent.length, ...key.recent.filter((signal) => !over.has(signal)));
      if (key.recent.length) continue;
      this.#keys.delete(text);
      empty.add(key);
    }
    for (const keys of this.#keysOfGroups) for (const [group, key] of keys) if (empty.has(key)) keys.delete(group);
  }

  /** Takes up saved signals; the book is empty before. Answers them by place. Throws `StateFault`. */
  restore(sections: ReadonlyArray<{ readonly ruleIndex: number; readonly bytes: Uint8Array }>): ReadonlyMap<number, OpenSignal> {
    const read: ReadSignal[] = sections.flatMap(({ ruleIndex, bytes }) => readSignals(bytes, ruleIndex, this.#plans[ruleIndex]!, this.#profiles, this.#readerOf(ruleIndex))).toSorted((a, b) => a.place - b.place);
    const byPlace = new Map(read.map(({ place, signal }) => [place, signal]));
    for (const { signal, parts, isGone } of read) {
      if (parts) signal.madeOf?.restore(parts, (place) => byPlace.get(place));
      if (!isGone) this.signals.push(signal);
    }
    for (const { signal, ruleIndex, recentAt, key } of read.toSorted((a, b) => a.recentAt - b.recentAt)) {
      if (recentAt === 0) continue;
      const text = JSON.stringify([ruleIndex, ...(JSON.parse(key) as unknown[])]);
      const known = this.#keys.get(text) ?? { text, group: signal.group, recent: [] };
      this.#keys.set(text, known);
      known.recent.push(signal);
    }
    return byPlace;
  }

  /** A match of a rule that reads signals does not hold any more. */
  retract(ruleIndex: number, groupKey: string, slot: number): BookChange | undefined {
    const recent = this.#keysOfGroups[ruleIndex]!.get(groupKey)?.recent ?? [];
    for (const signal of recent) {
      const firstSeenBeforeMs = signal.firstSeenMs;
      const gone: OpenSignal[] = [];
      if (!this.#unmatch(recent, signal, slot, gone)) continue;
      return { kind: "extended", signal, firstSeenBeforeMs: firstSeenBeforeMs === signal.firstSeenMs ? undefined : firstSeenBeforeMs, gone };
    }
    return undefined;
  }

  /** A signal is none any more, so it is part of none. */
  forget(ruleIndex: number, groupKey: string, slot: number): void {
    for (const signal of this.#keysOfGroups[ruleIndex]!.get(groupKey)?.recent ?? []) signal.madeOf!.remove(slot);
  }

  /** Takes a match out of a signal; one without any is no signal. */
  #unmatch(recent: OpenSignal[], signal: OpenSignal, slot: number, gone: OpenSignal[]): boolean {
    if (!signal.madeOf!.unmatch(slot)) return false;
    signal.revision = ++this.revision;
    if (signal.madeOf!.isMatched) retime(signal);
    else {
      gone.push(signal);
      recent.splice(recent.indexOf(signal), 1);
      this.signals.splice(this.signals.indexOf(signal), 1);
    }
    return true;
  }

  #readerOf(ruleIndex: number): EventReader {
    return this.#options.readers?.get(ruleIndex) ?? this.#options.reader;
  }

  #eventAt(slot: number): LogEvent | undefined {
    const bytes = this.#recent.bytes(slot);
    return bytes && this.#options.reader.event(bytes, this.#profiles[this.#recent.profile(slot)]!);
  }

  #keyOf(rule: Rule, hit: CaseHit): SignalKey {
    const ofGroups = this.#keysOfGroups[hit.ruleIndex]!;
    const { groupKey } = hit;
    let key = ofGroups.get(groupKey);
    if (!key) {
      const group = signalGroup(rule, hit);
      // Other products' alerts are told apart by root query and case too.
      const text = JSON.stringify([hit.ruleIndex, ...(isThirdParty(rule) ? thirdPartyKey(rule, group, groupKey) : Object.entries(group).flat())]);
      key = this.#keys.get(text) ?? { text, group, recent: [] };
      this.#keys.set(text, key);
      ofGroups.set(groupKey, key);
    }
    return key;
  }

  /** Adds a match's events to a signal, or the signals it is of. */
  #take(hit: CaseHit, signal: OpenSignal, events: HitEvents, sourceOf?: (slot: number) => OpenSignal): void {
    for (const slot of events.slots) {
      if (sourceOf) {
        signal.addSource(slot, sourceOf(slot));
        continue;
      }
      const bytes = this.#recent.bytes(slot);
      if (bytes) signal.add({ bytes, input: this.#profiles[this.#recent.profile(slot)]! });
    }
    const { merges } = this.#plans[hit.ruleIndex]!;
    if (hit.travel && (merges || signal.inDepth)) {
      const attributes = { impossible_travel: travelAttributes(hit.travel, (slot) => this.#eventAt(slot)) };
      if (merges) signal.details = attributes;
      signal.inDepth?.setTravel(attributes);
    }
    if (hit.anomaly) signal.inDepth?.setAnomaly(hit.anomaly);
    if (hit.newValues) signal.inDepth?.addNewValues(hit.newValues);
  }

  /** The signal a match at this time belongs to, and those that become part of it: a late match that lies between two makes them one, as it would have in order. */
  #reached({ ruleIndex, timeMs, movedFromMs }: CaseHit, recent: readonly OpenSignal[]): OpenSignal[] {
    const { keepAliveMs, maxSignalDurationMs } = this.#lives[ruleIndex]!;
    const fitting = recent.filter((signal) =>
      timeMs - signal.lastSeenMs < keepAliveMs && signal.firstSeenMs - timeMs < keepAliveMs &&
      Math.max(signal.lastSeenMs, timeMs) - Math.min(signal.firstSeenMs, timeMs) <= maxSignalDurationMs);
    // A match that moves stays where it is, however long a signal is kept alive.
    const holder = movedFromMs === undefined ? undefined : recent.find((signal) => signal.firstSeenMs <= movedFromMs && movedFromMs <= signal.lastSeenMs);
    if (holder && !fitting.includes(holder)) return [holder];
    const tooFar = fitting.findIndex((other, i) => i > 0 && other.lastSeenMs - Math.min(fitting[0]!.firstSeenMs, timeMs) > maxSignalDurationMs);
    return tooFar < 0 ? fitting : fitting.slice(0, tooFar);
  }

  #absorb(signal: OpenSignal, other: OpenSignal, recent: OpenSignal[], gone: OpenSignal[]): void {
    signal.absorb(other);
    gone.push(other);
    recent.splice(recent.indexOf(other), 1);
    this.signals.splice(this.signals.indexOf(other), 1);
  }

  /** Of the match, as the signal looks with it: its case, critical assets, the environment. */
  #severityOf(hit: CaseHit, signal: OpenSignal): Severity {
    const { severity } = caseOf(signal.rule, hit.caseIndex);
    const assets = this.#options.criticalAssets ?? [];
    const { decreaseCriticalityBasedOnEnv } = signal.rule.options;
    if (!assets.length && !decreaseCriticalityBasedOnEnv) return severity;
    return signalSeverity(severity, assets, this.#ruleEvents[hit.ruleIndex]!, signal.asked(severity), decreaseCriticalityBasedOnEnv);
  }

  /** Would the severity be another in production? */
  #isLowered({ ruleIndex, caseIndex }: CaseHit, signal: OpenSignal, severity: Severity): boolean {
    if (!signal.rule.options.decreaseCriticalityBasedOnEnv) return false;
    const own = caseOf(signal.rule, caseIndex).severity;
    return signalSeverity(own, this.#options.criticalAssets ?? [], this.#ruleEvents[ruleIndex]!, signal.asked(own), false) !== severity;
  }

  /** The highest severity so far names the case. */
  #raise(hit: CaseHit, signal: OpenSignal, extending: boolean): void {
    const { rule } = signal;
    const severity = this.#severityOf(hit, signal);
    const { name } = caseOf(rule, hit.caseIndex);
    const { inDepth } = signal;
    // A late match may be the first that names the signal so.
    if (inDepth && extending && severity === signal.severity && name === signal.caseName && hit.timeMs < inDepth.triggeredMs) inDepth.triggeredMs = hit.timeMs;
    if (extending && severityNumber(severity) <= severityNumber(signal.severity)) return;
    signal.severity = severity;
    signal.caseName = name;
    inDepth?.takeCase({ caseIndex: hit.caseIndex, triggeredMs: hit.timeMs, isLowered: this.#isLowered(hit, signal, severity) });
    signal.title = titleOf(rule, signal.caseName, signal);
    signal.renderedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** On opening, on a change of severity, and at most every ten seconds while it is extended. */
  #render(hit: CaseHit, signal: OpenSignal): void {
    const { rule } = signal;
    if (!rule.message.includes("{{") || hit.timeMs - signal.renderedAtMs < RENDER_EVERY_MS) return;
    signal.renderedAtMs = hit.timeMs;
    signal.message = renderTemplate(rule.message, {
      event: signal.view(),
      fallback: signal.latest,
      severity: severityNumber(signal.severity),
      ruleName: rule.name,
      caseName: signal.caseName,
      firstSeenMs: signal.firstSeenMs,
      lastSeenMs: signal.lastSeenMs,
      eventsMatched: signal.eventsMatched,
      eventsPerQuery: Object.fromEntries(rule.queries.map((query, i) => [query.label, signal.perQuery[i] ?? 0])),
    });
  }
}

/** First and last seen are those of the matches it has. */
function retime(signal: OpenSignal): void {
  signal.firstSeenMs = signal.madeOf!.firstMs;
  signal.lastSeenMs = signal.madeOf!.lastMs;
}

/** Name and case; what other products' alerts are called, their rule may say by a template. */
function titleOf(rule: Rule, caseName: string, signal: OpenSignal): string {
  const { method } = rule.options;
  const general = caseName === "" ? rule.name : `${rule.name} - ${caseName}`;
  if (method.kind !== "third_party" || method.signalTitleTemplate === "") return general;
  return renderTemplate(method.signalTitleTemplate, {
    event: signal.view(), fallback: signal.latest, severity: severityNumber(signal.severity), ruleName: rule.name, caseName,
    firstSeenMs: signal.firstSeenMs, lastSeenMs: signal.lastSeenMs, eventsMatched: signal.eventsMatched, eventsPerQuery: {},
  });
}

function higher(a: Severity, b: Severity): Severity {
  return severityNumber(b) > severityNumber(a) ? b : a;
}

function isThirdParty(rule: Rule): boolean {
  return rule.options.method.kind === "third_party";
}

function caseOf(rule: Rule, caseIndex: number): Pick<RuleCase, "name" | "severity"> {
  return isThirdParty(rule) ? thirdPartyCase(rule, caseIndex) : rule.cases[caseIndex]!;
}

/** Group-by fields of the first grouped query and their values; only those of `groupSignalsBy` where the rule has it. */
function signalGroup(rule: Rule, hit: CaseHit): Record<string, string> {
  const values = hit.group;
  const names = isThirdParty(rule) ? thirdPartyGroupNames(rule, hit.groupKey) : rule.queries.find((query) => query.groupByNames.length)?.groupByNames ?? [];
  const entries = names.map((name, i): [string, string] => [name, values[i] ?? ""]);
  if (!rule.groupSignalsBy.length) return Object.fromEntries(entries);
  // Queries join by position: what one groups by another may call by another name.
  const chosen = entries.flatMap(([own, value], i) => {
    const name = [own, ...rule.queries.map((query) => query.groupByNames[i])].find((each) => each !== undefined && rule.groupSignalsBy.includes(each));
    return name === undefined ? [] : [[name, value] as const];
  });
  // A root query of other products' alerts may have none of them.
  return Object.fromEntries(chosen.length || !isThirdParty(rule) ? chosen : entries);
}

/** Root query, case and group, which stand in the group key one behind the other; or of the group what signals are told by. */
function thirdPartyKey(rule: Rule, group: Readonly<Record<string, string>>, groupKey: string): string[] {
  const isPart = Object.keys(group).length > 0 && Object.keys(group).length < thirdPartyGroupNames(rule, groupKey).length;
  return isPart ? [...groupKey.split(" ", 2), ...Object.entries(group).flat()] : [groupKey];
}

/** The same for the same stream: rule, version, key, time of the opening match; a counter tells equal ones apart. */
function signalId(rule: Rule, key: string, hit: CaseHit, event: number | string): string {
  const sameMoment = rule.options.keepAliveMs === 0 ? event : 0;
  return hash("sha256", JSON.stringify([rule.id, rule.version, key.slice(key.indexOf(",")), hit.timeMs, sameMoment])).slice(0, 24);
}
