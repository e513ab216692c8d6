import { type Bits, rowsOf } from "./bits.ts";
import { Deadline } from "./deadline.ts";
import { entityPage } from "./entity-answers.ts";
import { entityDetail } from "./entity-detail.ts";
import type { EntitiesQuestion, EntityDetail, EntityPage, EntityQuestion, RiskScope } from "./entity-rows.ts";
import { EntityTable, RISK_REACH_MS } from "./entity-table.ts";
import { RiskRows } from "./risk-rows.ts";
import type { SignalIndex } from "./signal-index.ts";

/** Kept for the questions that come together: the modules of a page, and pages one after another, for some people. */
const MOST_KEPT = 4;
const HOUR_MS = 3_600_000;

/** Signals somebody may see that were created from one time on and before another. */
type Select = (restrict: RiskScope["restrict"], fromMs: number, toMs: number, deadline: Deadline) => Bits;

/** Answers questions over entities: their scores are computed from the signals when they are asked for, as of any instant. */
export class RiskAnswers {
  readonly #index: SignalIndex;
  readonly #select: Select;
  readonly #rows = new Map<string, RiskRows>();
  readonly #tables = new Map<string, EntityTable>();
  #generation = -1;

  constructor(index: SignalIndex, select: Select) {
    this.#index = index;
    this.#select = select;
  }

  page(question: EntitiesQuestion): EntityPage {
    const deadline = new Deadline(question.mostMs);
    return entityPage(this.#index, this.#table(question, deadline), question, deadline);
  }

  one(question: EntityQuestion): EntityDetail | null {
    return entityDetail(this.#index, this.#table(question, new Deadline(question.mostMs)), question);
  }

  #table({ restrict, atMs }: RiskScope, deadline: Deadline): EntityTable {
    if (this.#generation !== this.#index.generation) {
      this.#rows.clear();
      this.#tables.clear();
    }
    this.#generation = this.#index.generation;
    const seen = JSON.stringify(restrict ?? null);
    // What is asked as of now serves again a moment later.
    const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    const rows = kept(this.#rows, `${hourMs} ${seen}`, () => new RiskRows(this.#index, rowsOf(this.#select(restrict, hourMs - RISK_REACH_MS, hourMs + HOUR_MS, deadline))));
    deadline.check();
    return kept(this.#tables, `${atMs} ${seen}`, () => new EntityTable(rows, atMs));
  }
}

function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    if (map.size >= MOST_KEPT) map.delete(map.keys().next().value!);
    map.set(key, value);
  }
  return value;
}
