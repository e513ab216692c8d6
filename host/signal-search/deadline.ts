import { ProblemError } from "../problem.ts";

/** Looks between two looks at the clock. */
const TICKS = 4096;

/** Ends what takes too long: one thread answers everybody. */
export class Deadline {
  readonly #endMs: number;
  readonly #mostMs: number;
  #ticks = 0;

  constructor(mostMs: number) {
    this.#mostMs = mostMs;
    this.#endMs = performance.now() + mostMs;
  }

  /** To be called for each piece of work of a microsecond or so. Throws `signals/too-costly`. */
  tick(): void {
    if (++this.#ticks % TICKS === 0) this.check();
  }

  check(): void {
    if (performance.now() < this.#endMs) return;
    throw new ProblemError([{ code: "signals/too-costly", message: `the search took more than ${this.#mostMs} ms`, hint: "ask for less: fewer conditions, whole words instead of wildcards, or a field's name" }]);
  }
}
