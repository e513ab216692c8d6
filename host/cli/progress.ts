import { mayBeTerminal } from "./output.ts";
import { byteSize, cut, safe } from "./text.ts";

/** Shorter work shows no bar. */
const AFTER_MS = 500;
const EVERY_MS = 100;
const BAR_CELLS = 24;
const CLEAR_LINE = "\r\u001b[2K";

/** How far reading has come, on a terminal's stderr, once it takes a while. */
export class Progress {
  readonly #totalBytes: number | undefined;
  #bytes = 0;
  #name = "";
  #nextMs = Date.now() + AFTER_MS;
  #shown = false;

  /** @param totalBytes undefined when there is no telling; then no bar is shown. */
  constructor(totalBytes: number | undefined) {
    this.#totalBytes = totalBytes !== undefined && mayBeTerminal() ? totalBytes : undefined;
  }

  begin(name: string): void {
    this.#name = name;
  }

  advance(bytes: number): void {
    this.#bytes += bytes;
    if (!this.#totalBytes || Date.now() < this.#nextMs || !process.stderr.isTTY) return;
    this.#nextMs = Date.now() + EVERY_MS;
    this.#shown = true;
    const share = Math.min(1, this.#bytes / this.#totalBytes);
    const filled = Math.round(share * BAR_CELLS);
    const line = `[${"#".repeat(filled)}${".".repeat(BAR_CELLS - filled)}] ${Math.round(share * 100)}%  ${byteSize(this.#bytes)} of ${byteSize(this.#totalBytes)}  ${safe(this.#name)}`;
    // A line that wraps could not be cleared again.
    process.stderr.write(`${CLEAR_LINE}${cut(line, Math.max(1, (process.stderr.columns ?? 80) - 1))}`);
  }

  end(): void {
    if (this.#shown) process.stderr.write(CLEAR_LINE);
  }
}
