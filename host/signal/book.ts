import { hash } from "node:crypto";
import type { CaseHit } from "../detect/hit.ts";
import { type LifeCycle, lifeCycleOf, thirdPartyCase, thirdPartyGroupNames } from "../detect/method/third-party.ts";
import type { RecentEvents } from "../detect/recent.ts";
import type { Json, LogEvent } from "../event/event.ts";
import type { EventReader, MadeFrom } from "../event/made.ts";
import { type Suppression, ruleEvent, suppressorOf } from "../rule/guards.ts";
import { type Rule, type RuleCase, type Severity, severityNumber } from "../rule/rule.ts";
import { MergedEvents } from "./merge.ts";
import { type CriticalAsset, signalSeverity } from "./severity.ts";
import type { Signal } from "./signal.ts";
import { renderTemplate } from "./template.ts";
import { travelAttributes } from "./travel.ts";

/** Samples kept at each end of a signal. */
const SAMPLES = 5;
/** Events merged into a signal's attributes; those after only count. */
const MERGE_CAP = 1000;
const TAG_CAP = 100;
/** Events kept unread at most; then they are read together. */
const UNREAD_CAP = 32;
const RENDER_EVERY_MS = 10_000;
/** Signals of one key a match may still reach. */
const RECENT_SIGNALS = 8;

export interface SignalEvent {
  readonly kind: "opened" | "extended";
  readonly signal: Signal;
}

export interface SignalBookOptions {
  readonly suppressions?: readonly Suppression[];
  readonly criticalAssets?: readonly CriticalAsset[];
  readonly reader: EventReader;
  readonly onSuppressed?: (suppression: Suppression, hit: CaseHit) => void;
}

/** A matched event that nobody has looked into yet. */
interface Unread {
  readonly bytes: Uint8Array;
  readonly input: MadeFrom;
}

/**
 * A signal whose events are read when somebody asks for them: parsing costs far more than matching, and most rules need
 * nothing of an event but its samples at the end.
 */
class OpenSignal implements Signal {
  readonly id: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly ruleVersion: number;
  readonly group: Readonly<Record<string, string>>;
  readonly rule: Rule;
  readonly perQuery: number[] = [];
  caseName = "";
  severity: Severity = "info";
  firstSeenMs: number;
  lastSeenMs: number;
  eventsMatched = 0;
  title: string;
  message: string;
  renderedAtMs = Number.NEGATIVE_INFINITY;
  /** What its method says beside what its events do. */
  details: Readonly<Record<string, Json>> = {};
  readonly #reader: EventReader;
  readonly #first: Unread[] = [];
  readonly #last: Unread[] = [];
  readonly #tags = new Set<string>();
  #added = 0;
  /** Attributes are merged only where somebody may look at them. */
  readonly #merged: MergedEvents | undefined;
  readonly #unmerged: Unread[] = [];

  constructor(id: string, rule: Rule, group: Readonly<Record<string, string>>, timeMs: number, reader: EventReader, merges: boolean) {
    this.#reader = reader;
    this.#merged = merges ? new MergedEvents() : undefined;
    this.id = id;
    this.rule = rule;
    this.ruleId = rule.id;
    this.ruleName = rule.name;
    this.ruleVersion = rule.version;
    this.group = group;
    this.firstSeenMs = timeMs;
    this.lastSeenMs = timeMs;
    this.title = rule.name;
    this.message = rule.message;
  }

