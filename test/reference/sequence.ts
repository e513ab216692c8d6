import type { MethodEvent } from "../../host/detect/method/method.ts";
import { type ConditionNode, type Term, labelsOf } from "../../host/rule/condition.ts";
import type { Rule } from "../../host/rule/rule.ts";

export interface TwinSequenceHit {
  readonly caseIndex: number;
  readonly groupKey: string;
  readonly timeMs: number;
  readonly slot: number;
  readonly slots: readonly number[];
  readonly total: number;
  readonly perQuery: readonly number[];
}

interface Happened {
  readonly timeMs: number;
  readonly slot: number;
  /** By query: numbers, or texts of values. Undefined where the query did not match. */
  readonly values: ReadonlyArray<readonly string[] | undefined>;
}

/** A step fired: its event, the firing of the step before it, the events that made it. */
interface Fired {
  readonly at: Happened;
  readonly parent: Fired | undefined;
  readonly seen: ReadonlyArray<{ readonly query: number; readonly event: Happened }>;
}

/**
 * Sequences of one rule, slow and obvious: keeps every event for ever, and with each one plays the whole ordered stream of
 * every group anew. A match that was not there before is a hit.
 */
export class SequenceTwin {
  lateDropped = 0;
  readonly #rule: Rule;
  readonly #latenessMs: number;
  readonly #groups = new Map<string, Happened[]>();
  readonly #sharedEvents: Happened[] = [];
  readonly #isShared: readonly boolean[];
  readonly #given = new Set<string>();
  readonly #counted = new Set<string>();
  readonly #latest = new Map<string, Happened>();

  constructor(rule: Rule, latenessMs: number) {
    this.#rule = rule;
    this.#latenessMs = latenessMs;
    const grouped = rule.queries.some((query) => query.groupBy.length > 0);
    this.#isShared = rule.queries.map((query) => grouped && !query.groupBy.length);
  }

