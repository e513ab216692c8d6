import * as layout from "../../assembly/layout.ts";
import { textDefaults } from "../event/decode.ts";
import type { Arena } from "./memory.ts";
import type { InputProfile } from "./task.ts";

/** What an input says of its events where they say nothing themselves. */
export type DefaultName = "source" | "service" | "host";

const STEP_NONE = 0;
const FIRST_BYTES = 512;

/**
 * The texts of an input's defaults and tags, in a plan's memory.
 *
 * They change from task to task and the plan does not: thousands of senders, each with a host and tags of its own, share it.
 */
export class PlanDefaults {
  readonly #arena: Arena;
  readonly #steps: ReadonlyArray<{ readonly name: DefaultName; readonly step: number }>;
  readonly #encoder = new TextEncoder();
  #room = 0;
  #capacity = 0;
  #taken: InputProfile | undefined;
  /** Where the tags lie, joined by commas. */
  tags = 0;
  tagsLength = 0;

  /** @param steps addresses of the derive steps that fill in a default. */
  constructor(arena: Arena, steps: ReadonlyArray<{ readonly name: DefaultName; readonly step: number }>) {
    this.#arena = arena;
    this.#steps = steps;
  }

  take(profile: InputProfile): void {
    if (profile === this.#taken) return;
    this.#taken = profile;
    const { source = textDefaults(profile).source, service, host, tags = [] } = profile;
    const values = { source, service, host };
    const texts = [...this.#steps.map(({ name }) => values[name] ?? ""), tags.join(",")].map((text) => this.#encoder.encode(text));
    this.#grow(texts.reduce((sum, text) => sum + text.length, 0));
    let at = this.#room;
    const { u8, u32 } = this.#arena;
    texts.forEach((text, i) => {
      u8.set(text, at);
      const step = this.#steps[i];
      if (step) {
        u32[(step.step + layout.STEP_KIND) >>> 2] = values[step.name] === undefined ? STEP_NONE : layout.STEP_DEFAULT;
        u32[(step.step + layout.STEP_TEXT) >>> 2] = at;
        u32[(step.step + layout.STEP_LENGTH) >>> 2] = text.length;
      } else {
        this.tags = at;
        this.tagsLength = text.length;
      }
      at += text.length;
    });
  }

  /** Nothing in the arena is given back, so each room is twice the last. */
  #grow(bytes: number): void {
    if (bytes <= this.#capacity) return;
    while (this.#capacity < bytes) this.#capacity = this.#capacity ? this.#capacity * 2 : FIRST_BYTES;
    this.#room = this.#arena.alloc(this.#capacity + layout.READ_PAD, 8);
  }
}

/** Sources whose events pass pipelines of their own; a plan of hundreds of rules takes some 20 MB. */
const NARROWED_PLANS = 24;

/**
 * Which inputs share a plan: those of one format and one list of pipelines. Lines of a source that pipelines ask for get a
 * plan without the others' pipelines; it finds the same, sooner.
 */
export class PlanKeys {
  readonly #sources: ReadonlySet<string>;
  readonly #narrowed = new Set<string>();

  /** @param sources those that pipelines ask for by name. */
  constructor(sources: ReadonlySet<string>) {
    this.#sources = sources;
  }

  of(profile: InputProfile, isText: boolean): { readonly key: string; readonly source: string | undefined } {
    const { source } = textDefaults(profile);
    const narrowed = isText && source !== undefined && this.#sources.has(source) && (this.#narrowed.has(source) || this.#narrowed.size < NARROWED_PLANS) ? source : undefined;
    if (narrowed !== undefined) this.#narrowed.add(narrowed);
    return { key: JSON.stringify([profile.format, profile.pipelines ?? null, narrowed ?? null, profile.dataSource ?? null, profile.isForeign ?? false]), source: narrowed };
  }
}
