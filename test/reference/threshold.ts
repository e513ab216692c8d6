import type { ConditionNode, Term } from "../../host/rule/condition.ts";
import { labelsOf } from "../../host/rule/condition.ts";
import type { Rule } from "../../host/rule/rule.ts";

/** What one event brings to one query and group. */
export interface TwinRecord {
  readonly queryIndex: number;
  /** Group values as one text; "" for a query without group-by. */
  readonly key: string;
  /** Distinct values, or numbers of which the first counts; empty where the event has none. */
  readonly values: readonly number[];
}

export interface TwinEvent {
  /** Place in the stream: what ties of time are ordered by. */
  readonly number: number;
  readonly timeMs: number;
  /** Highest event time of its stream so far. */
  readonly highMs: number;
  /** Of one rule. */
  readonly records: readonly TwinRecord[];
}

export interface TwinHit {
  readonly caseIndex: number;
  readonly key: string;
  readonly timeMs: number;
  readonly number: number;
  readonly all: TwinEvents;
  readonly fresh: TwinEvents;
}

export interface TwinEvents {
  readonly total: number;
  readonly perQuery: readonly number[];
  readonly numbers: readonly number[];
}

interface Entry {
  readonly number: number;
  readonly timeMs: number;
  readonly values: readonly number[];
  counted: boolean;
}
interface Place {
  readonly timeMs: number;
  readonly number: number;
}
interface Group {
  readonly key: string;
  /** By query, in order of time, ties by arrival. */
  readonly entries: Entry[][];
  lastMs: number;
  /** Events at which the side before THEN was true. */
  readonly left: Place[];
  /** Latest event of its hits: tells which events of shared queries were counted. */
  hit: Place | undefined;
}
/** Events after `afterMs` and after the left event, up to `until`. */
interface Span {
  readonly group: Group;
  readonly afterMs: number;
  readonly left: Place | undefined;
  readonly until: Place;
}

/**
 * Threshold detection of one rule, slow and obvious: keeps every event for ever and looks at all of them. The kernels are held
 * to its answers.
 */
export class ThresholdTwin {
  lateDropped = 0;
  readonly #rule: Rule;
  readonly #windowMs: number;
  readonly #latenessMs: number;
  readonly #labels: readonly string[];
  readonly #isShared: readonly boolean[];
  readonly #sharedEntries: Entry[][];
  readonly #groups = new Map<string, Group>();

  constructor(rule: Rule, latenessMs: number) {
    this.#rule = rule;
    this.#windowMs = rule.options.evaluationWindowMs;
    this.#latenessMs = latenessMs;
    this.#labels = rule.queries.map((query) => query.label);
    const grouped = rule.queries.some((query) => query.groupBy.length > 0);
    this.#isShared = rule.queries.map((query) => grouped && !query.groupBy.length);
    this.#sharedEntries = rule.queries.map(() => []);
  }

  apply(event: TwinEvent): TwinHit[] {
    if (event.timeMs < event.highMs - this.#latenessMs) {
      // Each of several distinct values is a match of its own.
      for (const { queryIndex, values } of event.records) this.lateDropped += this.#rule.queries[queryIndex]!.aggregation === "cardinality" ? Math.max(1, values.length) : 1;
      return [];
    }
    return this.#windowMs === 0 ? this.#judgeAlone(event) : this.#judgeInWindows(event);
  }

