import { type Json, type LogEvent, type Queryable, reservedAttributes } from "../event/event.ts";
import type { EventReader, MadeFrom } from "../event/made.ts";
import { matches } from "../query/matches.ts";
import type { QueryNode } from "../query/tree.ts";
import { type Rule, type Severity, severityNumber } from "../rule/rule.ts";
import { type DetailPlan, type SavedDetails, SignalDetails } from "./details.ts";
import type { DocumentDetails } from "./document.ts";
import { MadeOf } from "./made-of.ts";
import type { SavedParts } from "./made-of.ts";
import { MergedEvents, type SavedMerge } from "./merge.ts";
import { sampleText } from "./sample.ts";
import type { Signal } from "./signal.ts";

/** Samples kept at each end of a signal. */
const SAMPLES = 5;
/** Events merged into a signal's attributes; those after only count. */
const MERGE_CAP = 1000;
const TAG_CAP = 100;
/** Events kept unread at most; then they are read together. */
const UNREAD_CAP = 32;

export type { SavedParts } from "./made-of.ts";

/** A signal as JSON, but for its samples and its rule. */
export interface SavedSignalHead {
  readonly shown: Pick<OpenSignal, "id" | "ruleName" | "ruleVersion" | "group" | "caseName" | "severity" | "firstSeenMs" | "lastSeenMs" | "eventsMatched" | "title" | "message" | "revision" | "details">;
  readonly perQuery: readonly number[];
  /** Absent: never. */
  readonly renderedAtMs?: number;
  readonly tags: readonly string[];
  readonly added: number;
  readonly merged?: SavedMerge;
  readonly details?: SavedDetails;
  readonly parts?: SavedParts;
}

/** A matched event that nobody has looked into yet. */
export interface Unread {
  readonly bytes: Uint8Array;
  readonly input: MadeFrom;
}

/** What a signal is made with, by its rule. */
export interface SignalPlan {
  readonly rule: Rule;
  /** May somebody look at its attributes? */
  readonly merges: boolean;
  readonly isOfSignals: boolean;
  /** Where it tells more than a printed signal does. */
  readonly details?: DetailPlan | undefined;
}

/**
 * A signal whose events are read when somebody asks for them: parsing costs far more than matching, and most rules need
 * nothing of an event but its samples at the end.
 */
export class OpenSignal implements Signal {
  readonly id: string;
  readonly ruleId: string;
  ruleName: string;
  ruleVersion: number;
  readonly group: Readonly<Record<string, string>>;
  readonly rule: Rule;
  readonly perQuery: number[] = [];
  caseName = "";
  severity: Severity = "info";
  firstSeenMs: number;
  lastSeenMs: number;
  #eventsMatched = 0;
  title: string;
  message: string;
  renderedAtMs = Number.NEGATIVE_INFINITY;
  revision = 0;
  /** What its method says beside what its events do. */
  details: Readonly<Record<string, Json>> = {};
  /** Other signals, where its rule reads signals instead of events. */
  readonly madeOf: MadeOf | undefined;
  readonly #reader: EventReader;
  readonly #first: Unread[] = [];
  readonly #last: Unread[] = [];
  readonly #tags = new Set<string>();
  #added = 0;
  /** Attributes are merged only where somebody may look at them. */
  #merged: MergedEvents | undefined;
  /** Told of where the signal is stored. */
  inDepth: SignalDetails | undefined;
  readonly #unmerged: Unread[] = [];
  /** Samples as they are stored; those of another signal are known to that one. */
  readonly #sampleTexts = new WeakMap<Unread, string>();

