import type { LogEvent } from "../../event/event.ts";
import { type EventReader, type MadeFrom } from "../../event/made.ts";
import type { RecentEvents } from "../recent.ts";

/** Events as a whole, for methods that look at more than the fields their rule names. */
export interface EventLookup {
  /** The event as detection saw it; undefined when it gave way to later ones. */
  event(slot: number): LogEvent | undefined;
  /** True only where no text of the event holds this one: nothing need be read then. */
  lacks(slot: number, text: string): boolean;
}

/** Looks events up in what was kept of the latest, and reads them as samples of signals are read. */
export class JudgedEvents implements EventLookup {
  readonly #recent: RecentEvents;
  readonly #profiles: ReadonlyArray<MadeFrom | undefined>;
  readonly #reader: EventReader;

  /** @param profiles by the number that was noted with the event. */
  constructor(recent: RecentEvents, profiles: ReadonlyArray<MadeFrom | undefined>, reader: EventReader) {
    this.#recent = recent;
    this.#profiles = profiles;
    this.#reader = reader;
  }

  event(slot: number): LogEvent | undefined {
    const bytes = this.#recent.bytes(slot);
    return bytes && this.#reader.event(bytes, this.#profiles[this.#recent.profile(slot)]!);
  }

  lacks(slot: number, text: string): boolean {
    const bytes = this.#recent.bytes(slot);
    return bytes !== undefined && this.#reader.lacks(bytes, this.#profiles[this.#recent.profile(slot)]!, text);
  }
}
