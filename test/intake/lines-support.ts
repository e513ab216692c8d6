import { decodeEvent } from "../../host/event/decode.ts";
import type { LogEvent } from "../../host/event/event.ts";
import type { IntakeBatch, IntakeKeys, IntakeSink, Refusal } from "../../host/intake/contract.ts";

/** Takes batches as the journal would, by copying; can be full, and can be slow. */
export class MemorySink implements IntakeSink {
  readonly batches: IntakeBatch[] = [];
  refusal: Refusal | undefined;
  accepts = 0;
  delayMs = 0;
  /** Bytes of the largest hand-over. */
  largest = 0;

  async accept(batches: readonly IntakeBatch[]): Promise<Refusal | undefined> {
    this.accepts++;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.refusal) return this.refusal;
    this.largest = Math.max(this.largest, batches.reduce((sum, { bytes }) => sum + bytes.length, 0));
    for (const batch of batches) this.batches.push({ ...batch, bytes: batch.bytes.slice() });
    return undefined;
  }

  /** Every line, in order, without blank ones. */
  lines(): string[] {
    return this.batches.flatMap((batch) => new TextDecoder().decode(batch.bytes).split("\n").filter((line) => line.trim() !== ""));
  }

  /** Every event, as detection would see it. */
  events(): LogEvent[] {
    return this.batches.flatMap((batch) => new TextDecoder().decode(batch.bytes).split("\n").filter((line) => line.trim() !== "").map((line) => decodeEvent(line, batch.profile)!));
  }
}

export function keysOf(required: boolean, ...keys: readonly string[]): IntakeKeys {
  return { required, has: (key) => keys.includes(key) };
}

/** Waits until it holds; a failure says what was waited for. */
export async function until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
