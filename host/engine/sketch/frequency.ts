import { FREQUENCY_DEPTH_CAP, KIND_OF_FREQUENCY } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

/** How often each hash came: Count-Min. Never too low; too high by more than `epsilon` of the total with probability `delta` at most. */
export class Frequency extends Sketch {
  static start(room: SketchRoom, options: { readonly epsilon: number; readonly delta: number; readonly conservative?: boolean; readonly seed?: bigint }): Frequency {
    const widthBits = Math.max(1, Math.ceil(Math.log2(Math.E / options.epsilon)));
    const depth = Math.max(1, Math.ceil(Math.log(1 / options.delta)));
    const fits = options.epsilon > 0 && options.delta > 0 && widthBits <= 24 && depth <= FREQUENCY_DEPTH_CAP;
    const at = room.place(fits ? room.kernel.frequencyBytes(widthBits, depth) : 0, "frequency");
    started(room.kernel.frequencyStart(at, widthBits, depth, options.conservative ? 1 : 0, options.seed ?? 0n), "frequency");
    return new Frequency(room, at);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): Frequency | undefined {
    const at = room.restore(bytes, KIND_OF_FREQUENCY);
    return at === undefined ? undefined : new Frequency(room, at);
  }

  add(hashes: BigUint64Array, weights?: Uint32Array): void {
    const { room } = this;
    room.feed(hashes, (address, count, from) => {
      if (weights) room.arena.u32.set(weights.subarray(from, from + count), room.answers >> 2);
      room.kernel.frequencyAdd(this.at, address, weights ? room.answers : 0, count);
      return count;
    });
  }

  of(hashes: BigUint64Array): Uint32Array {
    const { room } = this;
    const out = new Uint32Array(hashes.length);
    room.feed(hashes, (address, count, from) => {
      room.kernel.frequencyOf(this.at, address, room.answers, count);
      out.set(room.arena.u32.subarray(room.answers >> 2, (room.answers >> 2) + count), from);
      return count;
    });
    return out;
  }

  decay(): void {
    this.room.kernel.frequencyDecay(this.at);
  }

  merge(other: Frequency): boolean {
    return this.room.kernel.frequencyMerge(this.at, other.at) === 1;
  }
}
