import { createHash } from "node:crypto";
import { statSync } from "node:fs";

/** What the files of rules look like from outside: changes when one is written, added or taken away. */
export function filesSignature(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
    hash.update(`${file}\0${stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : "gone"}\0`);
  }
  return hash.digest("hex");
}

/**
 * Looks at files from time to time and says when they changed. A change is told once it has settled for one look, so that a folder
 * in the middle of being written is not read.
 */
export class FilesWatch {
  readonly #files: () => readonly string[];
  readonly #onChange: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #known: string;
  #unsettled: string | undefined;
  #telling = false;

  constructor(files: () => readonly string[], everyMs: number, onChange: () => Promise<void>) {
    this.#files = files;
    this.#onChange = onChange;
    this.#known = this.#look();
    this.#timer = setInterval(() => void this.#check(), everyMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): string {
    try {
      return filesSignature(this.#files());
    } catch {
      return "unreadable"; // the reader of the files says why
    }
  }

  async #check(): Promise<void> {
    if (this.#telling) return;
    const seen = this.#look();
    if (seen === this.#known || seen !== this.#unsettled) {
      this.#unsettled = seen;
      return;
    }
    this.#telling = true;
    this.#known = seen;
    try {
      await this.#onChange();
    } finally {
      this.#telling = false;
    }
  }
}
