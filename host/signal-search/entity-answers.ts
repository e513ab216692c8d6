import type { Field } from "../query/tree.ts";
import { type Severity, severities } from "../rule/rule.ts";
import { type EntityType, entityTypes } from "../signal-model/entities.ts";
import { riskSeverity } from "../signal-model/risk.ts";
import { andBits, hasBit, noBits, setBit } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import { EntityQuery } from "./entity-query.ts";
import type { EntitiesQuestion, EntityPage, EntityRow, EntitySortField } from "./entity-rows.ts";
import type { EntityTable } from "./entity-table.ts";
import { fieldColumn } from "./field-column.ts";
import { FirstFew } from "./first-few.ts";
import { grown } from "./growing.ts";
import { attribute } from "./risk-rows.ts";
import type { SignalIndex } from "./signal-index.ts";
import type { Texts } from "./texts.ts";

/** Values of one kind that a row tells of an entity's signals. */
const MOST_VALUES = 20;
const FIRST_SEEN = "workflow.first_seen";
const LAST_SEEN = "workflow.last_seen";
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
  const types = new Uint32Array(entityTypes.length);
  const bySeverity = Object.fromEntries(severities.map((severity) => [severity, 0])) as Record<Severity, number>;
  let total = 0;
  for (let entity = 0; entity < table.count; entity++) {
    if (!hasBit(found, entity)) continue;
    deadline.tick();
    total++;
    types[table.risk.types[entity]!]!++;
    bySeverity[riskSeverity(table.score[entity]!)]++;
    few.add(entity);
  }
  const byType = Object.fromEntries(entityTypes.flatMap((type, i) => (types[i] ? [[type, types[i]!]] : []))) as Partial<Record<EntityType, number>>;
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
      return by((entity) => table.risk.types[entity]!);
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

  constructor(index: SignalIndex, table: EntityTable) {
    this.firstMs = new Float64Array(table.count).fill(Number.POSITIVE_INFINITY);
    this.lastMs = new Float64Array(table.count).fill(Number.NEGATIVE_INFINITY);
    const { rows: all, pairs, pairRows, pairEntities } = table.risk;
    const [first, last] = [timesOf(index, FIRST_SEEN, all), timesOf(index, LAST_SEEN, all)];
    for (let i = 0; i < pairs; i++) {
      const [row, entity] = [pairRows[i]!, pairEntities[i]!];
      if (!table.isInWindow(row)) continue;
      if (first[row]! < this.firstMs[entity]!) this.firstMs[entity] = first[row]!;
      if (last[row]! > this.lastMs[entity]!) this.lastMs[entity] = last[row]!;
    }
  }
}

/** When values of a dictionary are, in epoch ms, by code; 0 is not read yet. */
const known = new WeakMap<Texts, Float64Array>();

/** A time of each of the rows, NaN where it has none. */
function timesOf(index: SignalIndex, path: string, rows: Uint32Array): Float64Array {
  const column = fieldColumn(index, attribute(path));
  const found = new Float64Array(rows.length).fill(Number.NaN);
  if (!column) return found;
  const texts = column.dictionary;
  let times = known.get(texts) ?? new Float64Array(0);
  if (times.length <= texts.count) known.set(texts, (times = grown(times, texts.count + (texts.count >>> 3) + 16)));
  const { at, codes } = column.spread(rows);
  for (let entry = 0; entry < codes.length; entry++) {
    const code = codes[entry]!;
    if (code !== 0) found[at ? at[entry]! : entry] = times[code] ||= Date.parse(texts.text(code));
  }
  return found;
}

/** Everything a list shows of some entities. */
export function entityRows(index: SignalIndex, table: EntityTable, entities: readonly number[]): EntityRow[] {
  // Each row is looked at once, whoever of the entities it is of: first all of them together, then each entity's own by their places there.
  const own = entities.map((entity) => table.rowsOf(entity));
  const place = new Int32Array(table.risk.rows.length).fill(-1);
  for (const rows of own) for (let i = 0; i < rows.length; i++) place[rows[i]!] = 0;
  let length = 0;
  for (let i = 0; i < place.length; i++) if (place[i] === 0) place[i] = length++;
  const rows = new Uint32Array(length);
  for (const each of own) for (let i = 0; i < each.length; i++) {
    const row = each[i]!;
    rows[place[row]!] = table.risk.rows[row]!;
    each[i] = place[row]!;
  }
  const [first, last] = [timesOf(index, FIRST_SEEN, rows), timesOf(index, LAST_SEEN, rows)];
  const titles = fieldColumn(index, attribute("title"));
  const columns = Object.entries(facts).map(([name, field]) => [name, commonest(index, field, rows)] as const);
  return entities.map((entity, at): EntityRow => {
    let [firstSeenMs, lastSeenMs, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1];
    for (const i of own[at]!) {
      if (first[i]! < firstSeenMs) firstSeenMs = first[i]!;
      if (last[i]! > lastSeenMs) lastSeenMs = last[i]!;
      if (latest < 0 || isLater(index, rows[i]!, latest)) latest = rows[i]!;
    }
    const valuesOf = Object.fromEntries(columns.map(([name, of]) => [name, of(own[at]!)])) as Record<keyof typeof facts, string[]>;
    const [score, updatedMs] = [table.score[entity]!, table.updatedMs[entity]!];
    return {
      ...table.risk.nameOf(entity), score, severity: riskSeverity(score), change: score - table.before[entity]!, updatedMs: Number.isFinite(updatedMs) ? updatedMs : undefined,
      firstSeenMs, lastSeenMs, signals: table.signals(entity), contributing: table.contributing[entity]!, signalCounts: table.signalCounts(entity),
      ...valuesOf, lastTitle: (latest < 0 || !titles ? undefined : textAt(titles, latest)) ?? "",
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

/** Of some of the rows, named by their places, the values, those of most rows first. */
function commonest(index: SignalIndex, field: Field, rows: Uint32Array): (places: Uint32Array) => string[] {
  const column = fieldColumn(index, field);
  if (!column) return () => [];
  const texts = column.dictionary;
  const counts = new Uint32Array(texts.count + 1);
  const { at, codes } = column.spread(rows);
  // Where each row's values begin; one more than there are rows.
  const starts = new Uint32Array(rows.length + 1);
  for (let entry = 0; entry < codes.length; entry++) starts[(at ? at[entry]! : entry) + 1]!++;
  for (let i = 0; i < rows.length; i++) starts[i + 1]! += starts[i]!;
  return (places) => {
    const found: number[] = [];
    for (const place of places) {
      for (let entry = starts[place]!; entry < starts[place + 1]!; entry++) if (codes[entry] !== 0 && counts[codes[entry]!]!++ === 0) found.push(codes[entry]!);
    }
    const few = new FirstFew(MOST_VALUES, (a, b) => counts[b]! - counts[a]! || texts.compareTexts(a, b));
    for (const code of found) few.add(code);
    const values = few.take().map((code) => texts.text(code));
    for (const code of found) counts[code] = 0;
    return values;
  };
}
