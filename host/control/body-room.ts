/** Bytes of bodies that are being read or worked on: of everybody, of one asker, and of all who have shown no key. */
const MOST_BYTES = 192 * 1024 * 1024;
const MOST_OF_ONE = 64 * 1024 * 1024;
const MOST_OF_STRANGERS = 8 * 1024 * 1024;

/** Memory for bodies: whoever sends many large ones, or sends them slowly, shall not take what logs need. */
export class BodyRoom {
  #bytes = 0;
  #strangers = 0;
  readonly #askers = new Map<string, number>();

  get bytes(): number {
    return this.#bytes;
  }

  /** @param asker undefined: somebody unknown. @returns what gives it back, called once; undefined where there is no room now. */
  take(asker: string | undefined, bytes: number): (() => void) | undefined {
    const own = asker === undefined ? this.#strangers : (this.#askers.get(asker) ?? 0);
    if (this.#bytes + bytes > MOST_BYTES || own + bytes > (asker === undefined ? MOST_OF_STRANGERS : MOST_OF_ONE)) return undefined;
    this.#add(asker, bytes);
    return () => this.#add(asker, -bytes);
  }

  #add(asker: string | undefined, bytes: number): void {
    this.#bytes += bytes;
    if (asker === undefined) {
      this.#strangers += bytes;
      return;
    }
    const own = (this.#askers.get(asker) ?? 0) + bytes;
    if (own === 0) this.#askers.delete(asker);
    else this.#askers.set(asker, own);
  }
}
