import type { Field } from "../query/tree.ts";
import { type Severity, severities } from "../rule/rule.ts";
import { type EntityType, entityTypes } from "../signal-model/entities.ts";
import { riskSeverity } from "../signal-model/risk.ts";
import { type Bits, andBits, hasBit, noBits, setBit } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import { EntityQuery } from "./entity-query.ts";
import type { EntitiesQuestion, EntityPage, EntityRow, EntitySortField } from "./entity-rows.ts";
import type { EntityTable } from "./entity-table.ts";
import { fieldColumn } from "./field-column.ts";
import { FirstFew } from "./first-few.ts";
import { attribute } from "./risk-rows.ts";
import type { SignalIndex } from "./signal-index.ts";

/** Values of one kind that a row tells of an entity's signals. */
const MOST_VALUES = 20;
const tag = (key: string): Field => ({ kind: "tag", key });
const reserved = (name: "source" | "service"): Field => ({ kind: "reserved", name });
const facts = {
  sources: reserved("source"), services: reserved("service"), environments: tag("env"), accounts: attribute("workflow.awsAccount"), tactics: tag("tactic"), techniques: tag("technique"),
} as const satisfies Readonly<Record<string, Field>>;

/** Entities with a score above 0, in an order; and how many there are of each kind. */
export function entityPage(index: SignalIndex, table: EntityTable, { fromMs, node, sort, offset, limit }: EntitiesQuestion, deadline: Deadline): EntityPage {
  let found = noBits(table.count);
  for (let entity = 0; entity < table.count; entity++) if (table.score[entity]! > 0 && (fromMs === undefined || table.contributedMs[entity]! >= fromMs)) setBit(found, entity);
  if (node) found = andBits(found, new EntityQuery(index, table, found, deadline).matching(node));
  const few = new FirstFew(offset + limit, orderOf(index, table, sort));
  const byType: Partial<Record<EntityType, number>> = {};
  const bySeverity = Object.fromEntries(severities.map((severity) => [severity, 0])) as Record<Severity, number>;
  let total = 0;
  for (let entity = 0; entity < table.count; entity++) {
    if (!hasBit(found, entity)) continue;
    deadline.tick();
    total++;
    const { type } = table.risk.nameOf(entity);
    byType[type] = (byType[type] ?? 0) + 1;
    bySeverity[riskSeverity(table.score[entity]!)]++;
    few.add(entity);
  }
  deadline.check();
  return { rows: entityRows(index, table, few.take().slice(offset)), total, byType, bySeverity };
}

function orderOf(index: SignalIndex, table: EntityTable, { field, descending }: { readonly field: EntitySortField; readonly descending: boolean }): (a: number, b: number) => number {
  const key = keyOf(index, table, field);
  // Those that are alike in it follow by score, then by name, whichever way the order goes.
  return (a, b) => (descending ? -1 : 1) * key(a, b) || table.score[b]! - table.score[a]! || table.risk.compareNames(a, b);
}

