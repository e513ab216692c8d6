import { createEngine } from "../../index.ts";
import { type Problem, ProblemError } from "../../problem.ts";
import { lintRule } from "../../rule/lint.ts";
import { FILTER_ROW_CAP, type ReferenceTables } from "../../rule/reference-table.ts";
import type { Rule } from "../../rule/rule.ts";
import { idleReason } from "../../rule/standing.ts";
import { readRuleWire } from "../../rule/wire.ts";
import type { RuleDocument } from "../../store/rules.ts";
import { TableStore } from "../../store/tables.ts";
import { ApiError, problemsError } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { ageOf, isTime } from "./deprecation.ts";

const TITLE = "Invalid rule configuration";
/** Of a rule as JSON. */
const MOST_RULE_CHARS = 500_000;

export interface CheckedRule {
  readonly rule: Rule;
  /** What a detection engineer would want to hear of it; it is taken all the same. */
  readonly lint: readonly Problem[];
}

/** Says what is wrong with rules before they are taken. */
export class RuleCheck {
  readonly #context: ControlContext;
  readonly #tables: TableStore;

  constructor(context: ControlContext) {
    this.#context = context;
    this.#tables = new TableStore(context.sql);
  }

  /** Throws an `ApiError` with 400 and everything that is wrong. */
  rule(document: RuleDocument, facts: { readonly id: string; readonly version: number; readonly isDefault: boolean }): CheckedRule {
    const chars = JSON.stringify(document).length;
    if (chars > MOST_RULE_CHARS) throw refusal([{ code: "rule-api/too-large", message: `the rule is ${chars} characters of JSON`, hint: `keep to ${MOST_RULE_CHARS}` }]);
    const read = readRuleWire({ ...document, ...facts });
    const problems = [...read.problems, ...datesOf(document, this.#context.nowMs()), ...(read.ok ? this.#tableProblems(read.rule) : [])];
    if (!read.ok || problems.some(({ level }) => level !== "warning")) throw refusal(problems);
    return { rule: read.rule, lint: [...problems, ...lintRule(read.rule), ...idleProblems(read.rule)] };
  }

  /** Runs the engine with these rules, for no event at all: what is accepted runs, at the next start too. Throws an `ApiError` with 400 where it will not. */
  async together(rules: readonly Rule[]): Promise<void> {
    const setup = this.#context.setup();
    try {
      const engine = await createEngine({ ...setup, rules, referenceTables: this.tablesOf(rules), workers: 0, deduplicate: false });
      await engine.close({ goesOn: true });
    } catch (error) {
      if (error instanceof ProblemError) throw refusal(error.problems);
      throw refusal([{ code: "rule-api/cannot-run", message: `the rules cannot run with it: ${(error as Error).message}`, hint: "make its queries smaller" }]);
    }
  }

  /** What rules filter by: of files and of the store. */
  tablesOf(rules: readonly Rule[]): ReferenceTables {
    const { referenceTables: given = {} } = this.#context.setup();
    const names = new Set(rules.flatMap(({ referenceTables }) => referenceTables.map(({ tableName }) => tableName)));
    const stored = [...names].filter((name) => !Object.hasOwn(given, name)).map((name) => this.#tables.named(name)).filter((table) => table !== undefined);
    return { ...given, ...Object.fromEntries(stored.map((table) => [table.name, this.#tables.rows(table, undefined, FILTER_ROW_CAP + 1).map(({ cells }) => cells)])) };
  }

  #tableProblems(rule: Rule): Problem[] {
    const { referenceTables: given = {} } = this.#context.base();
    return rule.referenceTables.flatMap(({ tableName, columnName, columns }, i): Problem[] => {
      const place = `referenceTables[${i}]`;
      const table = this.#tables.named(tableName);
      if (!table && Object.hasOwn(given, tableName)) return [];
      if (!table) return [{ code: "rule-api/unknown-table", place: `${place}.tableName`, message: `there is no reference table ${tableName}`, hint: "upload it first" }];
      if (!table.fields.some(({ name }) => name === columnName)) return [{ code: "rule-api/unknown-column", place: `${place}.columnName`, message: `table ${tableName} has no column ${columnName}`, hint: `its columns are ${table.fields.map(({ name }) => name).join(", ")}` }];
      const unknown = columns.findIndex((column) => !table.fields.some(({ name }) => name === column));
      if (unknown >= 0) return [{ code: "rule-api/unknown-column", place: `${place}.columns[${unknown}]`, message: `table ${tableName} has no column ${columns[unknown]}`, hint: `its columns are ${table.fields.map(({ name }) => name).join(", ")}` }];
      return table.rowCount > FILTER_ROW_CAP ? [{ code: "rule-api/table-too-large", place: `${place}.tableName`, message: `table ${tableName} has ${table.rowCount} rows`, hint: `a rule filters by tables of at most ${FILTER_ROW_CAP}` }] : [];
    });
  }
}

function refusal(problems: readonly Problem[]): ApiError {
  return problemsError(problems, TITLE);
}

function datesOf(document: RuleDocument, nowMs: number): Problem[] {
  const { deprecationDate, replacedBy } = document;
  return [
    ...(ageOf(document, nowMs) === "gone" ? [{ code: "rule-api/bad-date", place: "deprecationDate", message: "a rule deprecated for so long is deleted", hint: "write a later date, or none" }] : []),
    ...(deprecationDate === undefined || isTime(deprecationDate) ? [] : [{ code: "rule-api/bad-date", place: "deprecationDate", message: "no time", hint: "write milliseconds since 1970, a whole number" }]),
    ...(replacedBy === undefined || typeof replacedBy === "string" ? [] : [{ code: "rule-api/wrong-type", place: "replacedBy", message: "replacedBy must be a text", hint: "name the id of the rule that follows" }]),
  ];
}

function idleProblems(rule: Rule): Problem[] {
  const reason = rule.isEnabled ? idleReason(rule) : undefined;
  return reason === undefined ? [] : [{ code: "rule-api/idle", level: "warning", place: "", message: `it judges nothing: ${reason}` }];
}
