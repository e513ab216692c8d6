import { READ_PAD, ROW_CAP, ROW_WORD_BYTES, UNICODE_BYTES } from "../../../assembly/layout.ts";
import type { Arena } from "../memory.ts";

/** Working areas that keep nothing from one batch to the next: one set serves every plan of a memory. */
export interface MatchAreas {
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly rowCounts: number;
  readonly pages: number;
  readonly chosen: number;
  readonly hashes: number;
  /** ROW_WORD_BYTES per predicate, and per query. */
  readonly bits: Region;
  readonly resultBits: Region;
  /** 8 bytes each. */
  readonly pairs: Region;
}

export interface Region {
  readonly address: number;
  readonly capacity: number;
}

/** A text lies in a slot or in a repaired copy of one, three times as large; folding makes it at most half as long again. */
const SCRATCH_BYTES = 10 << 20;
const LEAST_PAIRS = 1 << 17;

const made = new WeakMap<Arena, MatchAreas>();

/** The memory's working areas, with room for a plan of so many predicates and queries. */
export function matchAreas(arena: Arena, predicates: number, queries: number): MatchAreas {
  const known = made.get(arena);
  const areas: MatchAreas = {
    ...(known ?? fixedAreas(arena)),
    bits: atLeast(arena, known?.bits, predicates, ROW_WORD_BYTES),
    resultBits: atLeast(arena, known?.resultBits, queries, ROW_WORD_BYTES),
    pairs: atLeast(arena, known?.pairs, Math.max(LEAST_PAIRS, queries), 8),
  };
  made.set(arena, areas);
  return areas;
}

function fixedAreas(arena: Arena): Omit<MatchAreas, "bits" | "resultBits" | "pairs"> {
  return {
    scratch: arena.alloc(SCRATCH_BYTES + 2 * READ_PAD, 64) + READ_PAD,
    scratchBytes: SCRATCH_BYTES,
    rowCounts: arena.alloc((ROW_CAP + 1) * 4),
    pages: arena.alloc(UNICODE_BYTES, 64),
    chosen: arena.alloc(ROW_CAP * 4, 64),
    hashes: arena.alloc(ROW_CAP * 8, 64),
  };
}

/** The region when it is large enough, else a new one; plans made before keep theirs. */
function atLeast(arena: Arena, known: Region | undefined, entries: number, entryBytes: number): Region {
  if (known && known.capacity >= entries) return known;
  const capacity = Math.max(1, entries);
  return { address: arena.alloc(capacity * entryBytes, 64), capacity };
}
