/** The 64-bit hash at hand, as two halves: a BigInt for each would cost more than the hash. */
export const hash = { lo: 0, hi: 0 };

let one = 0;
let two = 0;
let units = 0;

/** Begins with another hash, or with any two numbers that tell apart what the hashes are of. */
export function startHash(lo: number, hi: number): void {
  one = lo ^ 0x2127599b;
  two = hi ^ 0x5bd1e995;
  units = 0;
}

/** Adds a text. Its length goes in too: two texts are not the one they make together. */
export function addText(text: string): void {
  const { length } = text;
  add(length);
  units += length;
  let i = 0;
  for (; i + 1 < length; i += 2) add(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
  if (i < length) add(text.charCodeAt(i));
}

export function addNumber(number: number): void {
  add(number);
  units++;
}

/** Leaves the hash in `hash`. */
export function endHash(): void {
  one = (one ^ units) >>> 0;
  two = (two ^ units) >>> 0;
  one = (one + two) | 0;
  two = (two + one) | 0;
  one = finish(one);
  two = finish(two);
  one = (one + two) | 0;
  two = (two + one) | 0;
  hash.lo = one >>> 0;
  hash.hi = two >>> 0;
}

export function hashText(text: string): void {
  startHash(0, 0);
  addText(text);
  endHash();
}

/** MurmurHash3's two-lane round, 32 bits at a time. */
function add(word: number): void {
  let mixed = Math.imul(word, 0x239b961b);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0xab0e9789);
  one ^= mixed;
  one = (one << 19) | (one >>> 13);
  one = (one + two) | 0;
  one = (Math.imul(one, 5) + 0x561ccd1b) | 0;
  mixed = Math.imul(word, 0x38b34ae5);
  mixed = Math.imul((mixed << 17) | (mixed >>> 15), 0xa1e38b93);
  two ^= mixed;
  two = (two << 13) | (two >>> 19);
  two = (two + one) | 0;
  two = (Math.imul(two, 5) + 0x0bcaa747) | 0;
}

function finish(word: number): number {
  word ^= word >>> 16;
  word = Math.imul(word, 0x85ebca6b);
  word ^= word >>> 13;
  word = Math.imul(word, 0xc2b2ae35);
  return word ^ (word >>> 16);
}
