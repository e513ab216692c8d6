import { type MatchColumns, pickMatches } from "../batch/matches.ts";
import { RecentIds } from "./recent-ids.ts";
import { StateFault, StateReader, StateWriter } from "./state/bytes.ts";

/** Leaves events out whose own id came before, within ten minutes of event time. An event without an id is never left out. */
export class Duplicates {
  readonly #ids: RecentIds;
  #kept = new Uint32Array(1024);
  /** Events left out so far. */
  dropped = 0;

  /** @param capBytes what ids may take. */
  constructor(capBytes: number) {
    this.#ids = new RecentIds(capBytes);
  }

  /** The batch without repeats; itself where it has none. In the order of the stream, each batch once. */
  without(batch: MatchColumns): MatchColumns {
    const { count, row, id, timeMs } = batch;
    if (this.#kept.length < count) this.#kept = new Uint32Array(count);
    const kept = this.#kept;
    let found = 0;
    let isRepeat = false;
    for (let i = 0; i < count; i++) {
      // An event that several rules match is one event.
      if (i === 0 || row[i] !== row[i - 1]) {
        const low = id[2 * i]!;
        const high = id[2 * i + 1]!;
        isRepeat = (low !== 0 || high !== 0) && this.#ids.isRepeat(low, high, timeMs[i]!);
        if (isRepeat) this.dropped++;
      }
      if (!isRepeat) kept[found++] = i;
    }
    return found === count ? batch : pickMatches(batch, kept.subarray(0, found));
  }

  get forgotten(): number {
    return this.#ids.forgotten;
  }

  get bytes(): number {
    return this.#ids.bytes;
  }

  /** f64 events left out, then the ids. */
  save(): { readonly ids: number; readonly bytes: Uint8Array } {
    const writer = new StateWriter(1024 + this.#ids.bytes);
    writer.f64(this.dropped);
    this.#ids.save(writer);
    return { ids: this.#ids.ids, bytes: writer.done() };
  }

  /** Throws `StateFault` where the bytes are none that `save` wrote. */
  restore(bytes: Uint8Array): void {
    const reader = new StateReader(bytes);
    this.dropped = reader.f64();
    this.#ids.restore(reader);
    if (!reader.isDone) throw new StateFault("the state is damaged: more than ids");
  }
}
