import { CANDIDATES_BLOCKS4, CANDIDATES_FILTER4, CANDIDATES_NAMES, CANDIDATES_NAMES_SHIFT, CANDIDATES_NEAR4, CANDIDATES_SEED, CANDIDATES_SHIFT4, LISTED_FACTOR } from "../layout";

/** What passes over nearly all that is not listed, and over nothing that is. The twin of what writes it is in host/event/enrichment. */

const DOT: u32 = 0x2e;
/** No domain has so many bytes: 253 characters, of at most three bytes each. */
const LONGEST_NAME: usize = 768;

let filter4: usize = 0;
let shift4: u32 = 0;
let blocks4: usize = 0;
let near4: usize = 0;
let names: usize = 0;
let namesShift: u32 = 0;
let seed: u32 = 0;

export function openFilter(struct: usize): void {
  filter4 = load<u32>(struct, CANDIDATES_FILTER4);
  shift4 = load<u32>(struct, CANDIDATES_SHIFT4);
  blocks4 = load<u32>(struct, CANDIDATES_BLOCKS4);
  near4 = load<u32>(struct, CANDIDATES_NEAR4);
  names = load<u32>(struct, CANDIDATES_NAMES);
  namesShift = load<u32>(struct, CANDIDATES_NAMES_SHIFT);
  seed = load<u32>(struct, CANDIDATES_SEED);
}

// @ts-ignore: decorator
@inline
function mixed(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

// @ts-ignore: decorator
@inline
function has(words: usize, shift: u32, h: u32): u32 {
  const word = load<u32>(words + (<usize>(h >> shift) << 2));
  return (word >> (h & 31)) & (word >> ((h >> 5) & 31)) & 1;
}

/** 1 where the IPv4 address may be listed, or may lie in a listed block. */
// @ts-ignore: decorator
@inline
export function mayBeListed4(address: u32): u32 {
  const block = (<u32>load<u8>(blocks4 + <usize>(address >> 11)) >> ((address >> 8) & 7)) & 1;
  return has(filter4, shift4, mixed((seed ^ address) * 0x9e3779b1)) | block & <u32>(blocks4 != 0);
}

/** 0 where no IPv4 address is listed that has its upper 22 bits, and no block. It is small enough to be at hand. */
// @ts-ignore: decorator
@inline
export function mayBeNear4(address: u32): u32 {
  return (<u32>load<u8>(near4 + <usize>(address >> 13)) >> ((address >> 10) & 7)) & 1;
}

/** May the whole text, in whatever case, be listed? With `parents`, also what stands behind its dots, of two labels and more. */
export function mayBeName(p: usize, n: usize, parents: bool): bool {
  if (parents && n > LONGEST_NAME) return false;
  let end = p + n;
  if (end > p && load<u8>(end - 1) == DOT) end--;
  let h = seed;
  let dots = 0;
  while (end > p) {
    let c = <u32>load<u8>(--end);
    // Letters of other alphabets have cases of their own.
    if (c > 127) return true;
    if (c - 65 < 26) c |= 0x20;
    else if (c == DOT && parents && dots++ && has(names, namesShift, mixed(h))) return true;
    h = (h ^ c) * LISTED_FACTOR;
  }
  return has(names, namesShift, mixed(h)) != 0;
}
