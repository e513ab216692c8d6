import type { CaseHit, HitEvents } from "../detect/hit.ts";
import { CorrelationDetector } from "../detect/method/correlation.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodHit, MethodMatch } from "../detect/method/method.ts";
import { SequenceDetector } from "../detect/method/sequence.ts";
import type { Queryable } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import type { Field } from "../query/tree.ts";
import { valuesOf } from "../query/values.ts";
import type { Rule, RuleQuery } from "../rule/rule.ts";
import { isOnSignals, signalSources } from "../rule/signal-source.ts";
import { idleReason } from "../rule/standing.ts";
import type { BookChange, SignalBook } from "./book.ts";
import type { OpenSignal } from "./open-signal.ts";

/** Groups one signal may belong to. */
const COMBINATIONS = 32;

/** A rule that reads signals. */
interface Reader {
  readonly ruleIndex: number;
  readonly rule: Rule;
  readonly detector: MethodDetector;
}

/** A signal that some rule reads. */
interface Heard {
  readonly signal: OpenSignal;
  timeMs: number;
  /** What it is to each reader; its group is that of its opening. */
  readonly matches: ReadonlyMap<Reader, readonly MethodMatch[]>;
}

/**
 * Rules that read signals: each signal is an event to them when it opens, at its first match. What they open is read in turn,
 * after everyone has read what came before; rules feed each other in no circle, so this ends.
 *
 * Where the first match of a signal moves, or the signal becomes part of another, counting rules are told; sequences keep to
 * what they were told first.
 */
export class SignalReaders {
  readonly #readers: readonly Reader[];
  readonly #sources: ReadonlyMap<RuleQuery, ReadonlySet<Rule>>;
  readonly #book: SignalBook;
  readonly #onChange: (change: BookChange) => void;
  /** By number: the order in which they opened. */
  readonly #heard: Heard[] = [];
  readonly #numbers = new Map<OpenSignal, number>();
  readonly #queue: BookChange[] = [];
  readonly #sourceOf = (number: number): OpenSignal => this.#heard[number]!.signal;

