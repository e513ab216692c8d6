import { KIND_OF_QUANTILE, QUANTILE_ALPHA, QUANTILE_BINS, QUANTILE_NEGATIVE, QUANTILE_POSITIVE, SKETCH_REFUSED, STORE_COLLAPSED } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

/** Quantiles of numbers: DDSketch, each within `alpha` of the true one's magnitude unless it fell among those collapsed. */
export class Quantile extends Sketch {
  /** `bins` bins for either sign: 346 span 1..10^6 at alpha 0.02. A growing sketch refuses what it would have to collapse for. */
  static start(room: SketchRoom, alpha: number, bins: number, growing = false): Quantile {
    const at = room.place(bins >= 2 && bins <= 65_536 ? room.kernel.quantileBytes(bins) : 0, "quantile");
    started(room.kernel.quantileStart(at, alpha, bins, growing ? 1 : 0), "quantile");
    return new Quantile(room, at);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): Quantile | undefined {
    const at = room.restore(bytes, KIND_OF_QUANTILE);
    return at === undefined ? undefined : new Quantile(room, at);
  }

  /** How many of the values were taken, in their order: all, unless the sketch is a growing one and full. */
  add(values: Float64Array): number {
    return this.room.feed(values, (address, count) => this.room.kernel.quantileAdd(this.at, address, count));
  }

  merge(other: Quantile): boolean {
    return this.room.kernel.quantileMerge(this.at, other.at) === 1;
  }

  /** The same content with more bins. */
  grown(bins: number): Quantile {
    const larger = Quantile.start(this.room, this.room.arena.f64[(this.at + QUANTILE_ALPHA) >> 3]!, bins, true);
    if (!larger.merge(this)) throw new RangeError("quantile: not larger");
    return larger;
  }

  get bins(): number {
    return this.room.arena.u32[(this.at + QUANTILE_BINS) >> 2]!;
  }
  /** Values taken. */
  get count(): number {
    return this.room.kernel.quantileCount(this.at);
  }
  /** Values that were no finite numbers. */
  get refused(): number {
    return this.room.arena.u32[(this.at + SKETCH_REFUSED) >> 2]!;
  }
  /** Have small magnitudes been counted together? */
  get isCollapsed(): boolean {
    const { u32 } = this.room.arena;
    return u32[(this.at + QUANTILE_POSITIVE + STORE_COLLAPSED) >> 2] !== 0 || u32[(this.at + QUANTILE_NEGATIVE + STORE_COLLAPSED) >> 2] !== 0;
  }

  /** Value of rank floor(q * (count - 1)); NaN where there is none. */
  quantile(q: number): number {
    return this.room.kernel.quantileAt(this.at, q);
  }
  /** Value of a rank, 0 = the least. */
  atRank(rank: number): number {
    return this.room.kernel.quantileAtRank(this.at, rank);
  }
  /** The ceil(p * count)-th smallest. */
  nearestRank(p: number): number {
    return this.atRank(Math.max(0, Math.ceil(p * this.count) - 1));
  }
}
