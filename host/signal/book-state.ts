import { StateFault, StateReader, StateWriter } from "../detect/state/bytes.ts";
import type { EventReader, MadeFrom } from "../event/made.ts";
import { OpenSignal, type SavedParts, type SignalPlan } from "./open-signal.ts";

/**
 * Signals of one rule: what a section `signals` holds.
 *
 *   u32 signals; of each:
 *     u32 place         among all saved signals, in the order in which they opened; those that are none any more come last
 *     u32 recentAt      among those of its key that a match may still extend, plus 1; 0: none of these
 *     u32 1 when it is none any more, and only others are made of it
 *     text key          JSON, of those that may be extended; a text is u32 length and UTF-8
 *     text head         JSON: what is shown of it, and what its events came to
 *     twice (first and last samples): u32 count; of each u32 number of its input's profile, u32 length, the event's bytes
 */
export interface SavedSignal {
  readonly signal: OpenSignal;
  readonly ruleIndex: number;
  readonly place: number;
  readonly recentAt: number;
  readonly isGone: boolean;
  /** JSON of the key's parts. */
  readonly key: string;
}

/** A signal read back, and the places of the signals it is made of. */
export interface ReadSignal extends SavedSignal {
  readonly parts: SavedParts | undefined;
}

/**
 * @param numberOf of an input, by which it will be known.
 * @param placeOf of a signal among all that are saved, -1 where it is not.
 */
export function writeSignals(signals: readonly SavedSignal[], numberOf: (input: MadeFrom) => number, placeOf: (signal: OpenSignal) => number): Uint8Array {
  const writer = new StateWriter();
  writer.u32(signals.length);
  for (const { signal, place, recentAt, isGone, key } of signals) {
    writer.u32(place);
    writer.u32(recentAt);
    writer.u32(isGone ? 1 : 0);
    writer.text(key);
    const { head, first, last } = signal.save(placeOf);
    writer.text(JSON.stringify(head));
    for (const samples of [first, last]) {
      writer.u32(samples.length);
      for (const { bytes, input } of samples) {
        writer.u32(numberOf(input));
        writer.bytes(bytes);
      }
    }
  }
  return writer.done();
}

/** Throws `StateFault` where the bytes are none that `writeSignals` wrote. */
export function readSignals(bytes: Uint8Array, ruleIndex: number, plan: SignalPlan, profiles: ReadonlyArray<MadeFrom | undefined>, eventReader: EventReader): ReadSignal[] {
  const reader = new StateReader(bytes);
  const signals: ReadSignal[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const [place, recentAt, gone] = [reader.u32(), reader.u32(), reader.u32()];
    const key = reader.text();
    const head = parsed(reader.text());
    const [first, last] = [readSamples(reader, profiles), readSamples(reader, profiles)];
    const { signal, parts } = OpenSignal.restore(head as never, first, last, plan, eventReader);
    signals.push({ signal, parts, ruleIndex, place, recentAt, isGone: gone !== 0, key });
  }
  if (!reader.isDone) throw new StateFault("the state is damaged: bytes are left over");
  return signals;
}

function readSamples(reader: StateReader, profiles: ReadonlyArray<MadeFrom | undefined>): Array<{ readonly bytes: Uint8Array; readonly input: MadeFrom }> {
  return Array.from({ length: Math.min(reader.u32(), SAMPLES_CAP) }, () => {
    const input = profiles[reader.u32()];
    if (!input) throw new StateFault("the state is damaged: an event of an unknown input");
    // A copy: the file's bytes are not to be held for a few samples.
    return { bytes: Buffer.from(reader.bytes()), input };
  });
}

const SAMPLES_CAP = 1000;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StateFault("the state is damaged: a signal cannot be read");
  }
}
