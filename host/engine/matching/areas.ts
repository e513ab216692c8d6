import { READ_PAD, ROW_CAP, UNICODE_BYTES } from "../../../assembly/layout.ts";
import type { Arena } from "../memory.ts";

/** Working areas that no batch leaves anything in: one set serves every plan of a memory. */
export interface MatchAreas {
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly rowCounts: number;
  readonly pages: number;
  readonly chosen: number;
  readonly hashes: number;
  readonly pairs: number;
  readonly pairCapacity: number;
}

/** A text lies in a slot or in a repaired copy of one, three times as large; folding makes it at most half as long again. */
const SCRATCH_BYTES = 10 << 20;
const PAIR_CAPACITY = 1 << 17;

const made = new WeakMap<Arena, MatchAreas>();

/** The memory's working areas, with room for at least `pairs` pairs. */
export function matchAreas(arena: Arena, pairs: number): MatchAreas {
  const known = made.get(arena);
  if (known && known.pairCapacity >= pairs) return known;
  const pairCapacity = Math.max(PAIR_CAPACITY, pairs);
  const pairArea = arena.alloc(pairCapacity * 8, 64);
  const areas: MatchAreas = known
    ? { ...known, pairs: pairArea, pairCapacity }
    : {
      scratch: arena.alloc(SCRATCH_BYTES + 2 * READ_PAD, 64) + READ_PAD,
      scratchBytes: SCRATCH_BYTES,
      rowCounts: arena.alloc((ROW_CAP + 1) * 4),
      pages: arena.alloc(UNICODE_BYTES, 64),
      chosen: arena.alloc(ROW_CAP * 4, 64),
      hashes: arena.alloc(ROW_CAP * 8, 64),
      pairs: pairArea,
      pairCapacity,
    };
  made.set(arena, areas);
  return areas;
}
