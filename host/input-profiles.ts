import type { RecentEvents } from "./detect/recent.ts";
import type { InputProfile } from "./engine/task.ts";

/** From so many on, those that no event in sight bears give their numbers back. */
const SWEEP_FROM = 4096;

/**
 * Input profiles by number, so that an event can carry one. Senders may bring as many as they like: what is kept is bounded by
 * the events that can still be seen.
 */
export class InputProfiles {
  /** By number; empty places are free. */
  readonly list: Array<InputProfile | undefined> = [];
  readonly #recent: RecentEvents;
  readonly #numbers = new Map<string, number>();
  readonly #lastSlots: number[] = [];
  readonly #free: number[] = [];
  #sweepAt = SWEEP_FROM;

  constructor(recent: RecentEvents) {
    this.#recent = recent;
  }

  /** The number of a profile whose events are about to be added. */
  numberOf(profile: InputProfile): number {
    const text = JSON.stringify(profile);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      if (this.#numbers.size >= this.#sweepAt) this.#sweep();
      number = this.#free.pop() ?? this.list.length;
      this.list[number] = profile;
      this.#numbers.set(text, number);
    }
    // A task's events are within so many slots of the next one.
    this.#lastSlots[number] = this.#recent.count + TASK_SLOTS;
    return number;
  }

  restore(list: ReadonlyArray<InputProfile | null | undefined>): void {
    list.forEach((profile, number) => {
      this.list[number] = profile ?? undefined;
      this.#lastSlots[number] = this.#recent.count;
      if (profile) this.#numbers.set(JSON.stringify(profile), number);
      else this.#free.push(number);
    });
  }

  /** The list as it is saved, with room for profiles that only signals still know. */
  saved(): { readonly list: Array<InputProfile | undefined>; numberOf(profile: InputProfile): number } {
    const list = [...this.list];
    const numbers = new Map(list.map((profile, number) => [profile, number]));
    return {
      list,
      numberOf(profile) {
        let number = numbers.get(profile);
        if (number === undefined) numbers.set(profile, (number = list.push(profile) - 1));
        return number;
      },
    };
  }

  #sweep(): void {
    for (const [text, number] of this.#numbers) {
      if (this.#recent.mayBeSeen(this.#lastSlots[number]!)) continue;
      this.#numbers.delete(text);
      this.list[number] = undefined;
      this.#free.push(number);
    }
    this.#sweepAt = Math.max(SWEEP_FROM, this.#numbers.size * 2);
  }
}

/** Most events with a match that one task has. */
const TASK_SLOTS = 1 << 16;