function keyOf(index: SignalIndex, table: EntityTable, field: EntitySortField): (a: number, b: number) => number {
  const by = (of: (entity: number) => number): ((a: number, b: number) => number) => (a, b) => of(a) - of(b);
  switch (field) {
    case "score":
      return by((entity) => table.score[entity]!);
    case "change":
      return by((entity) => table.score[entity]! - table.before[entity]!);
    case "signals":
      return by((entity) => table.signals(entity));
    case "updated":
      return by((entity) => table.updatedMs[entity]!);
    case "type":
      return by((entity) => entityTypes.indexOf(table.risk.nameOf(entity).type));
    case "value":
      return (a, b) => compareTexts(table.risk.nameOf(a).value, table.risk.nameOf(b).value);
    case "first_seen":
    case "last_seen": {
      const seen = new Seen(index, table);
      return by((entity) => (field === "first_seen" ? seen.firstMs : seen.lastMs)[entity]!);
    }
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** First and last event of the signals of the window, by entity. */
class Seen {
  readonly firstMs: Float64Array;
  readonly lastMs: Float64Array;

  /** @param wanted undefined: all */
  constructor(index: SignalIndex, table: EntityTable, wanted?: Bits) {
    this.firstMs = new Float64Array(table.count).fill(Number.POSITIVE_INFINITY);
    this.lastMs = new Float64Array(table.count).fill(Number.NEGATIVE_INFINITY);
    const [rows, entities] = pairsOf(table, wanted);
    eachTime(index, "workflow.first_seen", rows, (i, ms) => (this.firstMs[entities[i]!] = Math.min(this.firstMs[entities[i]!]!, ms)));
    eachTime(index, "workflow.last_seen", rows, (i, ms) => (this.lastMs[entities[i]!] = Math.max(this.lastMs[entities[i]!]!, ms)));
  }
}

/** Calls for each of the rows, which ascend and repeat, with a time it has. */
function eachTime(index: SignalIndex, path: string, rows: Uint32Array, take: (i: number, ms: number) => void): void {
  const column = fieldColumn(index, attribute(path));
  let [last, ms] = [-1, Number.NaN];
  column?.each(rows, (i, code) => {
    if (code < 0) return;
    if (code !== last) [last, ms] = [code, Date.parse(column.dictionary.text(code))];
    take(i, ms);
  });
}

/** Rows of the window, as the index numbers them, and whose they are; ascending by row. */
function pairsOf(table: EntityTable, wanted: Bits | undefined): readonly [rows: Uint32Array, entities: Uint32Array] {
  const { rows: all, pairs, pairRows, pairEntities } = table.risk;
  const [rows, entities] = [new Uint32Array(pairs), new Uint32Array(pairs)];
  let length = 0;
  for (let i = 0; i < pairs; i++) {
    const [row, entity] = [pairRows[i]!, pairEntities[i]!];
    if ((wanted && !hasBit(wanted, entity)) || !table.isInWindow(row)) continue;
    rows[length] = all[row]!;
    entities[length++] = entity;
  }
  return [rows.subarray(0, length), entities.subarray(0, length)];
}

/** Everything a list shows of some entities. */
export function entityRows(index: SignalIndex, table: EntityTable, entities: readonly number[]): EntityRow[] {
  if (!entities.length) return [];
  const wanted = noBits(table.count);
  for (const entity of entities) setBit(wanted, entity);
  const [rows, owners] = pairsOf(table, wanted);
  const seen = new Seen(index, table, wanted);
  const latest = new Map<number, number>();
  for (const [i, entity] of owners.entries()) {
    const known = latest.get(entity);
    if (known === undefined || isLater(index, rows[i]!, known)) latest.set(entity, rows[i]!);
  }
  const valuesOf = Object.fromEntries(Object.entries(facts).map(([name, field]) => [name, commonest(index, field, rows, owners)])) as Record<keyof typeof facts, (entity: number) => string[]>;
  const titles = fieldColumn(index, attribute("title"));
  return entities.map((entity): EntityRow => {
    const [score, row, updatedMs] = [table.score[entity]!, latest.get(entity), table.updatedMs[entity]!];
    return {
      ...table.risk.nameOf(entity), score, severity: riskSeverity(score), change: score - table.before[entity]!, updatedMs: Number.isFinite(updatedMs) ? updatedMs : undefined,
      firstSeenMs: seen.firstMs[entity]!, lastSeenMs: seen.lastMs[entity]!, signals: table.signals(entity), contributing: table.contributing[entity]!, signalCounts: table.signalCounts(entity),
      sources: valuesOf.sources(entity), services: valuesOf.services(entity), environments: valuesOf.environments(entity), accounts: valuesOf.accounts(entity),
      tactics: valuesOf.tactics(entity), techniques: valuesOf.techniques(entity), lastTitle: (row === undefined || !titles ? undefined : textAt(titles, row)) ?? "",
    };
  });
}

/** Of two signals the one created later; of two of the same millisecond the one whose id is greater. */
export function isLater(index: SignalIndex, row: number, other: number): boolean {
  const difference = index.times[row]! - index.times[other]!;
  return difference > 0 || (difference === 0 && index.ids.compareTexts(index.rowIds[row]!, index.rowIds[other]!) > 0);
}

/** The first value a row has. */
export function textAt(column: NonNullable<ReturnType<typeof fieldColumn>>, row: number): string | undefined {
  const [start, end] = column.spanOf(row);
  return start === end ? undefined : column.dictionary.text(column.codes[start]!);
}

/** For each entity the values of its rows, those of most rows first. */
function commonest(index: SignalIndex, field: Field, rows: Uint32Array, owners: Uint32Array): (entity: number) => string[] {
  const column = fieldColumn(index, field);
  if (!column) return () => [];
  const counts = new Map<number, Map<number, number>>();
  column.each(rows, (i, code) => {
    if (code < 0) return;
    let own = counts.get(owners[i]!);
    if (!own) counts.set(owners[i]!, (own = new Map()));
    own.set(code, (own.get(code) ?? 0) + 1);
  });
  const texts = column.dictionary;
  return (entity) => [...(counts.get(entity) ?? [])].sort(([a, x], [b, y]) => y - x || texts.compareTexts(a, b)).slice(0, MOST_VALUES).map(([code]) => texts.text(code));
}
