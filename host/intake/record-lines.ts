import type { RejectedRecord } from "./contract.ts";
import { type DecodeLimits, type Draft, Refused, reject } from "./exchange.ts";
import { shortened } from "./frame.ts";
import type { RecordDraft } from "./record.ts";

const LINE_END = Uint8Array.of(10);

/** Records a decoder has made, as lines for the engine. */
export class RecordLines {
  readonly #limits: DecodeLimits;
  readonly #parts: Uint8Array[] = [];
  readonly rejected: RejectedRecord[] = [];
  truncated = 0;
  events = 0;

  constructor(limits: DecodeLimits) {
    this.#limits = limits;
  }

  /** Shortens a record that is too long; false when it was rejected for that. Throws `too-large` for too many. */
  add(record: RecordDraft): boolean {
    if (this.events >= this.#limits.records) throw new Refused("too-large", `the request has more than ${this.#limits.records} events`);
    const whole = Buffer.from(record.text());
    const line = shortened(whole, this.#limits.recordBytes);
    if (!line) {
      this.reject("too-large", whole);
      return false;
    }
    if (line !== whole) this.truncated++;
    this.#parts.push(line, LINE_END);
    this.events++;
    return true;
  }

  /** Keeps a copy of the bytes. */
  reject(reason: string, bytes: Uint8Array): void {
    reject(this.rejected, reason, bytes);
  }

  batches(): Draft[] {
    return this.events ? [{ profile: { format: "intake" }, bytes: Buffer.concat(this.#parts) }] : [];
  }

  /** What a decoder says of them. */
  decoded(): { readonly batches: Draft[]; readonly events: number; readonly truncated: number; readonly rejected: RejectedRecord[] } {
    return { batches: this.batches(), events: this.events, truncated: this.truncated, rejected: this.rejected };
  }
}
