import { SqlDriver } from "../store/driver.ts";
import type { StoredSignal } from "../signal-model/stored.ts";
import { SignalStore } from "../store/signals.ts";
import { Answers } from "./answers.ts";
import type { IndexStatus, WorkerSetup } from "./protocol.ts";
import { searchable } from "./searchable.ts";
import { SignalIndex } from "./signal-index.ts";

/**
 * Keeps an index like the store: reads signals in the order of their changes, a chunk at a time, and what changed since when it is
 * asked to. Dead rows are cleared away in pieces as well.
 */
export class IndexKeeper {
  readonly #sql: SqlDriver;
  readonly #store: SignalStore;
  readonly #setup: WorkerSetup;
  readonly #startMs = performance.now();
  readonly #stored: number;
  readonly #unread = new Set<string>();
  #index = new SignalIndex();
  #answers = new Answers(this.#index);
  #changeNumber = 0;
  #buildMs = 0;
  #isWhole = false;
  /** Under way; what changes meanwhile is done again in the new index. */
  #compaction: { readonly steps: Generator<void, SignalIndex>; readonly touched: Set<string> } | undefined;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#sql = SqlDriver.openToRead(setup.path);
    this.#store = new SignalStore(this.#sql);
    this.#stored = this.#store.count;
  }

  get answers(): Answers {
    return this.#answers;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  get status(): IndexStatus {
    const { count, dead, bytes, attributes, tags } = this.#index;
    return { isWhole: this.#isWhole, signals: count, unread: this.#unread.size, stored: this.#stored, deadRows: dead, fields: attributes.length + tags.size, indexBytes: bytes, buildMs: this.#buildMs };
  }

  /** One chunk of what changed; false when there was none. */
  read(): boolean {
    const rows = this.#store.changedAfter(this.#changeNumber, this.#setup.chunk);
    for (const stored of rows) {
      this.#take(stored);
      this.#compaction?.touched.add(stored.id);
      this.#changeNumber = stored.changeNumber;
    }
    if (rows.length === 0 && !this.#isWhole) {
      this.#isWhole = true;
      this.#index.trim();
      this.#index.prepare();
      this.#buildMs = performance.now() - this.#startMs;
    }
    return rows.length > 0;
  }

  /** All that changed until now. */
  readAll(): void {
    while (this.read());
  }

  /** Of these, how many there were. */
  remove(ids: readonly string[]): number {
    let count = 0;
    for (const id of ids) {
      // Told too late: it is there again.
      if (this.#store.get(id)) continue;
      if (this.#index.remove(id)) count++;
      this.#compaction?.touched.add(id);
    }
    return count;
  }

  /** A piece of clearing away; false when there is nothing to be done. */
  tidy(): boolean {
    if (!this.#compaction) {
      const { dead, rows } = this.#index;
      if (!this.#isWhole || dead < this.#setup.mostDead || dead * 4 < rows) return false;
      this.#compaction = { steps: this.#index.compacted(), touched: new Set() };
    }
    const { steps, touched } = this.#compaction;
    const step = steps.next();
    if (!step.done) return true;
    this.#compaction = undefined;
    this.#index = step.value;
    for (const id of touched) {
      this.#index.remove(id);
      const stored = this.#store.get(id);
      if (stored) this.#take(stored);
    }
    this.#index.trim();
    this.#index.prepare();
    this.#answers = new Answers(this.#index);
    return true;
  }

  /** One that cannot be read is not found, and does not keep the others from it. */
  #take(stored: StoredSignal): void {
    try {
      this.#index.add(searchable(stored));
    } catch {
      this.#index.remove(stored.id);
      this.#unread.add(stored.id);
      return;
    }
    this.#unread.delete(stored.id);
  }

  close(): void {
    this.#sql.close();
  }
}