  /** @param onChange hears what the readers' own signals do. */
  constructor(rules: readonly Rule[], book: SignalBook, onChange: (change: BookChange) => void) {
    this.#sources = signalSources(rules);
    this.#book = book;
    this.#onChange = onChange;
    this.#readers = rules.flatMap((rule, ruleIndex) => {
      if (!isOnSignals(rule) || idleReason(rule) !== undefined) return [];
      // Nothing is late: whose event was in time, its signal is.
      const detector = rule.options.method.kind === "sequence_detection" ? new SequenceDetector(rule, { allowedLatenessMs: Number.POSITIVE_INFINITY }) : new CorrelationDetector(rule);
      return [{ ruleIndex, rule, detector }];
    });
  }

  get isIdle(): boolean {
    return this.#readers.length === 0;
  }

  counts(): MethodCounts {
    const sum = { groups: 0, stateBytes: 0, lateDropped: 0, evicted: 0 };
    for (const { detector } of this.#readers) {
      const counts = detector.counts();
      sum.groups += counts.groups;
      sum.stateBytes += counts.stateBytes;
      sum.evicted += counts.evicted;
    }
    return sum;
  }

  /** The detector of a rule that reads signals. */
  detector(ruleIndex: number): MethodDetector | undefined {
    return this.#readers.find((reader) => reader.ruleIndex === ruleIndex)?.detector;
  }

  /** Signals that some rule has read, in the order in which they opened. */
  get heard(): OpenSignal[] {
    return this.#heard.map(({ signal }) => signal);
  }

  isHeard(signal: OpenSignal): boolean {
    return this.#numbers.has(signal);
  }

  /** What was read, signals by their places among all that are saved. */
  save(places: ReadonlyMap<OpenSignal, number>): SavedHeard[] {
    return this.#heard.map(({ signal, timeMs, matches: found }) => ({
      place: places.get(signal)!, timeMs, isGone: !this.#numbers.has(signal),
      matches: [...found].map(([{ ruleIndex }, own]) => [ruleIndex, own.map(({ queryIndex, groupKey, group, values }) => ({ queryIndex, groupKey, group, values }))]),
    }));
  }

  /** @param ruleOf number of the rule now; undefined where it is another by now. */
  restore(saved: readonly SavedHeard[], places: ReadonlyMap<number, OpenSignal>, ruleOf: (ruleIndex: number) => number | undefined): void {
    for (const { place, timeMs, isGone, matches: found } of saved) {
      const signal = places.get(place);
      const own = found.flatMap(([before, each]): Array<[Reader, MethodMatch[]]> => {
        const reader = this.#readers.find(({ ruleIndex }) => ruleIndex === ruleOf(before));
        return reader && signal ? [[reader, each.map((match) => ({ ...match, number: Number.NaN }))]] : [];
      });
      // Numbers are places in this list: one that nobody reads any more keeps its own.
      const number = this.#heard.push({ signal: signal!, timeMs, matches: new Map(own) }) - 1;
      if (signal && own.length && !isGone) this.#numbers.set(signal, number);
    }
  }

  hear(change: BookChange): void {
    this.#queue.push(change);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#hearOne(next);
  }

  #hearOne({ kind, signal, firstSeenBeforeMs, gone = [] }: BookChange): void {
    for (const each of gone) {
      const number = this.#numbers.get(each);
      if (number === undefined) continue;
      this.#withdraw(number);
      for (const [{ ruleIndex }, own] of this.#heard[number]!.matches) for (const { groupKey } of own) this.#book.forget(ruleIndex, groupKey, number);
      this.#numbers.delete(each);
    }
    const number = this.#numbers.get(signal);
    if (kind === "opened") this.#open(signal);
    else if (number !== undefined && firstSeenBeforeMs !== undefined) this.#move(number, signal.firstSeenMs);
  }

  #open(signal: OpenSignal): void {
    const found = new Map<Reader, readonly MethodMatch[]>();
    for (const reader of this.#readers) {
      const own = reader.rule.queries.flatMap((query, i) => (this.#sources.get(query)!.has(signal.rule) ? matchesOf(query, i, signal) : []));
      if (own.length) found.set(reader, own);
    }
    if (!found.size) return;
    const number = this.#heard.push({ signal, timeMs: signal.firstSeenMs, matches: found }) - 1;
    this.#numbers.set(signal, number);
    this.#apply(number);
  }

  #move(number: number, timeMs: number): void {
    const heard = this.#heard[number]!;
    for (const reader of heard.matches.keys()) {
      if (!(reader.detector instanceof CorrelationDetector)) continue;
      const gone: Array<readonly [groupKey: string, slot: number]> = [];
      const { onHit } = this.#ears(reader);
      reader.detector.withdraw(this.#eventAt(number, reader, heard.timeMs), onHit, (groupKey, slot) => gone.push([groupKey, slot]));
      reader.detector.apply(this.#eventAt(number, reader, timeMs), (hit) => {
        // What holds again is not gone.
        const at = gone.findIndex(([groupKey, slot]) => groupKey === hit.groupKey && slot === hit.slot);
        if (at >= 0) gone.splice(at, 1);
        onHit(hit);
      }, (groupKey, slot) => gone.push([groupKey, slot]));
      for (const [groupKey, slot] of gone) this.#retract(reader, groupKey, slot);
    }
    heard.timeMs = timeMs;
  }

  #withdraw(number: number): void {
    const heard = this.#heard[number]!;
    for (const reader of heard.matches.keys()) {
      if (!(reader.detector instanceof CorrelationDetector)) continue;
      const { onHit, onGone } = this.#ears(reader);
      reader.detector.withdraw(this.#eventAt(number, reader, heard.timeMs), onHit, onGone);
    }
  }

  #apply(number: number): void {
    const heard = this.#heard[number]!;
    for (const reader of heard.matches.keys()) {
      const { onHit, onGone } = this.#ears(reader);
      const event = this.#eventAt(number, reader, heard.timeMs);
      if (reader.detector instanceof CorrelationDetector) reader.detector.apply(event, onHit, onGone);
      else reader.detector.apply(event, onHit);
    }
  }

  #eventAt(number: number, reader: Reader, timeMs: number): MethodEvent {
    return { timeMs, highMs: timeMs, slot: number, matches: this.#heard[number]!.matches.get(reader)! };
  }

  #ears(reader: Reader): { readonly onHit: (hit: MethodHit) => void; readonly onGone: (groupKey: string, slot: number) => void } {
    return {
      onHit: (hit) => this.#note(this.#book.apply(new SignalHit(reader.ruleIndex, hit), this.#sourceOf)),
      onGone: (groupKey, slot) => this.#retract(reader, groupKey, slot),
    };
  }

  #retract(reader: Reader, groupKey: string, slot: number): void {
    this.#note(this.#book.retract(reader.ruleIndex, groupKey, slot));
  }

  #note(change: BookChange | undefined): void {
    if (!change) return;
    this.#onChange(change);
    this.#queue.push(change);
  }
}

