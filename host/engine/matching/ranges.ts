import type { CidrBlock } from "../../query/tree.ts";
import type { Arena } from "../memory.ts";

/** First and last address, as numbers. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** The blocks of a family as disjoint ranges in ascending order, so that one binary search answers for all. */
export function mergedRanges(blocks: readonly CidrBlock[], family: 4 | 6): AddressRange[] {
  const ranges = blocks.filter((block) => block.family === family).map(rangeOf);
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: AddressRange[] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before && range.first <= before.last) {
      if (range.last > before.last) merged[merged.length - 1] = { first: before.first, last: range.last };
    } else merged.push(range);
  }
  return merged;
}

function rangeOf(block: CidrBlock): AddressRange {
  const first = block.bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  const hostBits = BigInt(block.bytes.length * 8 - block.prefix);
  return { first, last: first | ((1n << hostBits) - 1n) };
}

/** IPv4: u32 first and last. IPv6: 16 bytes each, network order. */
export function writeRanges(arena: Arena, ranges: readonly AddressRange[], family: 4 | 6): number {
  const half = family === 4 ? 4 : 16;
  const address = arena.alloc(Math.max(1, ranges.length) * half * 2, 16);
  ranges.forEach(({ first, last }, i) => {
    [first, last].forEach((number, side) => {
      const at = address + (i * 2 + side) * half;
      if (family === 4) arena.u32[at >>> 2] = Number(number);
      else for (let b = 0; b < 16; b++) arena.u8[at + b] = Number((number >> BigInt((15 - b) * 8)) & 0xffn);
    });
  });
  return address;
}
