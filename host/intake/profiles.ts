import type { InputProfile } from "../engine/task.ts";

/**
 * Profiles in use. The engine keeps each, and senders choose what is in them: so their number has a bound, and what goes beyond
 * is written into the records instead.
 */
export class Profiles {
  readonly #known = new Map<string, InputProfile>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** The same object for the same content; undefined when there are too many already. */
  of(profile: InputProfile): InputProfile | undefined {
    const key = JSON.stringify([profile.format, profile.source, profile.service, profile.host, profile.tags, profile.pipelines]);
    const known = this.#known.get(key);
    if (known || this.#known.size >= this.#most) return known;
    this.#known.set(key, profile);
    return profile;
  }
}
