import type { Problem } from "../problem.ts";
import type { FacetCounts, FacetQuestion, FoundPage, KpiQuestion, PageQuestion, RollupQuestion } from "./answers.ts";
import type { EntitiesQuestion, EntityDetail, EntityPage, EntityQuestion } from "./entity-rows.ts";
import type { Kpis } from "./kpis.ts";
import type { RollupBucket } from "./rollup.ts";

/** What is asked of the thread that holds the index, and what it answers. */
export interface Asked {
  page: { readonly question: PageQuestion; readonly answer: FoundPage };
  facets: { readonly question: FacetQuestion; readonly answer: readonly FacetCounts[] };
  rollup: { readonly question: RollupQuestion; readonly answer: readonly RollupBucket[] };
  kpis: { readonly question: KpiQuestion; readonly answer: Kpis };
  entities: { readonly question: EntitiesQuestion; readonly answer: EntityPage };
  entity: { readonly question: EntityQuestion; readonly answer: EntityDetail | null };
  /** Changes are in the index when this is answered. */
  changed: { readonly question: { readonly ids: readonly string[] }; readonly answer: number };
  gone: { readonly question: { readonly ids: readonly string[] }; readonly answer: number };
  status: { readonly question: Record<string, never>; readonly answer: IndexStatus };
}

export type Kind = keyof Asked;

export interface IndexStatus {
  /** All signals that were stored before are in the index. */
  readonly isWhole: boolean;
  readonly signals: number;
  /** Stored in a form that cannot be read: they are never found. */
  readonly unread: number;
  /** Signals in the store when the index was begun. */
  readonly stored: number;
  /** Rows of what signals were before. */
  readonly deadRows: number;
  readonly fields: number;
  /** Bytes of the columns. */
  readonly indexBytes: number;
  readonly buildMs: number;
}

export interface Question {
  readonly number: number;
  readonly kind: Kind;
  readonly body: unknown;
}

export type Reply =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly problems: readonly Problem[] }
  | { readonly number: number; readonly error: string };

export interface WorkerSetup {
  /** The database's file. */
  readonly path: string;
  /** Signals read at a time; between two readings questions are answered. */
  readonly chunk: number;
  /** Dead rows from which the index is made anew, if they are a quarter of all. */
  readonly mostDead: number;
}
