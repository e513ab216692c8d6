import type { WordSet } from "./word-set.ts";

/**
 * Which words a stretch may have, in about ten bits a word: of words it does not have, one or two in a hundred seem to be there;
 * of words it has, none seems missing. The bits of a word lie in one block of 64 bytes.
 */
const BLOCK_BYTES = 64;
const BITS_PER_WORD = 10;
const PROBES = 5;

export function fingerprint(words: WordSet): Buffer {
  const blocks = Math.max(1, Math.ceil((words.count * BITS_PER_WORD) / (BLOCK_BYTES * 8)));
  const bits = Buffer.alloc(blocks * BLOCK_BYTES);
  for (const word of words) {
    const block = blockOf(word, blocks);
    let probe = second(word);
    for (let k = 0; k < PROBES; k++, probe = next(probe)) bits[block + ((probe >>> 26) & 63)]! |= 1 << ((probe >>> 23) & 7);
  }
  return bits;
}

export function mayHave(bits: Uint8Array, word: number): boolean {
  const value = word >>> 0 || 1;
  const block = blockOf(value, bits.length / BLOCK_BYTES);
  let probe = second(value);
  for (let k = 0; k < PROBES; k++, probe = next(probe)) if ((bits[block + ((probe >>> 26) & 63)]! & (1 << ((probe >>> 23) & 7))) === 0) return false;
  return true;
}

function blockOf(word: number, blocks: number): number {
  return Math.floor((word / 0x1_0000_0000) * blocks) * BLOCK_BYTES;
}

function second(word: number): number {
  const h = Math.imul(word ^ 0x9e3779b9, 0x85ebca6b);
  return Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
}

function next(probe: number): number {
  return (Math.imul(probe, 0x915f77f5) + 0x6d2b79f5) | 0;
}