  apply(event: MethodEvent): TwinSequenceHit[] {
    if (event.timeMs < event.highMs - this.#latenessMs) {
      this.lateDropped += event.matches.length;
      return [];
    }
    const happened = (key: string | undefined): Happened => ({
      timeMs: event.timeMs, slot: event.slot,
      values: this.#rule.queries.map((_, query) => {
        const own = event.matches.filter((match) => match.queryIndex === query && (key === undefined ? this.#isShared[query] : match.groupKey === key && !this.#isShared[query]));
        return own.length ? own.flatMap((match) => (match.values.every((values) => values.length) ? [match.values.flat().join()] : [])) : undefined;
      }),
    });
    if (event.matches.some((match) => this.#isShared[match.queryIndex])) this.#sharedEvents.push(happened(undefined));
    for (const key of new Set(event.matches.filter((match) => !this.#isShared[match.queryIndex]).map((match) => match.groupKey))) {
      this.#groups.set(key, [...(this.#groups.get(key) ?? []), happened(key)]);
    }
    return [...this.#groups.keys()].flatMap((key) => this.#play(key));
  }

  #play(key: string): TwinSequenceHit[] {
    const own = this.#groups.get(key)!;
    const shared = this.#sharedEvents.map((event) => {
      const same = own.find((each) => each.slot === event.slot);
      return same ? { ...event, values: event.values.map((values, query) => values ?? same.values[query]) } : event;
    });
    const events = [...own.filter((event) => !shared.some((each) => each.slot === event.slot)), ...shared].toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
    const { method } = this.#rule.options;
    if (method.kind !== "sequence_detection") throw new Error("not a sequence rule");
    const usableMs = method.steps.map((step, i) => method.transitionMs[i] ?? step.windowMs);
    const fired: Fired[][] = method.steps.map(() => []);
    const hits: TwinSequenceHit[] = [];
    for (const event of events) {
      for (let i = method.steps.length - 1; i >= 0; i--) {
        const one = this.#fire(i, event, events, fired[i - 1]?.filter((each) => event.timeMs - each.at.timeMs <= usableMs[i - 1]!));
        if (!one) continue;
        fired[i]!.push(one);
        const usable = fired[i]!.filter((each) => event.timeMs - each.at.timeMs <= usableMs[i]!);
        if (usable.length > 64) fired[i]!.splice(fired[i]!.indexOf(usable[1]!), 1);
        if (i === method.steps.length - 1) hits.push(...this.#hit(key, one));
      }
    }
    return hits;
  }

  #fire(index: number, event: Happened, events: readonly Happened[], parents: readonly Fired[] | undefined): Fired | undefined {
    const { method } = this.#rule.options;
    if (method.kind !== "sequence_detection") throw new Error("not a sequence rule");
    const step = method.steps[index]!;
    const labels = this.#rule.queries.map((query) => query.label);
    const named = labelsOf(step.condition!.first).map((label) => labels.indexOf(label));
    if (!named.some((query) => event.values[query])) return undefined;
    const inWindow = events.filter((each) => !isBefore(event, each) && (step.windowMs === 0 ? each === event : each.timeMs > event.timeMs - step.windowMs));
    const parent = parents?.find((each) => isBefore(each.at, event));
    if (index > 0 && !parent) return undefined;
    // Shared events begin nothing where the group has none of its own.
    if (index === 0 && !inWindow.some((each) => each.values.some((values, query) => values && !this.#isShared[query]))) return undefined;
    const counted = inWindow.filter((each) => !parent || isBefore(parent.at, each));
    const value = (query: number): number => this.#aggregate(query, counted.flatMap((each) => (each.values[query] ? [each.values[query]] : [])));
    if (!holds(step.condition!.first, labels, value)) return undefined;
    return { at: event, parent, seen: counted.flatMap((each) => named.flatMap((query) => (each.values[query] ? [{ query, event: each }] : []))) };
  }

  #aggregate(query: number, values: ReadonlyArray<readonly string[]>): number {
    switch (this.#rule.queries[query]!.aggregation) {
      case "cardinality":
        return new Set(values.flat()).size;
      case "sum":
        return values.flat().reduce((sum, value) => sum + Number(value), 0);
      case "max":
        return values.flat().length ? Math.max(...values.flat().map(Number)) : 0;
      default:
        return values.length;
    }
  }

  #hit(key: string, fired: Fired): TwinSequenceHit[] {
    const name = `${key} ${fired.at.slot}`;
    if (this.#given.has(name)) return [];
    this.#given.add(name);
    const chain: Fired[] = [];
    for (let each: Fired | undefined = fired; each; each = each.parent) chain.push(each);
    const latest = this.#latest.get(key);
    const fresh = chain.flatMap((each) => each.seen).filter(({ query, event }) =>
      this.#isShared[query] ? !latest || isBefore(latest, event) : !this.#counted.has(`${key} ${query} ${event.slot}`));
    // An event that is fresh for one of its queries is so for all.
    const freshSlots = new Set(fresh.map(({ event }) => event.slot));
    const all = chain.flatMap((each) => each.seen).filter(({ event }) => freshSlots.has(event.slot));
    for (const { query, event } of all) this.#counted.add(`${key} ${query} ${event.slot}`);
    if (!latest || isBefore(latest, fired.at)) this.#latest.set(key, fired.at);
    const events = [...new Map(all.map(({ event }) => [event.slot, event])).values()].toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
    const perQuery = this.#rule.queries.map((_, query) => new Set(all.filter((each) => each.query === query).map((each) => each.event.slot)).size);
    return [{ caseIndex: 0, groupKey: key, timeMs: fired.at.timeMs, slot: fired.at.slot, slots: events.map((event) => event.slot), total: events.length, perQuery }];
  }
}

function isBefore(a: { readonly timeMs: number; readonly slot: number }, b: { readonly timeMs: number; readonly slot: number }): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.slot < b.slot);
}

function holds(node: ConditionNode, labels: readonly string[], value: (query: number) => number): boolean {
  if (node.kind !== "compare") {
    const parts = node.nodes.map((child) => holds(child, labels, value));
    return node.kind === "and" ? !parts.includes(false) : parts.includes(true);
  }
  const of = (term: Term): number => term.factor * value(labels.indexOf(term.label));
  const right = typeof node.right === "number" ? node.right : of(node.right);
  return { ">": of(node.left) > right, ">=": of(node.left) >= right, "<": of(node.left) < right, "<=": of(node.left) <= right }[node.op];
}