/** A signal that was read, as JSON. */
export interface SavedHeard {
  readonly place: number;
  readonly timeMs: number;
  readonly isGone: boolean;
  readonly matches: ReadonlyArray<readonly [ruleIndex: number, matches: ReadonlyArray<Omit<MethodMatch, "number">>]>;
}

/** A hit of a rule that reads signals; its slots are numbers of signals. */
class SignalHit implements CaseHit {
  readonly ruleIndex: number;
  readonly caseIndex: number;
  readonly group: readonly string[];
  readonly groupKey: string;
  readonly timeMs: number;
  readonly slot: number;
  readonly #fresh: HitEvents;
  readonly #all: HitEvents;

  constructor(ruleIndex: number, { caseIndex, group, groupKey, timeMs, slot, slots, perQuery, total, all }: MethodHit) {
    this.ruleIndex = ruleIndex;
    this.caseIndex = caseIndex;
    this.group = group;
    this.groupKey = groupKey;
    this.timeMs = timeMs;
    this.slot = slot;
    this.#fresh = { total, perQuery, slots };
    this.#all = all ?? this.#fresh;
  }

  events(which: "all" | "fresh"): HitEvents {
    return which === "all" ? this.#all : this.#fresh;
  }

  count(which: "all" | "fresh"): HitEvents {
    return this.events(which);
  }
}

/** What a signal is to a query: a match for each of its groups, and of these one for each value that is counted. */
function matchesOf(query: RuleQuery, queryIndex: number, signal: OpenSignal): MethodMatch[] {
  const event = signal.searched();
  if (!query.correlation && !matches(query.node, event)) return [];
  const fields = query.distinct.length ? query.distinct : query.metrics;
  const values = fields.map((field) => valuesOf(field, event).map(String));
  const single = query.distinct.length === 1 && values[0]!.length > 1 ? values[0]!.map((value) => [[value]]) : [values];
  return groupsOf(query, signal, event).flatMap((group) => single.map((each) => ({ queryIndex, groupKey: JSON.stringify(group), group, values: each, number: Number.NaN })));
}

function groupsOf(query: RuleQuery, signal: OpenSignal, event: Queryable): string[][] {
  return query.groupBy.reduce<string[][]>((groups, field, i) => {
    const values = groupValues(query, query.groupByNames[i]!, field, signal, event);
    const own = values.length || !query.optionalGroupBy ? values : ["N/A"];
    return groups.flatMap((group) => own.map((value) => [...group, value])).slice(0, COMBINATIONS);
  }, [[]]);
}

/** In the signal's group, its attributes, its tags; or only in what one query of its rule saw. */
function groupValues(query: RuleQuery, name: string, field: Field, signal: OpenSignal, event: Queryable): string[] {
  const only = query.correlation?.queryIndex;
  const source = only === undefined ? undefined : signal.rule.queries[only];
  if (source === undefined) {
    if (Object.hasOwn(signal.group, name)) return [signal.group[name]!];
    return unique(valuesOf(field, event));
  }
  // Queries of a rule join by position: its own name of the field stands where the first grouped query's does.
  const at = source.groupByNames.indexOf(name);
  const label = signal.rule.queries.find((each) => each.groupByNames.length)?.groupByNames[at];
  if (label !== undefined && Object.hasOwn(signal.group, label)) return [signal.group[label]!];
  return unique(signal.samplesOf(source.node).flatMap((sample) => valuesOf(field, sample)));
}

function unique(values: ReadonlyArray<string | number | boolean>): string[] {
  return [...new Set(values.map(String))];
}