  /** The event alone: nothing is kept. */
  #judgeAlone(event: TwinEvent): TwinHit[] {
    if (this.#rule.cases[0]?.condition?.then) return [];
    const shared = event.records.filter((record) => this.#isShared[record.queryIndex]);
    const own = event.records.filter((record) => !this.#isShared[record.queryIndex]);
    return [...new Set(own.map((record) => record.key))].flatMap((key) => {
      const records = [...own.filter((record) => record.key === key), ...shared];
      const value = (query: number): number => this.#aggregate(query, records.filter((record) => record.queryIndex === query).map((record) => record.values));
      const caseIndex = this.#rule.cases.findIndex((each) => !each.condition || holds(each.condition.first, this.#labels, value));
      if (caseIndex < 0) return [];
      const perQuery = this.#labels.map((_, query) => (records.some((record) => record.queryIndex === query) ? 1 : 0));
      const events = { total: 1, perQuery, numbers: [event.number] };
      return [{ caseIndex, key, timeMs: event.timeMs, number: event.number, all: events, fresh: events }];
    });
  }

  #judgeInWindows(event: TwinEvent): TwinHit[] {
    const touched = new Set<Group>();
    let isShared = false;
    for (const { queryIndex, key, values } of event.records) {
      const entry = { number: event.number, timeMs: event.timeMs, values, counted: false };
      if (this.#isShared[queryIndex]) {
        isShared = true;
        insert(this.#sharedEntries[queryIndex]!, entry);
        continue;
      }
      const group = this.#groupOf(key, event.highMs);
      touched.add(group);
      group.lastMs = Math.max(group.lastMs, event.timeMs);
      insert(group.entries[queryIndex]!, entry);
    }
    // An event of a shared query is everybody's.
    const groups = isShared ? new Set([...touched, ...this.#groups.values()]) : touched;
    return [...groups].flatMap((group) => this.#ends(group, event).flatMap((end) => this.#judgeAt(group, end)));
  }

  #groupOf(key: string, highMs: number): Group {
    let group = this.#groups.get(key);
    if (!group) {
      group = { key, entries: this.#labels.map(() => []), lastMs: Number.NEGATIVE_INFINITY, left: [], hit: undefined };
      this.#groups.set(key, group);
    }
    if (group.lastMs <= highMs - this.#windowMs - this.#latenessMs) group.hit = undefined;
    return group;
  }

  /** The event itself and those after it whose windows it changed; under THEN also what these may change in turn. */
  #ends(group: Group, event: TwinEvent): Place[] {
    const untilMs = event.timeMs + this.#windowMs * (this.#rule.cases[0]?.condition?.then ? 2 : 1);
    const all = this.#labels.flatMap((_, query) => this.#entriesOf(group, query))
      .filter((entry) => entry.number === event.number || (isAfter(entry, event) && entry.timeMs < untilMs));
    const places = new Map(all.map((entry) => [entry.number, { timeMs: entry.timeMs, number: entry.number }]));
    // Where no event of the group's own is in the window, others' events do not have it judged.
    return [...places.values()].filter((end) => this.#hasOwn(group, end)).toSorted((a, b) => (isAfter(a, b) ? 1 : -1));
  }

  #hasOwn(group: Group, end: Place): boolean {
    return this.#labels.some((_, query) => !this.#isShared[query] && this.#inSpan(query, this.#spanAt(group, end)).length > 0);
  }

  #judgeAt(group: Group, end: Place): TwinHit[] {
    const span = this.#spanAt(group, end);
    const condition = this.#rule.cases[0]?.condition;
    if (!condition?.then) {
      const caseIndex = this.#rule.cases.findIndex((each) => !each.condition || this.#holds(each.condition.first, span));
      return caseIndex < 0 ? [] : [this.#hit(caseIndex, span, this.#labels.map((_, query) => query))];
    }
    const hits: TwinHit[] = [];
    const right = [...labelsOf(condition.then)].map((label) => this.#labels.indexOf(label));
    const left = group.left.find((place) => place.timeMs > span.afterMs);
    const isRight = right.some((query) => this.#entriesOf(group, query).some((entry) => entry.number === end.number));
    if (isRight && left && isAfter(end, left)) {
      const behind = { ...span, left };
      if (this.#holds(condition.then, behind)) hits.push(this.#hit(0, behind, right));
    }
    if (this.#holds(condition.first, span) && !group.left.some((place) => place.number === end.number)) insert(group.left, end);
    return hits;
  }

  #spanAt(group: Group, end: Place): Span {
    return { group, afterMs: end.timeMs - this.#windowMs, left: undefined, until: end };
  }

  #entriesOf(group: Group, query: number): Entry[] {
    return this.#isShared[query] ? this.#sharedEntries[query]! : group.entries[query]!;
  }

  #inSpan(query: number, span: Span): Entry[] {
    return this.#entriesOf(span.group, query).filter((entry) =>
      entry.timeMs > span.afterMs && !isAfter(entry, span.until) && (!span.left || isAfter(entry, span.left)));
  }

  #holds(node: ConditionNode, span: Span): boolean {
    return holds(node, this.#labels, (query) => this.#aggregate(query, this.#inSpan(query, span).map((entry) => entry.values)));
  }

  #aggregate(query: number, values: ReadonlyArray<readonly number[]>): number {
    switch (this.#rule.queries[query]!.aggregation) {
      case "cardinality":
        return new Set(values.flat()).size;
      case "sum":
        return values.flatMap((own) => own.slice(0, 1)).reduce((sum, value) => sum + value, 0);
      case "max":
        return values.flat().length ? Math.max(...values.flatMap((own) => own.slice(0, 1))) : 0;
      default:
        return values.length;
    }
  }

  #hit(caseIndex: number, span: Span, queries: readonly number[]): TwinHit {
    const found = queries.flatMap((query) => this.#inSpan(query, span).map((entry) => ({ query, entry, fresh: this.#isFresh(query, entry, span.group) })));
    const list = (isFresh: boolean): TwinEvents => {
      const fresh = new Set(found.filter((each) => each.fresh || !isFresh).map((each) => each.entry.number));
      const seen = found.filter((each) => fresh.has(each.entry.number));
      const events = [...new Map(seen.map(({ entry }) => [entry.number, entry])).values()].toSorted((a, b) => (isAfter(a, b) ? 1 : -1));
      const perQuery = this.#labels.map((_, query) => new Set(seen.filter((each) => each.query === query).map((each) => each.entry.number)).size);
      return { total: events.length, perQuery, numbers: events.map((event) => event.number) };
    };
    const hit = { caseIndex, key: span.group.key, timeMs: span.until.timeMs, number: span.until.number, all: list(false), fresh: list(true) };
    for (const { query, entry } of found) if (!this.#isShared[query]) entry.counted = true;
    if (!span.group.hit || isAfter(span.until, span.group.hit)) span.group.hit = span.until;
    return hit;
  }

  #isFresh(query: number, entry: Entry, group: Group): boolean {
    return this.#isShared[query] ? !group.hit || isAfter(entry, group.hit) : !entry.counted;
  }
}

function isAfter(a: Place, b: Place): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.number > b.number);
}

function insert<T extends Place>(list: T[], place: T): void {
  const at = list.findIndex((other) => isAfter(other, place));
  list.splice(at < 0 ? list.length : at, 0, place);
}

function holds(node: ConditionNode, labels: readonly string[], value: (query: number) => number): boolean {
  switch (node.kind) {
    case "and":
      return node.nodes.every((child) => holds(child, labels, value));
    case "or":
      return node.nodes.some((child) => holds(child, labels, value));
    case "compare": {
      const of = (term: Term): number => term.factor * value(labels.indexOf(term.label));
      const left = of(node.left);
      const right = typeof node.right === "number" ? node.right : of(node.right);
      return { ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right }[node.op];
    }
  }
}
