import { auditEvent } from "../control/audit/search.ts";
import type { IntakeSink } from "../intake/contract.ts";
import type { AuditStore } from "../store/audit.ts";

/** Stream of the journal that what people do here comes in by; no sender can name it. */
export const AUDIT_PARTITION = "\u0000audit";
const MOST_AT_ONCE = 200;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Hands the audit trail to detection as logs of `dataSource: audit`, each once and in order.
 *
 * What was handed over is known from the journal: each batch carries the number of its last record as its mark. So whatever comes
 * between (a full disk, a kill), the trail itself is what is pending, and nothing is lost or told twice.
 */
export class AuditFeed {
  readonly #store: AuditStore;
  readonly #sink: Pick<IntakeSink, "accept">;
  readonly #nowMs: () => number;
  readonly #onFault: (error: unknown) => void;
  #at: number;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #isClosed = false;

  /** @param mark the last one of this stream that is in the journal */
  constructor(store: AuditStore, sink: Pick<IntakeSink, "accept">, mark: string | undefined, nowMs: () => number, onFault: (error: unknown) => void) {
    this.#store = store;
    this.#sink = sink;
    this.#nowMs = nowMs;
    this.#onFault = onFault;
    // A database put back from a backup may be behind the journal.
    this.#at = Math.min(Number(mark ?? 0) || 0, store.head.number);
  }

  /** Number of the last record that detection has. */
  get handedOver(): number {
    return this.#at;
  }

  /** There may be something new; called within the transaction that writes it, so it is looked for later. */
  wake(): void {
    this.#isAsked = true;
    if (this.#isClosed) return;
    this.#running ??= this.#run().catch(this.#onFault).finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when all of the trail is with detection, or was refused for now. */
  async settle(): Promise<void> {
    this.wake();
    while (this.#running) await this.#running;
  }

  /** Hands nothing more over; what is on its way is waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    await undefined;
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false;
      while (!this.#isClosed && (await this.#handOver()));
    }
  }

  /** @returns whether there may be more that would be taken now. */
  async #handOver(): Promise<boolean> {
    const lines: string[] = [];
    let last = this.#at;
    let bytes = 0;
    for (const { number, record } of this.#store.after(this.#at, MOST_AT_ONCE)) {
      const line = `${JSON.stringify({ id: record.id, ...auditEvent(record) })}\n`;
      if (lines.length && bytes + line.length > MOST_BYTES) break;
      lines.push(line);
      bytes += line.length;
      last = number;
    }
    if (!lines.length) return false;
    const refusal = await this.#sink.accept([{
      // Pipelines of packs are for what comes from outside.
      profile: { format: "log", pipelines: [] }, bytes: Buffer.from(lines.join("")), arrivalMs: this.#nowMs(), partition: AUDIT_PARTITION, dataSource: "audit", mark: String(last),
    }]);
    if (refusal) return false;
    this.#at = last;
    return true;
  }
}