  constructor(id: string, { rule, merges, isOfSignals, details }: SignalPlan, group: Readonly<Record<string, string>>, timeMs: number, reader: EventReader) {
    this.#reader = reader;
    this.madeOf = isOfSignals ? new MadeOf() : undefined;
    this.#merged = merges ? new MergedEvents() : undefined;
    this.inDepth = details && new SignalDetails(details);
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
    const { tags, event: read } = this.#reader.tags(event.bytes, event.input);
    for (const tag of tags) this.#keepTag(tag);
    if (!this.#merged && !this.inDepth) return;
    if (read) {
      this.#merge();
      this.#merged?.take(read);
      this.inDepth?.add(read);
      return;
    }
    this.#unmerged.push(event);
    if (this.#unmerged.length >= UNREAD_CAP) this.#merge();
  }

  /** Events, or where it is made of signals those: what a signal counts it knows by itself. */
  get eventsMatched(): number {
    return this.madeOf?.size ?? this.#eventsMatched;
  }
  set eventsMatched(count: number) {
    this.#eventsMatched = count;
  }

  /** A signal that is part of it, and its number. */
  addSource(number: number, source: OpenSignal): void {
    if (!this.madeOf!.add(number, source) || (!this.#merged && !this.inDepth) || this.#added++ >= MERGE_CAP) return;
    this.#merge();
    this.#merged?.add(structuredClone(source.view()));
    this.#absorbDetails(source, false);
  }

  /** Takes over what a later signal of the same key holds. */
  absorb(other: OpenSignal): void {
    for (const event of [...other.#first, ...other.#last]) this.#keepSample(event);
    for (const tag of other.#tags) this.#keepTag(tag);
    this.#merge();
    this.#merged?.add(structuredClone(other.view()));
    this.#absorbDetails(other, true);
    const outranks = severityNumber(other.severity) > severityNumber(this.severity);
    if (this.inDepth && other.inDepth && (outranks || (other.severity === this.severity && other.inDepth.triggeredMs < this.inDepth.triggeredMs))) this.inDepth.takeCase(other.inDepth);
    if (this.madeOf && other.madeOf) this.madeOf.absorb(other.madeOf);
    else this.eventsMatched += other.eventsMatched;
    if (other.lastSeenMs > this.lastSeenMs) this.details = other.details;
    other.perQuery.forEach((count, i) => (this.perQuery[i] = (this.perQuery[i] ?? 0) + count));
    this.lastSeenMs = Math.max(this.lastSeenMs, other.lastSeenMs);
    if (outranks) {
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
    return [...new Set([...this.rule.tags, ...(this.madeOf?.tags(TAG_CAP) ?? this.#tags)])];
  }

  /** @param placeOf of a signal among all that are saved. */
  save(placeOf: (signal: OpenSignal) => number): { readonly head: SavedSignalHead; readonly first: readonly Unread[]; readonly last: readonly Unread[] } {
    this.#merge();
    const { id, ruleName, ruleVersion, group, caseName, severity, firstSeenMs, lastSeenMs, eventsMatched, title, message, revision, details, renderedAtMs } = this;
    const head: SavedSignalHead = {
      shown: { id, ruleName, ruleVersion, group, caseName, severity, firstSeenMs, lastSeenMs, eventsMatched, title, message, revision, details },
      perQuery: Array.from(this.perQuery, (number) => number ?? 0), ...(renderedAtMs > Number.NEGATIVE_INFINITY ? { renderedAtMs } : {}),
      tags: [...this.#tags], added: this.#added, merged: this.#merged?.save(), details: this.inDepth?.save(), parts: this.madeOf?.save(placeOf),
    };
    return { head, first: this.#first, last: this.#last };
  }

  static restore(head: SavedSignalHead, first: readonly Unread[], last: readonly Unread[], plan: SignalPlan, reader: EventReader): { readonly signal: OpenSignal; readonly parts: SavedParts | undefined } {
    const { shown, perQuery, renderedAtMs, tags, added, merged, details, parts } = head;
    const signal = new OpenSignal(shown.id, plan, shown.group, shown.firstSeenMs, reader);
    Object.assign(signal, shown);
    signal.perQuery.push(...perQuery);
    if (renderedAtMs !== undefined) signal.renderedAtMs = renderedAtMs;
    for (const tag of tags) signal.#tags.add(tag);
    signal.#added = added;
    if (merged && signal.#merged) signal.#merged = MergedEvents.restore(merged);
    if (plan.details && details) signal.inDepth = SignalDetails.restore(details, plan.details);
    // Saved by who kept none: what is known of it begins here.
    else if (signal.inDepth) {
      const caseIndex = Math.max(0, plan.rule.cases.findIndex(({ name }) => name === shown.caseName));
      signal.inDepth.takeCase({ caseIndex, triggeredMs: shown.firstSeenMs, isLowered: false });
    }
    signal.#first.push(...first);
    signal.#last.push(...last);
    return { signal, parts };
  }

  /** The first five and the last five. */
  get sampleEvents(): readonly Unread[] {
    return this.madeOf?.samples(SAMPLES) ?? [...this.#first, ...this.#last];
  }

  get samples(): readonly Json[] {
    return this.sampleEvents.map(({ bytes, input }) => this.#reader.record(bytes, input));
  }

  get samplesText(): string {
    return `[${this.sampleEvents.map(({ bytes, input }) => this.#reader.recordText(bytes, input)).join(",")}]`;
  }

  /** What is stored beside what is shown; undefined where nobody asked for it. */
  get documentDetails(): DocumentDetails | undefined {
    this.#merge();
    const { perQuery, firstSeenMs, caseName } = this;
    return this.inDepth?.document({ perQuery, firstSeenMs, caseName, isWhole: this.#added <= MERGE_CAP && !this.madeOf });
  }

  /** Its samples as they are stored, a list as JSON text. */
  get documentSamples(): string {
    return `[${this.sampleTexts.join(",")}]`;
  }

  get sampleTexts(): readonly string[] {
    return this.madeOf?.sampleTexts(SAMPLES) ?? [...this.#first, ...this.#last].map((each) => this.#sampleText(each));
  }

  /** A second one with the same events, to see what others would make of it; without samples. */
  copy(): OpenSignal {
    this.#merge();
    const copy = new OpenSignal(this.id, { rule: this.rule, merges: this.#merged !== undefined, isOfSignals: this.madeOf !== undefined }, this.group, this.firstSeenMs, this.#reader);
    copy.severity = this.severity;
    copy.details = this.details;
    for (const tag of this.#tags) copy.#tags.add(tag);
    copy.#added = this.#added;
    copy.#merged = this.#merged?.copy();
    if (this.madeOf) copy.madeOf!.absorb(this.madeOf);
    return copy;
  }

  /** The signal as an event that templates look at: of several hosts the first. Good until the signal hears of another event. */
  view(): LogEvent {
    this.#merge();
    const event = (this.#merged ?? new MergedEvents()).asEvent(this.group, this.tags, this.rule.name);
    return { ...event, attributes: { ...event.attributes, ...this.details } };
  }

  /** The signal as queries see it: all of its hosts, its own severity, its group among its tags. */
  asked(status: Severity = this.severity): Queryable {
    const view = this.view();
    const all = (name: "host" | "service" | "source"): readonly string[] | undefined => (Object.hasOwn(this.group, name) ? [this.group[name]!] : this.#merged?.reserved(name));
    const grouped = Object.entries(this.group).flatMap(([name, value]) => (name.startsWith("@") || isReserved(name) ? [] : [`${name}:${value}`]));
    return { ...view, host: all("host"), service: all("service"), source: all("source"), status, tags: [...new Set([...(view.tags ?? []), ...grouped])] };
  }

  /** The signal as an event that a search over signals looks at. */
  searched(): Queryable {
    const view = this.asked();
    const { id, name, type, version } = this.rule;
    const workflow = { ...(view.attributes?.workflow as { [name: string]: Json } | undefined), rule: { id, name, type, version }, triage: { state: "open" } };
    return { ...view, timestamp: this.firstSeenMs, attributes: { ...view.attributes, workflow } };
  }

  /** Those of its samples that a query takes. */
  samplesOf(node: QueryNode): LogEvent[] {
    return this.sampleEvents.map(({ bytes, input }) => this.#reader.event(bytes, input)).filter((event) => matches(node, event));
  }

  get latest(): LogEvent | undefined {
    this.#merge();
    return this.#merged?.latest;
  }

  #merge(): void {
    for (const { bytes, input } of this.#unmerged.splice(0)) {
      const event = this.#reader.event(bytes, input);
      // Before anybody keeps the event's parts for their own.
      this.inDepth?.add(event);
      this.#merged?.add(event);
    }
  }

  #absorbDetails(other: OpenSignal, isSameRule: boolean): void {
    if (!this.inDepth || !other.inDepth) return;
    other.#merge();
    this.inDepth.absorb(other.inDepth, isSameRule);
  }

  #sampleText(sample: Unread): string {
    let text = this.#sampleTexts.get(sample);
    if (text === undefined) this.#sampleTexts.set(sample, (text = sampleText(this.#reader.event(sample.bytes, sample.input), sample.bytes, this.rule)));
    return text;
  }
}

function isReserved(name: string): boolean {
  return (reservedAttributes as readonly string[]).includes(name);
}
