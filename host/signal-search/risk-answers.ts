import { type Bits, rowsOf } from "./bits.ts";
import { Deadline } from "./deadline.ts";
import { entityPage } from "./entity-answers.ts";
import { entityDetail } from "./entity-detail.ts";
import type { EntitiesQuestion, EntityDetail, EntityPage, EntityQuestion, RiskScope } from "./entity-rows.ts";
import { EntityTable, RISK_REACH_MS } from "./entity-table.ts";
import type { SignalIndex } from "./signal-index.ts";

/** Scores kept for the questions that come together: the modules of a page are of the same instant. */
const MOST_KEPT = 2;

/** Signals somebody may see that were created from one time on and before another. */
type Select = (restrict: RiskScope["restrict"], fromMs: number, toMs: number, deadline: Deadline) => Bits;

/** Answers questions over entities: their scores are computed from the signals when they are asked for, as of any instant. */
export class RiskAnswers {
  readonly #index: SignalIndex;
  readonly #select: Select;
  readonly #kept = new Map<string, EntityTable>();
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
    if (this.#generation !== this.#index.generation) this.#kept.clear();
    this.#generation = this.#index.generation;
    const key = JSON.stringify([restrict ?? null, atMs]);
    let table = this.#kept.get(key);
    if (!table) {
      table = new EntityTable({ index: this.#index, rows: rowsOf(this.#select(restrict, atMs - RISK_REACH_MS + 1, atMs + 1, deadline)), atMs, deadline });
      if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
      this.#kept.set(key, table);
    }
    return table;
  }
}
