import { KIND_OF_SIGNATURE, SIGNATURE_DATA, SIGNATURE_LENGTH, SIGNATURE_LENGTH_CAP, SKETCH_BYTES } from "../layout";
import { startHead } from "../sketch/head";
import { drawn } from "../sketch/random";

// MinHash (Broder 1997) with permutations of 32-bit numbers by an odd factor and a summand.

/** Bytes of the constants for signatures of `length` values. */
export function signatureBytes(length: u32): u32 {
  return SIGNATURE_DATA + (length << 3);
}

/** Makes the constants of signatures of `length` values (4..256, a multiple of 4); 0 = no such length. */
export function signatureStart(at: usize, length: u32, seed: u64): u32 {
  if (length < 4 || length > <u32>SIGNATURE_LENGTH_CAP || (length & 3) != 0) return 0;
  startHead(at, KIND_OF_SIGNATURE, signatureBytes(length), seed);
  store<u32>(at, length, SIGNATURE_LENGTH);
  for (let i: u32 = 0; i < length; i++) {
    const place = at + (<usize>i << 2);
    store<u32>(place, <u32>drawn(seed, 2 * i) | 1, SIGNATURE_DATA);
    store<u32>(place + (<usize>length << 2), <u32>drawn(seed, 2 * i + 1), SIGNATURE_DATA);
  }
  return 1;
}

export function isSignature(at: usize): bool {
  const length = load<u32>(at, SIGNATURE_LENGTH);
  return length >= 4 && length <= <u32>SIGNATURE_LENGTH_CAP && (length & 3) == 0 && load<u32>(at, SKETCH_BYTES) == signatureBytes(length);
}

/**
 * Writes the signature of a token set: u32[length].
 *
 * Two signatures agree in a place with probability J, the similarity of the sets: the share of places that agree estimates J with a
 * standard error of sqrt(J (1 - J) / length), 0.04 at 0.7 with 128. An empty set has all ones. The signature of a union is the lesser
 * of both in each place.
 */
export function signature(at: usize, tokens: usize, count: u32, out: usize): void {
  const length = load<u32>(at, SIGNATURE_LENGTH);
  const factors = at + SIGNATURE_DATA;
  const summands = factors + (<usize>length << 2);
  memory.fill(out, 0xff, <usize>length << 2);
  for (let t: u32 = 0; t < count; t++) {
    const token = load<u64>(tokens + (<usize>t << 3));
    const x = <u32>(token ^ (token >> 32));
    if (ASC_FEATURE_SIMD) {
      const spread = i32x4.splat(x);
      for (let i: usize = 0; i < <usize>length << 2; i += 16) {
        const value = i32x4.add(i32x4.mul(spread, v128.load(factors + i)), v128.load(summands + i));
        v128.store(out + i, i32x4.min_u(v128.load(out + i), value));
      }
    } else {
      for (let i: usize = 0; i < <usize>length << 2; i += 4) {
        const value = x * load<u32>(factors + i) + load<u32>(summands + i);
        if (value < load<u32>(out + i)) store<u32>(out + i, value);
      }
    }
  }
}

/** Makes a signature that of the union with the set of another. */
export function signatureMerge(a: usize, b: usize, length: u32): void {
  for (let i: usize = 0; i < <usize>length << 2; i += 4) store<u32>(a + i, min<u32>(load<u32>(a + i), load<u32>(b + i)));
}

/** Places in which two signatures agree. */
export function agreeing(a: usize, b: usize, length: u32): u32 {
  let found: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < <usize>length << 2; i += 16) {
      found += <u32>popcnt<i32>(i32x4.bitmask(i32x4.eq(v128.load(a + i), v128.load(b + i))));
    }
    return found;
  }
  for (let i: usize = 0; i < <usize>length << 2; i += 4) found += load<u32>(a + i) == load<u32>(b + i) ? 1 : 0;
  return found;
}

/**
 * Writes a u64 key for each band of `rows` values.
 *
 * Two sets of similarity s share a band with probability 1 - (1 - s^rows)^bands: 32 bands of 4 rows miss a pair at 0.7 with 0.02 %,
 * at 0.6 with 1.2 %; 64 of 2 rows at 0.5 never (1e-8), at 0.35 with 0.02 %.
 */
export function bandKeys(values: usize, bands: u32, rows: u32, out: usize): void {
  for (let band: u32 = 0; band < bands; band++) {
    let key: u64 = <u64>band + 1;
    for (let row: u32 = 0; row < rows; row++) key = drawn(key ^ <u64>load<u32>(values + (<usize>(band * rows + row) << 2)), 0);
    store<u64>(out + (<usize>band << 3), key);
  }
}
