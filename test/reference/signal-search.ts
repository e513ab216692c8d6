import type { Queryable } from "../../host/event/event.ts";
import { matches } from "../../host/query/matches.ts";
import type { Field, QueryNode } from "../../host/query/tree.ts";
import { type Scalar, valuesOf } from "../../host/query/values.ts";

/** A signal as an object, with nothing made ready to be searched. */
export interface PlainSignal {
  readonly id: string;
  readonly timestampMs: number;
  readonly event: Queryable;
}

export interface PlainScope {
  readonly node: QueryNode;
  readonly restrict?: readonly QueryNode[];
  readonly fromMs?: number;
  readonly toMs?: number;
}

const ranks: Readonly<Record<string, readonly string[]>> = { status: ["info", "low", "medium", "high", "critical"], state: ["open", "under_review", "archived"] };

/** Signals searched one by one: slow and obvious, what the columns are held against. */
export function selected(signals: readonly PlainSignal[], { node, restrict, fromMs, toMs }: PlainScope): PlainSignal[] {
  return signals.filter(({ event, timestampMs }) =>
    matches(node, event) && (!restrict || restrict.some((each) => matches(each, event))) && (fromMs === undefined || timestampMs >= fromMs) && (toMs === undefined || timestampMs < toMs));
}

function compareScalars(a: Scalar, b: Scalar, order: readonly string[] | undefined): number {
  if (order) return order.indexOf(String(a)) - order.indexOf(String(b));
  const kinds = ["number", "boolean", "string"];
  if (typeof a !== typeof b) return kinds.indexOf(typeof a) - kinds.indexOf(typeof b);
  if (typeof a === "number") return a - (b as number);
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

/** All ids in order: by time, or by a field; those without a value last, ties by id. */
export function sorted(signals: readonly PlainSignal[], field: Field | undefined, descending: boolean): string[] {
  const sign = descending ? -1 : 1;
  const order = field?.kind === "reserved" && field.name === "status" ? ranks.status : field?.kind === "attribute" && field.path.at(-1) === "state" ? ranks.state : undefined;
  const keyed = signals.map((signal) => {
    const values = field ? valuesOf(field, signal.event).toSorted((a, b) => sign * compareScalars(a, b, order)) : [signal.timestampMs];
    return { id: signal.id, value: values[0] };
  });
  keyed.sort((a, b) => {
    if (a.value === undefined || b.value === undefined) {
      if (a.value !== b.value) return a.value === undefined ? 1 : -1;
    } else {
      const compared = compareScalars(a.value, b.value, order);
      if (compared !== 0) return sign * compared;
    }
    return sign * Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
  });
  return keyed.map(({ id }) => id);
}

/** Distinct values of a field, typed. */
export function distinctOf(signal: PlainSignal, field: Field): Scalar[] {
  return [...new Set(valuesOf(field, signal.event))];
}

export function facet(signals: readonly PlainSignal[], field: Field): { readonly counts: Map<Scalar, number>; readonly missing: number } {
  const counts = new Map<Scalar, number>();
  let missing = 0;
  for (const signal of signals) {
    const values = distinctOf(signal, field);
    if (values.length === 0) missing++;
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return { counts, missing };
}

/** The signals of each combination of values, by its JSON; a signal without a value of a field is in none. */
export function groups(signals: readonly PlainSignal[], fields: readonly Field[]): Map<string, PlainSignal[]> {
  const found = new Map<string, PlainSignal[]>();
  const walk = (signal: PlainSignal, at: number, key: readonly string[]): void => {
    if (at === fields.length) {
      const text = JSON.stringify(key);
      found.set(text, [...(found.get(text) ?? []), signal]);
      return;
    }
    for (const value of distinctOf(signal, fields[at]!)) walk(signal, at + 1, [...key, String(value)]);
  };
  for (const signal of signals) walk(signal, 0, []);
  return found;
}

export function numbersOf(signals: readonly PlainSignal[], field: Field): number[] {
  return signals.flatMap((signal) => distinctOf(signal, field).map(Number).filter((number) => !Number.isNaN(number)));
}

/** By nearest rank. */
export function percentile(numbers: readonly number[], share: number): number | null {
  if (numbers.length === 0) return null;
  return numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * numbers.length) - 1)]!;
}