  add(event: Unread): void {
    this.#keepSample(event);
    if (this.#added++ >= MERGE_CAP) return;
    for (const tag of this.#reader.tags(event.bytes, event.input)) this.#keepTag(tag);
    if (!this.#merged) return;
    this.#unmerged.push(event);
    if (this.#unmerged.length >= UNREAD_CAP) this.#merge();
  }

  /** Takes over what a later signal of the same key holds. */
  absorb(other: OpenSignal): void {
    for (const event of [...other.#first, ...other.#last]) this.#keepSample(event);
    for (const tag of other.#tags) this.#keepTag(tag);
    if (this.#merged) {
      this.#merge();
      this.#merged.add(other.view());
    }
    this.eventsMatched += other.eventsMatched;
    if (other.lastSeenMs > this.lastSeenMs) this.details = other.details;
    other.perQuery.forEach((count, i) => (this.perQuery[i] = (this.perQuery[i] ?? 0) + count));
    this.lastSeenMs = Math.max(this.lastSeenMs, other.lastSeenMs);
    if (severityNumber(other.severity) > severityNumber(this.severity)) {
      this.severity = other.severity;
      this.caseName = other.caseName;
      this.title = other.title;
    }
    this.renderedAtMs = Number.NEGATIVE_INFINITY;
  }

  #keepSample(event: Unread): void {
    if (this.#first.length < SAMPLES) this.#first.push(event);
    else {
      if (this.#last.length === SAMPLES) this.#last.shift();
      this.#last.push(event);
    }
  }

  #keepTag(tag: string): void {
    if (this.#tags.size < TAG_CAP) this.#tags.add(tag);
  }

  get tags(): readonly string[] {
    return [...new Set([...this.rule.tags, ...this.#tags])];
  }

  get samples(): readonly Json[] {
    return [...this.#first, ...this.#last].map(({ bytes, input }) => this.#reader.record(bytes, input));
  }

  get samplesText(): string {
    return `[${[...this.#first, ...this.#last].map(({ bytes, input }) => this.#reader.recordText(bytes, input)).join(",")}]`;
  }

  /** The signal as an event that suppressions, critical assets and templates look at. */
  view(): LogEvent {
    this.#merge();
    const event = (this.#merged ?? new MergedEvents()).asEvent(this.group, this.tags, this.rule.name);
    return { ...event, attributes: { ...event.attributes, ...this.details } };
  }

  get latest(): LogEvent | undefined {
    this.#merge();
    return this.#merged?.latest;
  }

  #merge(): void {
    for (const { bytes, input } of this.#unmerged.splice(0)) this.#merged!.add(this.#reader.event(bytes, input));
  }
}

interface SignalKey {
  readonly text: string;
  readonly group: Readonly<Record<string, string>>;
  /** Signals that a match may still extend, by time. */
  readonly recent: OpenSignal[];
}

/** Opens and extends signals from case hits: keys, severity, suppression, samples, text. */
export class SignalBook {
  readonly signals: Signal[] = [];
  suppressed = 0;
  readonly #rules: readonly Rule[];
  readonly #ruleEvents: readonly LogEvent[];
  readonly #options: SignalBookOptions;
  readonly #recent: RecentEvents;
  readonly #profiles: readonly MadeFrom[];
  readonly #merges: readonly boolean[];
  readonly #lives: readonly LifeCycle[];
  readonly #keys = new Map<string, SignalKey>();
  /** The same by the groups of each rule: several of them may have one key. */
  readonly #keysOfGroups: ReadonlyArray<Map<string, SignalKey>>;

  constructor(rules: readonly Rule[], recent: RecentEvents, profiles: readonly MadeFrom[], options: SignalBookOptions) {
    this.#rules = rules;
    this.#ruleEvents = rules.map(ruleEvent);
    this.#keysOfGroups = rules.map(() => new Map());
    this.#recent = recent;
    this.#profiles = profiles;
    this.#options = options;
    // Suppressions, assets, the environment's decrement and templates look at a signal's attributes; else nobody does.
    const looks = (options.suppressions ?? []).length > 0 || (options.criticalAssets ?? []).length > 0;
    this.#lives = rules.map((rule) => (isThirdParty(rule) ? lifeCycleOf(rule) : rule.options));
    this.#merges = rules.map((rule) => looks || rule.options.decreaseCriticalityBasedOnEnv || rule.message.includes("{{") || isThirdParty(rule));
  }

  /** Open or extend; undefined when a suppression ate the hit. */
  apply(hit: CaseHit): SignalEvent | undefined {
    const rule = this.#rules[hit.ruleIndex]!;
    const { text: key, group, recent } = this.#keyOf(rule, hit);
    const known = this.#join(hit.ruleIndex, recent, hit.timeMs);
    const extending = known !== undefined;
    const signal = known ?? new OpenSignal(signalId(rule, key, hit, this.#recent.eventNumber(hit.slot)), rule, group, hit.timeMs, this.#options.reader, this.#merges[hit.ruleIndex]!);
    const events = hit.count("fresh");
    for (const slot of events.slots) {
      const bytes = this.#recent.bytes(slot);
      if (bytes) signal.add({ bytes, input: this.#profiles[this.#recent.profile(slot)]! });
    }
    if (hit.travel && this.#merges[hit.ruleIndex]) signal.details = { impossible_travel: travelAttributes(hit.travel, (slot) => this.#eventAt(slot)) };
    const suppressor = this.#suppressorOf(hit, signal);
    if (suppressor) {
      this.suppressed++;
      this.#options.onSuppressed?.(suppressor, hit);
      return undefined;
    }
    signal.eventsMatched += events.total;
    events.perQuery.forEach((count, i) => (signal.perQuery[i] = (signal.perQuery[i] ?? 0) + count));
    signal.lastSeenMs = Math.max(signal.lastSeenMs, hit.timeMs);
    signal.firstSeenMs = Math.min(signal.firstSeenMs, hit.timeMs);
    this.#raise(hit, signal, extending);
    if (!extending) {
      // By time; the oldest leave, since no late match reaches them any more.
      recent.push(signal);
      recent.sort((x, y) => x.firstSeenMs - y.firstSeenMs);
      if (recent.length > RECENT_SIGNALS) recent.shift();
      this.signals.push(signal);
    }
    this.#render(hit, signal);
    return { kind: extending ? "extended" : "opened", signal };
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
      const text = JSON.stringify([hit.ruleIndex, ...(isThirdParty(rule) ? [hit.groupKey] : Object.entries(group).flat())]);
      key = this.#keys.get(text) ?? { text, group, recent: [] };
      this.#keys.set(text, key);
      ofGroups.set(groupKey, key);
    }
    return key;
  }

  #suppressorOf(hit: CaseHit, signal: OpenSignal): Suppression | undefined {
    const suppressions = this.#options.suppressions ?? [];
    return suppressions.length ? suppressorOf(suppressions, this.#ruleEvents[hit.ruleIndex]!, signal.view(), hit.timeMs) : undefined;
  }

  /** The signal a match at this time belongs to. A late match that lies between two makes them one, as it would have in order. */
  #join(ruleIndex: number, recent: OpenSignal[], timeMs: number): OpenSignal | undefined {
    const { keepAliveMs, maxSignalDurationMs } = this.#lives[ruleIndex]!;
    const fitting = recent.filter((signal) =>
      timeMs - signal.lastSeenMs < keepAliveMs && signal.firstSeenMs - timeMs < keepAliveMs &&
      Math.max(signal.lastSeenMs, timeMs) - Math.min(signal.firstSeenMs, timeMs) <= maxSignalDurationMs);
    const [first, ...others] = fitting;
    for (const other of others) {
      if (other.lastSeenMs - Math.min(first!.firstSeenMs, timeMs) > maxSignalDurationMs) break;
      first!.absorb(other);
      recent.splice(recent.indexOf(other), 1);
      this.signals.splice(this.signals.indexOf(other), 1);
    }
    return first;
  }

  /** The highest severity so far names the case. */
  #raise(hit: CaseHit, signal: OpenSignal, extending: boolean): void {
    const { rule } = signal;
    const each = caseOf(rule, hit.caseIndex);
    const assets = this.#options.criticalAssets ?? [];
    const looks = assets.length > 0 || rule.options.decreaseCriticalityBasedOnEnv;
    const severity = looks
      ? signalSeverity(each.severity, assets, this.#ruleEvents[hit.ruleIndex]!, signal.view(), rule.options.decreaseCriticalityBasedOnEnv)
      : each.severity;
    if (extending && severityNumber(severity) <= severityNumber(signal.severity)) return;
    signal.severity = severity;
    signal.caseName = each.name;
    signal.title = titleOf(rule, each.name, signal);
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
  return Object.fromEntries(entries.filter(([name]) => rule.groupSignalsBy.includes(name)));
}

/** The same for the same stream: rule, version, key, time of the opening match; a counter tells equal ones apart. */
function signalId(rule: Rule, key: string, hit: CaseHit, event: number): string {
  const sameMoment = rule.options.keepAliveMs === 0 ? event : 0;
  return hash("sha256", JSON.stringify([rule.id, rule.version, key.slice(key.indexOf(",")), hit.timeMs, sameMoment])).slice(0, 24);
}
