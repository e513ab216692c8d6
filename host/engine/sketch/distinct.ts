import { DISTINCT_DENSE, KIND_OF_DISTINCT } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

/** How many distinct hashes: HyperLogLog, standard error 1.04 / sqrt(2^precision), below 0.1 % up to 2^precision / 16 of them. */
export class Distinct extends Sketch {
  static start(room: SketchRoom, precision: number, seed = 0n): Distinct {
    const bytes = precision >= 4 && precision <= 16 ? room.kernel.distinctBytes(precision) : 0;
    const at = room.place(bytes, "distinct");
    started(room.kernel.distinctStart(at, bytes, precision, seed), "distinct");
    return new Distinct(room, at);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): Distinct | undefined {
    const at = room.restore(bytes, KIND_OF_DISTINCT);
    return at === undefined ? undefined : new Distinct(room, at);
  }

  get isDense(): boolean {
    return this.room.arena.u32[(this.at + DISTINCT_DENSE) >> 2] !== 0;
  }

  add(hashes: BigUint64Array): void {
    this.room.feed(hashes, (address, count) => this.room.kernel.distinctAdd(this.at, address, count));
  }

  /** Becomes the sketch of both; `false` where the seeds differ. */
  merge(other: Distinct): boolean {
    return this.room.kernel.distinctMerge(this.at, other.at) === 1;
  }

  count(): number {
    return this.room.kernel.distinctCount(this.at);
  }
}
