import type { Field, QueryNode } from "../query/tree.ts";
import { type Bits, andBits, countBits, noBits, orBits } from "./bits.ts";
import { Deadline } from "./deadline.ts";
import { Evaluator } from "./evaluate.ts";
import { facetQuery } from "./facets.ts";
import { fieldColumn } from "./field-column.ts";
import { FirstFew } from "./first-few.ts";
import { type Kpis, kpisOf } from "./kpis.ts";
import { type PageKey, type Sort, pageOf } from "./page.ts";
import { RiskAnswers } from "./risk-answers.ts";
import { type Rollup, type RollupBucket, rollup } from "./rollup.ts";
import { RowOrders } from "./row-orders.ts";
import type { SignalIndex } from "./signal-index.ts";

/** Which signals are asked about. Trees are canonical; times are of creation, from this one on and before that one. */
export interface Scope {
  readonly node: QueryNode;
  /** Only signals that one of these finds. Undefined: all; an empty list: none. */
  readonly restrict?: readonly QueryNode[];
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly mostMs: number;
}

export interface PageQuestion extends Scope {
  readonly sort: Sort;
  readonly limit: number;
  readonly after?: PageKey;
  /** Rows passed over. */
  readonly skip?: number;
}

export interface FoundPage {
  readonly ids: readonly string[];
  readonly last: PageKey | undefined;
  /** Of all pages together. */
  readonly count: number;
}

export interface FacetQuestion extends Scope {
  readonly facets: ReadonlyArray<{ readonly name: string; readonly field: Field }>;
  readonly limit: number;
}

export interface FacetCounts {
  readonly facet: string;
  /** Most signals first, then by value. `query` finds them. */
  readonly values: ReadonlyArray<{ readonly value: string; readonly count: number; readonly query: string }>;
  /** Distinct values there are, beyond those listed. */
  readonly distinct: number;
  /** Signals without a value. */
  readonly missing: number;
}

export interface RollupQuestion extends Scope {
  readonly rollup: Rollup;
}

export interface KpiQuestion extends Scope {
  readonly nowMs: number;
}

/** Selections kept for the questions that come together: a list, its facets and its bars ask for the same signals. */
const MOST_KEPT = 16;

/** Answers questions over an index. */
export class Answers {
  readonly risk: RiskAnswers;
  readonly #index: SignalIndex;
  readonly #orders: RowOrders;
  readonly #kept = new Map<string, Bits>();
  /** Of terms, and of spans of time, that questions have in common. */
  readonly #terms = new Map<string, Bits>();
  readonly #spans = new Map<string, Bits>();
  #generation = -1;

  constructor(index: SignalIndex) {
    this.#index = index;
    this.#orders = new RowOrders(index);
    this.risk = new RiskAnswers(index, (restrict, fromMs, toMs, deadline) => this.#selected({ node: { kind: "all", span: { start: 0, end: 0 } }, restrict, fromMs, toMs }, deadline));
  }

  page({ sort, limit, after, skip, ...scope }: PageQuestion): FoundPage {
    const selected = this.#selected(scope, new Deadline(scope.mostMs));
    return { ...pageOf(this.#index, this.#orders, selected, sort, limit, after, skip), count: countBits(selected) };
  }

  facets({ facets, limit, ...scope }: FacetQuestion): FacetCounts[] {
    const deadline = new Deadline(scope.mostMs);
    const selected = this.#selected(scope, deadline);
    const total = countBits(selected);
    return facets.map(({ name, field }) => {
      deadline.check();
      const column = fieldColumn(this.#index, field);
      if (!column) return { facet: name, values: [], distinct: 0, missing: total };
      const texts = column.dictionary;
      const counts = new Uint32Array(texts.count + 1);
      const missing = total - column.count(selected, counts);
      const few = new FirstFew(limit, (a, b) => counts[b]! - counts[a]! || texts.compareTexts(a, b) || texts.kind(a) - texts.kind(b));
      let distinct = 0;
      for (let code = 1; code < counts.length; code++) {
        if (counts[code] === 0) continue;
        distinct++;
        few.add(code);
      }
      const values = few.take().map((code) => ({ value: texts.text(code), count: counts[code]!, query: facetQuery(field, texts.text(code)) }));
      return { facet: name, values, distinct, missing };
    });
  }

  rollup({ rollup: asked, ...scope }: RollupQuestion): readonly RollupBucket[] {
    const deadline = new Deadline(scope.mostMs);
    return rollup(this.#index, this.#selected(scope, deadline), asked, deadline);
  }

  kpis({ nowMs, fromMs, toMs, ...scope }: KpiQuestion): Kpis {
    const deadline = new Deadline(scope.mostMs);
    const evaluator = new Evaluator(this.#index, deadline);
    const select = (node: QueryNode, from: number | undefined, to: number | undefined): Bits => andBits(this.#selected({ ...scope, fromMs: from, toMs: to }, deadline).slice(), evaluator.matching(node));
    return kpisOf({ index: this.#index, deadline, fromMs, toMs, nowMs, select });
  }

  /** Not to be changed. */
  #selected({ node, restrict, fromMs, toMs }: Omit<Scope, "mostMs">, deadline: Deadline): Bits {
    this.#forget();
    const key = JSON.stringify([node, restrict ?? null, fromMs ?? null, toMs ?? null]);
    const known = this.#kept.get(key);
    if (known) return known;
    const evaluator = new Evaluator(this.#index, deadline, this.#terms);
    const bits = andBits(evaluator.matching(node), this.#index.alive());
    if (restrict) andBits(bits, restrict.map((each) => evaluator.matching(each)).reduce(orBits, noBits(this.#index.rows)));
    if (fromMs !== undefined || toMs !== undefined) andBits(bits, this.#within(fromMs, toMs));
    keep(this.#kept, key, bits);
    return bits;
  }

  /** What was found in the index as it was before. */
  #forget(): void {
    if (this.#generation === this.#index.generation) return;
    this.#generation = this.#index.generation;
    for (const map of [this.#kept, this.#terms, this.#spans]) map.clear();
  }

  /** Not to be changed. */
  #within(fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY): Bits {
    const key = `${fromMs} ${toMs}`;
    const known = this.#spans.get(key);
    if (known) return known;
    const { times, rows } = this.#index;
    const bits = noBits(rows);
    for (let word = 0; word < bits.length; word++) {
      let found = 0;
      const end = Math.min(rows, (word << 5) + 32);
      for (let row = word << 5; row < end; row++) if (times[row]! >= fromMs && times[row]! < toMs) found |= 1 << (row & 31);
      bits[word] = found;
    }
    keep(this.#spans, key, bits);
    return bits;
  }
}

function keep(map: Map<string, Bits>, key: string, bits: Bits): void {
  if (map.size >= MOST_KEPT) map.delete(map.keys().next().value!);
  map.set(key, bits);
}
