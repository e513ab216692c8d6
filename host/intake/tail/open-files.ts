import type { FileHandle } from "node:fs/promises";

/** A file that may be open, and is not closed while somebody reads it. */
export interface Openable {
  handle: FileHandle | undefined;
  isBusy: boolean;
}

/** Keeps the number of open files within bounds: those not used for longest are closed, to be opened again when they grow. */
export class OpenFiles {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #open = new Set<Openable>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Says that the file is open and was used. */
  async used(file: Openable): Promise<void> {
    this.#open.delete(file);
    this.#open.add(file);
    if (this.#open.size <= this.#limit) return;
    for (const other of this.#open) {
      if (other.isBusy || other === file) continue;
      await this.close(other);
      if (this.#open.size <= this.#limit) return;
    }
  }

  async close(file: Openable): Promise<void> {
    const { handle } = file;
    file.handle = undefined;
    this.#open.delete(file);
    await handle?.close().catch(() => {});
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((file) => this.close(file)));
  }
}
