import type { Problem } from "../../problem.ts";
import type { Variant } from "../kernel.ts";

/** Addresses of the kernels' files. */
export type KernelPlaces = Readonly<Record<Variant, string>>;

/** What a page asks its worker; one question at a time. */
export interface PastedQuestion {
  readonly kernels: KernelPlaces;
  /** Of each query the texts that must all match: its own, and what extends it. */
  readonly queries: ReadonlyArray<readonly string[]>;
  /** As it was pasted. */
  readonly text: string;
  /** Taken by events without a time of their own. */
  readonly arrivalMs: number;
}

/** One record of what was pasted. */
export interface PastedRecord {
  /** Where it begins, from 1. */
  readonly line: number;
  /** Its beginning. */
  readonly text: string;
  /** Numbers of the queries that match it, ascending. */
  readonly matched: readonly number[];
  /** Why it is no event. */
  readonly malformed?: string;
}

/** What cannot be read in a query; `part` numbers its texts. */
export interface UnreadQuery {
  readonly part: number;
  readonly problem: Problem;
}

export interface PastedMatches {
  readonly variant: Variant;
  readonly records: readonly PastedRecord[];
  /** By query: how many records it matches, or why it was not asked. */
  readonly queries: ReadonlyArray<number | UnreadQuery>;
}

export type PastedAnswer = { readonly kind: "matches"; readonly matches: PastedMatches } | { readonly kind: "fault"; readonly text: string };
