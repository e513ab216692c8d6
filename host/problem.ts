/**
 * What a user got wrong, where, and how to mend it. Codes are `room/what`; `test/problem.test.ts` holds their form and
 * that no two rooms share one.
 */
export interface Problem {
  /** `room/what`, e.g. `query/unclosed-quote`. */
  readonly code: string;
  readonly message: string;
  /** The way out, in one sentence. */
  readonly hint?: string;
  /** Half-open range of code units in the query text, when the problem lies in a query. */
  readonly at?: Span;
  /** Place in a document, e.g. `queries[0].query` or `cases[1].condition`. */
  readonly place?: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  readonly column?: number;
  /** Absent means error. A warning never refuses a rule. */
  readonly level?: "error" | "warning";
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Thrown at a door when something asked for has problems; carries them all. */
export class ProblemError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map((p) => p.message).join("; "));
    this.name = "ProblemError";
    this.problems = problems;
  }
}

export function unreachable(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
