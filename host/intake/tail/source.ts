import type { InputProfile } from "../../engine/task.ts";
import type { LineRule } from "./rules.ts";

/** Where a file begins to be read when nothing is known of it. The `force` forms forget what was known. */
export type StartPosition = "end" | "beginning" | "forceEnd" | "forceBeginning";

/** Files to follow, and what their events take where they say nothing themselves. */
export interface TailSource {
  /** A path, or a pattern of paths. */
  readonly path: string;
  /** Patterns of paths left out. */
  readonly exclude?: readonly string[];
  /** Default `end`. */
  readonly startPosition?: StartPosition;
  readonly defaults?: Omit<InputProfile, "format">;
  /** How lines that are no JSON are read; by default the first line of a file tells. */
  readonly textFormat?: "syslog" | "text";
  readonly encoding?: "utf-8" | "utf-16-le";
  readonly rules?: readonly LineRule[];
  /** Exports of the Windows event log instead of lines, with what is taken of them. */
  readonly windows?: WindowsFilter;
}

/** Which Windows events are taken; what is absent takes all. */
export interface WindowsFilter {
  readonly channel?: string;
  readonly ids?: readonly number[];
  readonly providers?: readonly string[];
}
