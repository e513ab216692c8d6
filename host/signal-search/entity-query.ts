import { ProblemError } from "../problem.ts";
import { matches } from "../query/matches.ts";
import { parseQuery } from "../query/parse.ts";
import type { Field, QueryNode } from "../query/tree.ts";
import { severities } from "../rule/rule.ts";
import { riskSeverity } from "../signal-model/risk.ts";
import { canonicalQuery, severityField } from "./aliases.ts";
import { type Bits, allBits, andBits, hasBit, noBits, notBits, orBits, setBit } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import type { EntityTable } from "./entity-table.ts";
import type { Evaluator } from "./evaluate.ts";

type Leaf = Extract<QueryNode, { readonly kind: "leaf" | "cidr" }>;

/** What is asked of entities themselves; every other name is asked of their signals. */
const own: Readonly<Record<string, (table: EntityTable, entity: number) => string | number>> = {
  id: (table, entity) => table.nameOf(entity).id,
  type: (table, entity) => table.nameOf(entity).type,
  value: (table, entity) => table.nameOf(entity).value,
  score: ({ score }, entity) => score[entity]!,
  change: ({ score, before }, entity) => score[entity]! - before[entity]!,
  signals: (table, entity) => table.signals(entity),
  contributing: ({ contributing }, entity) => contributing[entity]!,
};

/** A query over entities: `type:user severity:critical score:>200 source:okta ann*`. Throws the parser's problems. */
export function readEntityQuery(text: string, place: string): QueryNode {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new ProblemError(parsed.problems.map((problem) => ({ ...problem, place })));
  return parsed.node;
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
  readonly #table: EntityTable;
  readonly #listed: Bits;
  readonly #evaluator: Evaluator;
  readonly #deadline: Deadline;

  constructor(table: EntityTable, listed: Bits, evaluator: Evaluator, deadline: Deadline) {
    this.#table = table;
    this.#listed = listed;
    this.#evaluator = evaluator;
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
    const name = nameOf(node.field);
    if (name !== undefined && Object.hasOwn(own, name)) {
      const asked: QueryNode = { ...node, field: { kind: "attribute", path: ["own"] } };
      return this.#each((entity) => matches(asked, { attributes: { own: own[name]!(table, entity) } }));
    }
    if (node.field.kind === "freeText" || node.field.kind === "fullText") return this.#each((entity) => matches(node, { message: table.nameOf(entity).value }));
    const canonical = canonicalQuery(node);
    if (isOfSeverity(canonical)) {
      const fits = new Set(severities.filter((status) => matches(canonical, { status })));
      return this.#each((entity) => fits.has(riskSeverity(table.score[entity]!)));
    }
    return this.#withSignals(this.#evaluator.matching(canonical));
  }

  #each(test: (entity: number) => boolean): Bits {
    const bits = noBits(this.#table.count);
    for (let entity = 0; entity < this.#table.count; entity++) {
      if (!hasBit(this.#listed, entity)) continue;
      this.#deadline.tick();
      if (test(entity)) setBit(bits, entity);
    }
    return bits;
  }

  #withSignals(signals: Bits): Bits {
    const table = this.#table;
    const bits = noBits(table.count);
    for (let i = 0; i < table.pairs; i++) {
      const row = table.pairRows[i]!;
      if (table.isInWindow(row) && hasBit(signals, table.risk.rows[row]!)) setBit(bits, table.pairEntities[i]!);
    }
    return andBits(bits, this.#listed);
  }
}

function nameOf(field: Field): string | undefined {
  return field.kind === "tag" ? field.key : field.kind === "attribute" && field.path.length === 1 ? field.path[0] : undefined;
}

/** Undefined severities: a comparison that says nothing of their order is one with none. */
function isOfSeverity(node: QueryNode): boolean {
  if (node.kind === "or" || node.kind === "and") return node.nodes.length === 0 || node.nodes.every(isOfSeverity);
  return node.kind === "leaf" && node.field === severityField;
}
