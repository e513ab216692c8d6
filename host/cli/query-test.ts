import { readFileSync } from "node:fs";
import type { LogEvent } from "../event/event.ts";
import { createMatcher } from "../matcher.ts";
import { matches } from "../query/matches.ts";
import { parseQuery } from "../query/parse.ts";
import { printQuery } from "../query/print.ts";
import type { QueryNode } from "../query/tree.ts";
import { UsageError } from "./problems.ts";
import { count, jsonLine, plural, safe } from "./text.ts";

interface Vector {
  readonly id: string;
  readonly query: string;
  readonly event?: LogEvent;
  readonly match?: boolean;
  readonly error?: boolean;
  readonly why?: string;
}

interface Failure {
  readonly id: string;
  readonly engine: string;
  readonly query: string;
  readonly expected: string;
  readonly got: string;
  readonly why?: string;
}

/** The vectors that can be judged, each with its parsed query; equal queries share one tree. */
interface Judged {
  readonly vectors: readonly Vector[];
  readonly queries: readonly QueryNode[];
  /** Number of each vector's query. */
  readonly queryOf: readonly number[];
}

/** Tells what one engine makes of every vector's event: one answer a vector. */
interface Teller {
  readonly name: string;
  judge(judged: Judged): Promise<boolean[]>;
}

const reference: Teller = {
  name: "reference",
  judge: async ({ vectors, queries, queryOf }) => vectors.map((vector, i) => matches(queries[queryOf[i]!]!, vector.event ?? {})),
};

/**
 * A kernel of one variant.
 *
 * @param company events in a batch: alone, or in the company of events of every other shape, with all queries running.
 */
function kernel(variant: "simd" | "scalar", company: "alone" | "mixed"): Teller {
  return {
    name: `wasm ${variant}, ${company === "alone" ? "single" : "mixed batches"}`,
    async judge({ vectors, queries, queryOf }) {
      const matcher = await createMatcher({ queries, variant });
      const lines = vectors.map((vector) => `${JSON.stringify(vector.event ?? {})}\n`);
      const encoder = new TextEncoder();
      const answers = vectors.map(() => false);
      const batches = company === "alone" ? lines.map((line, i) => ({ first: i, text: line })) : [{ first: 0, text: lines.join("") }];
      for (const { first, text } of batches) {
        for (const hit of await matcher.match(encoder.encode(text), { format: "log", arrivalMs: 0 })) {
          const at = first + hit.index;
          answers[at] = hit.queries.includes(queryOf[at]!);
        }
      }
      await matcher.close();
      return answers;
    },
  };
}

const kernels: readonly Teller[] = [kernel("scalar", "alone"), kernel("scalar", "mixed"), kernel("simd", "alone"), kernel("simd", "mixed")];
const tellersOf: Readonly<Record<string, readonly Teller[]>> = { wasm: kernels, reference: [reference], both: [reference, ...kernels] };

/** `vespid query test`: vectors against the engines. Exit code 1 when one differs. */
export async function queryTest(file: string, options: { readonly engine: string; readonly json?: boolean }): Promise<number> {
  const tellers = tellersOf[options.engine];
  if (!tellers) throw new UsageError(`--engine ${options.engine} is not known; use wasm, reference or both`);
  const vectors = readVectors(file);
  const failures: Failure[] = [];
  const judged = parseVectors(vectors, failures);
  for (const teller of tellers) {
    const answers = await teller.judge(judged);
    judged.vectors.forEach((vector, i) => {
      if (answers[i] !== vector.match) failures.push({ id: vector.id, engine: teller.name, query: vector.query, expected: String(vector.match), got: String(answers[i]), why: vector.why });
    });
  }
  const failed = new Set(failures.map((failure) => failure.id)).size;
  const names = tellers.map((teller) => teller.name);
  if (options.json) process.stdout.write(jsonLine({ vectors: vectors.length, passed: vectors.length - failed, failed, engines: names, failures }));
  else {
    for (const { id, engine, query, expected, got, why } of failures) {
      process.stdout.write(`FAIL ${safe(id)} (${engine}): ${safe(query)}: expected ${expected}, got ${safe(got)}${why ? ` (${safe(why)})` : ""}\n`);
    }
    process.stdout.write(`${count(vectors.length - failed)} of ${plural(vectors.length, "vector")} hold on ${names.join("; ")}\n`);
  }
  return failed ? 1 : 0;
}

/** Parses every query; vectors whose parsing already answers them go into `failures` when the answer is wrong. */
function parseVectors(vectors: readonly Vector[], failures: Failure[]): Judged {
  const good: Vector[] = [];
  const queries: QueryNode[] = [];
  const queryOf: number[] = [];
  const numbers = new Map<string, number>();
  for (const vector of vectors) {
    const parsed = parseQuery(vector.query);
    const fail = (expected: string, got: string): number => failures.push({ id: vector.id, engine: "parser", query: vector.query, expected, got, why: vector.why });
    if (vector.error) {
      if (parsed.ok) fail("error", printQuery(parsed.node));
    } else if (!parsed.ok) fail(String(vector.match), parsed.problems[0]?.message ?? "error");
    else {
      let number = numbers.get(vector.query);
      if (number === undefined) {
        number = queries.push(parsed.node) - 1;
        numbers.set(vector.query, number);
      }
      good.push(vector);
      queryOf.push(number);
    }
  }
  return { vectors: good, queries, queryOf };
}

function readVectors(file: string): Vector[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`${file}: cannot be read`);
  }
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new UsageError(`${file}:${i + 1}: not a JSON line`);
    }
    if (!isVector(value)) throw new UsageError(`${file}:${i + 1}: a vector is {id, query, event, match} or {id, query, error: true}`);
    return [value];
  });
}

function isVector(value: unknown): value is Vector {
  if (typeof value !== "object" || value === null) return false;
  const vector = value as Partial<Vector>;
  return typeof vector.id === "string" && typeof vector.query === "string" && (vector.error === true || typeof vector.match === "boolean");
}
