import { ProblemError } from "../problem.ts";
import { matches } from "../query/matches.ts";
import { parseQuery } from "../query/parse.ts";
import type { QueryNode, Test } from "../query/tree.ts";
import { severities } from "../rule/rule.ts";
import { riskSeverity } from "../signal-model/risk.ts";
import { canonicalQuery, severityField } from "./aliases.ts";
import { type Bits, allBits, andBits, hasBit, noBits, notBits, orBits, setBit } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import type { EntityTable } from "./entity-table.ts";
import { Evaluator } from "./evaluate.ts";
import type { SignalIndex } from "./signal-index.ts";
import { findValues } from "./value-hits.ts";
import { wordTest } from "./word-finder.ts";

type Leaf = Extract<QueryNode, { readonly kind: "leaf" | "cidr" }>;

/** What is asked of entities themselves; every other name is asked of their signals. */
const asked: Readonly<Record<string, (table: EntityTable, entity: number) => string | number>> = {
  id: (table, entity) => table.risk.nameOf(entity).id,
  type: (table, entity) => table.risk.nameOf(entity).type,
  value: (table, entity) => table.risk.nameOf(entity).value,
  score: ({ score }, entity) => score[entity]!,
  change: ({ score, before }, entity) => score[entity]! - before[entity]!,
  signals: (table, entity) => table.signals(entity),
  contributing: ({ contributing }, entity) => contributing[entity]!,
};

/** As Datadog's risk scores call them. */
const otherNames: Readonly<Record<string, keyof typeof asked>> = { entityType: "type", entityName: "value", riskScore: "score", riskScoreEvolution: "change", score_change: "change", signalsDetected: "signals" };
const own = { ...asked, ...Object.fromEntries(Object.entries(otherNames).map(([other, name]) => [other, asked[name]!])) };

/** A query over entities: `type:user severity:critical score:>200 source:okta ann*`. Throws the parser's problems. */
export function readEntityQuery(text: string, types: readonly string[], place: string): QueryNode {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new ProblemError(parsed.problems.map((problem) => ({ ...problem, place })));
  const span = { start: 0, end: 0 };
  const ofTypes = types.map((type): QueryNode => ({ kind: "leaf", field: { kind: "tag", key: "type" }, test: { kind: "phrase", text: type }, span }));
  return types.length ? { kind: "and", nodes: [parsed.node, { kind: "or", nodes: ofTypes, span }], span } : parsed.node;
}

/**
 * Which entities a query finds, one bit each.
 *
 * Words are looked for in an entity's value; names of entities' own are `type`, `value`, `severity` (or `status`), `score`, `change`,
 * `signals`, `contributing` and `id`. All else is asked of signals: an entity is found when one of its signals of the 14 days is, each
 * condition for itself.
 *
 * @param listed those that are asked about at all.
 */
export class EntityQuery {
  readonly #index: SignalIndex;
  readonly #table: EntityTable;
  readonly #listed: Bits;
  readonly #evaluator: Evaluator;
  readonly #deadline: Deadline;

  constructor(index: SignalIndex, table: EntityTable, listed: Bits, deadline: Deadline) {
    this.#index = index;
    this.#table = table;
    this.#listed = listed;
    this.#evaluator = new Evaluator(index, deadline);
    this.#deadline = deadline;
  }

  matching(node: QueryNode): Bits {
    const { count } = this.#table;
    switch (node.kind) {
      case "all":
        return this.#listed.slice();
      case "and":
        return node.nodes.map((each) => this.matching(each)).reduce(andBits, allBits(count));
      case "or":
        return node.nodes.map((each) => this.matching(each)).reduce(orBits, noBits(count));
      case "not":
        return andBits(notBits(this.matching(node.node), count), this.#listed);
      case "cidr":
      case "leaf":
        return this.#leaf(node);
    }
  }

  #leaf(node: Leaf): Bits {
    const table = this.#table;
    if (node.field.kind === "tag" && Object.hasOwn(own, node.field.key)) {
      const value = own[node.field.key]!;
      const plain: QueryNode = { ...node, field: { kind: "attribute", path: ["own"] } };
      const hits = value === asked.value && node.kind === "leaf" ? this.#holding(node.test) : undefined;
      return this.#each((entity) => matches(plain, { attributes: { own: value(table, entity) } }), hits);
    }
    if (node.field.kind === "freeText" || node.field.kind === "fullText") return this.#each((entity) => matches(node, { message: table.risk.nameOf(entity).value }), node.kind === "leaf" ? this.#withWords(node.test) : undefined);
    const canonical = canonicalQuery(node);
    if (isOfSeverity(canonical)) {
      const fits = new Set(severities.filter((status) => matches(canonical, { status })));
      return this.#each((entity) => fits.has(riskSeverity(table.score[entity]!)));
    }
    return this.#withSignals(this.#evaluator.matching(canonical));
  }

  /** @param hits by code of a name, where a look at the rest is in vain; undefined: at all. */
  #each(test: (entity: number) => boolean, hits?: Uint8Array): Bits {
    const bits = noBits(this.#table.count);
    for (let entity = 0; entity < this.#table.count; entity++) {
      if (!hasBit(this.#listed, entity) || hits?.[this.#table.risk.codeOf(entity)] === 0) continue;
      this.#deadline.tick();
      if (test(entity)) setBit(bits, entity);
    }
    return bits;
  }

  /** Names that may end in a value like this: found in their bytes, of which a look at each as a text would take far longer. */
  #holding(test: Test): Uint8Array | undefined {
    const { names } = this.#table.risk;
    if (!names || test.kind !== "wildcard") return undefined;
    const hits = new Uint8Array(names.count + 1);
    findValues(names, { kind: "tag", key: "value" }, { kind: "wildcard", items: [{ kind: "any" }, { kind: "text", text: ":" }, ...test.items] }, hits, this.#deadline);
    return hits;
  }

  /** Names with such words; a value's words are its name's as well, since no word goes across a colon. */
  #withWords(test: Test): Uint8Array | undefined {
    const { names } = this.#table.risk;
    const wanted = wordTest(test);
    if (!names || !wanted) return undefined;
    const hits = new Uint8Array(names.count + 1);
    this.#index.finder(names).find(wanted, hits, this.#deadline);
    return hits;
  }

  #withSignals(signals: Bits): Bits {
    const table = this.#table;
    const bits = noBits(table.count);
    const { rows, pairs, pairRows, pairEntities } = table.risk;
    for (let i = 0; i < pairs; i++) {
      const row = pairRows[i]!;
      if (table.isInWindow(row) && hasBit(signals, rows[row]!)) setBit(bits, pairEntities[i]!);
    }
    return andBits(bits, this.#listed);
  }
}

/** Is a term asked of severities, and of no triage state? */
function isOfSeverity(node: QueryNode): boolean {
  if (node.kind === "or" || node.kind === "and") return node.nodes.length === 0 || node.nodes.every(isOfSeverity);
  return node.kind === "leaf" && node.field === severityField;
}
