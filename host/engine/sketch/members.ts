import { KIND_OF_MEMBERS, MEMBERS_COUNT } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

const PLACES = 4;
const FILLED = 0.95;

/** A set of hashes that can be taken out again: cuckoo filter, false positives below 1.3e-4. */
export class Members extends Sketch {
  static start(room: SketchRoom, capacity: number, seed = 0n): Members {
    let buckets = 2;
    while (buckets * PLACES * FILLED < capacity) buckets *= 2;
    const at = room.place(buckets <= 1 << 26 ? room.kernel.membersBytes(buckets) : 0, "members");
    started(room.kernel.membersStart(at, buckets, seed), "members");
    return new Members(room, at);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): Members | undefined {
    const at = room.restore(bytes, KIND_OF_MEMBERS);
    return at === undefined ? undefined : new Members(room, at);
  }

  get size(): number {
    return this.room.arena.u32[(this.at + MEMBERS_COUNT) >> 2]!;
  }

  /** How many, in their order, were put in: fewer than given when it is full. */
  add(hashes: BigUint64Array): number {
    return this.room.feed(hashes, (address, count) => this.room.kernel.membersAdd(this.at, address, count));
  }

  has(hashes: BigUint64Array): Uint8Array {
    const { room } = this;
    const out = new Uint8Array(hashes.length);
    room.feed(hashes, (address, count, from) => {
      room.kernel.membersHas(this.at, address, count, room.answers);
      out.set(room.arena.u8.subarray(room.answers, room.answers + count), from);
      return count;
    });
    return out;
  }

  /** Only hashes that were put in may be taken out. How many were found. */
  remove(hashes: BigUint64Array): number {
    let removed = 0;
    this.room.feed(hashes, (address, count) => {
      removed += this.room.kernel.membersRemove(this.at, address, count);
      return count;
    });
    return removed;
  }

  /** How many of the other's members found no place; `undefined` where shape or seed differ. */
  merge(other: Members): number | undefined {
    const lost = this.room.kernel.membersMerge(this.at, other.at);
    return lost === -1 ? undefined : lost;
  }
}
