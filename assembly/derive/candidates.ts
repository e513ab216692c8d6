import { CANDIDATES_CAPACITY, CANDIDATES_FULL } from "../layout";
import { metNumbers } from "../extract/text";
import { candidateCount, hasEscapes, lookAtEscapes, lookAtQuad, lookAtRun, openCandidates, rowEnd, rowStart, turnTo } from "./candidate";
import { scanColons } from "./colons";
import { goThroughDots, openDots, scanDots } from "./dots";
import { openFilter } from "./filter";
import { openQuads } from "./quads";

/**
 * What may be a listed IP address in the bytes of a record, whatever texts they belong to. Few records hold one, so these are found in
 * one pass over the bytes, and only there does the host look at the text it stands in.
 */

const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;

/** Signs that others follow as in addresses: a dot two more in two to four bytes each, a colon another at once, or two more in two to five. */
function scanScalar(): void {
  const to = rowEnd();
  for (let p = rowStart(); p < to; p++) {
    const c = <u32>load<u8>(p);
    if (c == DOT) {
      if (hasNext(p, DOT, 4, true)) lookAtQuad(p);
    } else if (c == COLON && (load<u8>(p + 1) == COLON || hasNext(p, COLON, 5, true))) lookAtRun(p);
  }
}

function hasNext(p: usize, sign: u32, far: usize, again: bool): bool {
  for (let next = p + 2; next <= p + far; next++) if (<u32>load<u8>(next) == sign && (!again || hasNext(next, sign, far, false))) return true;
  return false;
}

/** @returns how many candidates there are; CANDIDATES_FULL when they do not fit. Of a row called odd there may be others as well. */
export function addressCandidates(struct: usize, rows: u32): u32 {
  const capacity = load<u32>(struct, CANDIDATES_CAPACITY);
  openCandidates(struct, rows);
  openFilter(struct);
  openQuads();
  openDots();
  // Texts may spell characters of addresses by their numbers.
  const numbered = hasEscapes() && metNumbers();
  for (let row: u32 = 0; row < rows; row++) {
    turnTo(row);
    if (numbered) lookAtEscapes();
    if (ASC_FEATURE_SIMD) scanColons(scanDots());
    else scanScalar();
    if (candidateCount() > capacity) return CANDIDATES_FULL;
  }
  goThroughDots();
  return candidateCount() > capacity ? CANDIDATES_FULL : candidateCount();
}
