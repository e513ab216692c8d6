import type { ByteReader, ByteWriter } from "./store-bytes.ts";

/** Hashes kept one by one; beyond them registers estimate. */
const EXACT_CAP = 512;
const INDEX_BITS = 12;
const REGISTERS = 1 << INDEX_BITS;
/** Bias correction of HyperLogLog for so many registers. */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** Distinct values of one bucket: exact up to some hundreds, then HyperLogLog with a standard error of 1.6 %. */
export class DistinctCount {
  #exact: Set<number> | undefined = new Set();
  #registers: Uint8Array | undefined;
  /** Sum of 2^-register and registers still 0, kept as they change: the estimate is asked for with every event. */
  #sum = REGISTERS;
  #zeros = REGISTERS;

  /** @param hash any number but NaN. */
  add(hash: number): void {
    if (!this.#exact) {
      this.#register(hash);
      return;
    }
    this.#exact.add(hash);
    if (this.#exact.size <= EXACT_CAP) return;
    this.#registers = new Uint8Array(REGISTERS);
    for (const each of this.#exact) this.#register(each);
    this.#exact = undefined;
  }

  get count(): number {
    if (this.#exact) return this.#exact.size;
    const raw = (ALPHA * REGISTERS * REGISTERS) / this.#sum;
    const estimate = raw <= 2.5 * REGISTERS && this.#zeros > 0 ? REGISTERS * Math.log(REGISTERS / this.#zeros) : raw;
    return Math.max(EXACT_CAP, Math.round(estimate));
  }

  get sizeBytes(): number {
    return this.#exact ? 64 + this.#exact.size * 48 : REGISTERS + 128;
  }

  #register(hash: number): void {
    float[0] = hash;
    // Mixed once more: what is read as a number need not have all of its bits equally spread.
    const low = mix(words[0]! ^ Math.imul(words[1]!, 0x9e3779b1));
    const high = mix(words[1]! ^ Math.imul(low, 0x85ebca77));
    const at = low & (REGISTERS - 1);
    const rank = Math.clz32(high) + 1;
    const old = this.#registers![at]!;
    if (rank <= old) return;
    if (old === 0) this.#zeros--;
    this.#sum += 2 ** -rank - 2 ** -old;
    this.#registers![at] = rank;
  }

  write(writer: ByteWriter): void {
    writer.column(Float64Array.from(this.#exact ?? []));
    writer.column(new Uint32Array(this.#registers?.buffer ?? new ArrayBuffer(0)));
    writer.f64(this.#sum);
  }

  static read(reader: ByteReader): DistinctCount {
    const distinct = new DistinctCount();
    const exact = reader.f64s();
    const registers = new Uint8Array(reader.u32s().buffer);
    distinct.#sum = reader.f64();
    distinct.#exact = registers.length ? undefined : new Set(exact);
    if (registers.length !== REGISTERS) {
      reader.isWhole &&= registers.length === 0;
      return distinct;
    }
    distinct.#registers = registers;
    distinct.#zeros = registers.reduce((zeros, rank) => zeros + (rank === 0 ? 1 : 0), 0);
    return distinct;
  }
}

function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A number for the values of an event whose own hash, read as a number, is none. */
export function hashOfTexts(values: ReadonlyArray<readonly string[]>): number {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  const text = JSON.stringify(values);
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(i), 0x85ebca6b);
  }
  return mix(low) * 2 ** 20 + (mix(high) >>> 12);
}
