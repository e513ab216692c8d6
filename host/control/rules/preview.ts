import type { QueryNode } from "../../query/tree.ts";
import { parseQuery } from "../../query/parse.ts";
import { isMembers } from "../../rule/reader.ts";
import { readsSignals } from "../../rule/signal-source.ts";
import { readRuleWire } from "../../rule/wire.ts";
import type { RuleDocument } from "../../store/rules.ts";
import type { LogSearch } from "../../search/index.ts";
import { apiLog, readTimeBound } from "../../search/index.ts";
import { badRequest, problemsError } from "../api-error.ts";
import type { Setup } from "../context.ts";
import { queriesOf } from "./unit-test.ts";

const DEFAULT_FROM = "now-1d";
const DEFAULT_LOGS = 10;
const MOST_LOGS = 100;
const MOST_QUERIES = 10;
/** All queries of one preview together. */
const PREVIEW_MS = 5000;

/** What is asked for: a rule, or queries alone as one is being written. */
export interface PreviewRequest {
  readonly rule?: RuleDocument;
  readonly queries?: readonly RuleDocument[];
  readonly from?: string | number;
  readonly to?: string | number;
  readonly limit?: number;
}

interface Asked {
  readonly label: string;
  readonly text: string;
  readonly node: QueryNode;
}

/**
 * The last logs that each query matches, and how many there are: what one looks at while writing a rule. Throws an `ApiError` with 400.
 *
 * @param restriction what the asker may see; all when absent
 */
export async function preview(request: PreviewRequest, search: LogSearch, setup: Setup, restriction: QueryNode | undefined, nowMs: number): Promise<unknown[]> {
  const { limit = DEFAULT_LOGS } = request;
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST_LOGS) throw badRequest(`limit: a whole number from 0 to ${MOST_LOGS}`);
  const fromMs = readTimeBound(request.from ?? DEFAULT_FROM, nowMs, "from");
  const toMs = request.to === undefined ? undefined : readTimeBound(request.to, nowMs, "to");
  const asked = request.rule ? ofRule(request.rule, setup) : ofQueries(request.queries ?? []);
  if (!asked.length || asked.length > MOST_QUERIES) throw badRequest(`queries: between 1 and ${MOST_QUERIES} queries are looked at, not ${asked.length}`);
  const found: unknown[] = [];
  for (const { label, text, node } of asked) {
    const query: QueryNode = restriction ? { kind: "and", nodes: [node, restriction], span: node.span } : node;
    const { logs, tallies, complete } = await search.search({ query, fromMs, ...(toMs === undefined ? {} : { toMs }), limit, tallies: [{ fields: [] }], mostMs: PREVIEW_MS / asked.length });
    const count = tallies[0]?.groups.reduce((sum, group) => sum + group.count, 0) ?? 0;
    found.push({ id: label, type: "rule_query_preview", attributes: { query: text, count, complete, ids: logs.map(({ id }) => id), logs: logs.map(apiLog) } });
  }
  return found;
}

function ofRule(document: RuleDocument, setup: Setup): Asked[] {
  const read = readRuleWire(document);
  if (!read.ok) throw problemsError(read.problems, "Invalid rule configuration");
  const { rule } = read;
  if (rule.queries.some(readsSignals)) throw badRequest("rule.queries: a query of signals finds no logs");
  const nodes = queriesOf(rule, setup);
  const isVendors = rule.options.method.kind === "third_party";
  return nodes.map((node, i) => ({ node, label: isVendors ? rule.cases[i]!.name || String(i) : rule.queries[i]!.label, text: (isVendors ? rule.cases[i]!.query?.text : rule.queries[i]!.text) ?? "" }));
}

/** A text that is not finished yet is told as such, and nothing else. */
function ofQueries(queries: readonly RuleDocument[]): Asked[] {
  return queries.map((query, i) => {
    if (!isMembers(query) || typeof query.query !== "string") throw badRequest(`queries[${i}].query: a text`);
    const extension = typeof query.customQueryExtension === "string" ? query.customQueryExtension : "";
    const text = extension.trim() === "" ? query.query : `(${query.query}) (${extension})`;
    const parsed = parseQuery(text);
    if (!parsed.ok) throw problemsError(parsed.problems.map((problem) => ({ ...problem, place: `queries[${i}].query` })));
    return { text, node: parsed.node, label: typeof query.name === "string" && query.name !== "" ? query.name : String.fromCharCode(97 + (i % 26)) };
  });
}
