import type { Json, LogEvent } from "../event/event.ts";

const VALUE_CAP = 100;
/** Events kept unmerged at most. */
const UNMERGED_CAP = 32;

type Members = { [name: string]: Json };

function isMembers(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface SavedMerge {
  readonly attributes: Members;
  readonly reserved: ReadonlyArray<readonly [name: string, values: readonly string[]]>;
  readonly high: readonly string[];
  readonly latest?: LogEvent;
}

/** Attributes of a signal's events, merged: one value stays as it is, several become a list. */
export class MergedEvents {
  readonly #attributes: Members = {};
  readonly #unmerged: LogEvent[] = [];
  readonly #reserved = new Map<string, Set<string>>();
  readonly #high = new Set<string>();
  /** The values of a list, as JSON: to look for one more among a hundred, again and again, would cost far more than to read it. */
  readonly #texts = new WeakMap<Json[], Set<string>>();
  /** The event that made the case true last. */
  latest: LogEvent | undefined;

  /** Takes an event that is not worth keeping as it is. */
  take(event: LogEvent): void {
    this.#mergeAll();
    this.latest = event;
    this.#mergeOne(event);
  }

  /** Takes an event; it is merged when somebody looks. */
  add(event: LogEvent): void {
    this.latest = event;
    this.#unmerged.push(event);
    if (this.#unmerged.length >= UNMERGED_CAP) this.#mergeAll();
  }

  /** All of it as JSON. */
  save(): SavedMerge {
    this.#mergeAll();
    return { attributes: this.#attributes, reserved: [...this.#reserved].map(([name, values]) => [name, [...values]]), high: [...this.#high], latest: this.latest };
  }

  static restore(saved: SavedMerge): MergedEvents {
    const merged = new MergedEvents();
    Object.assign(merged.#attributes, saved.attributes);
    for (const [name, values] of saved.reserved) merged.#reserved.set(name, new Set(values));
    for (const at of saved.high) merged.#high.add(at);
    merged.latest = saved.latest;
    return merged;
  }

  /** A second one with the same events, to add others to. */
  copy(): MergedEvents {
    return MergedEvents.restore(structuredClone(this.save()));
  }

  /** All values of a reserved attribute. */
  reserved(name: "host" | "service" | "source"): readonly string[] {
    this.#mergeAll();
    return [...(this.#reserved.get(name) ?? [])];
  }

  #mergeAll(): void {
    for (const event of this.#unmerged.splice(0)) this.#mergeOne(event);
  }

  #mergeOne(event: LogEvent): void {
    for (const name of ["host", "service", "source", "status"] as const) {
      const value = event[name];
      if (value === undefined) continue;
      const known = this.#reserved.get(name) ?? new Set();
      this.#reserved.set(name, known);
      if (known.size < VALUE_CAP) known.add(value);
    }
    this.#merge(this.#attributes, event.attributes ?? {}, "");
  }

  /** The signal as an event that suppressions, critical assets and templates look at; its values are those that further events join. */
  asEvent(group: Readonly<Record<string, string>>, tags: readonly string[], message: string): LogEvent {
    this.#mergeAll();
    const attributes: Members = { ...this.#attributes };
    for (const [field, value] of Object.entries(group)) {
      if (field.startsWith("@")) setPath(attributes, field.slice(1).split("."), value);
    }
    if (this.#high.size) attributes.workflow = { high_cardinality: [...this.#high].sort() };
    const first = (name: string): string | undefined => [...(this.#reserved.get(name) ?? [])][0];
    return {
      message, host: group.host ?? first("host"), service: group.service ?? first("service"), source: first("source"), status: first("status"),
      tags: [...tags], attributes,
    };
  }

  #merge(into: Members, from: Members, place: string): void {
    for (const [name, value] of Object.entries(from)) {
      if (value === null || name === "__proto__") continue;
      const at = place === "" ? name : `${place}.${name}`;
      // A field of too many values stays listed by name alone.
      if (this.#high.has(at)) continue;
      const known = into[name];
      if (isMembers(value) && (known === undefined || isMembers(known))) {
        const inner: Members = isMembers(known) ? known : {};
        into[name] = inner;
        this.#merge(inner, value, at);
      } else if (known === undefined) into[name] = copied(value);
      else this.#join(into, name, known, value, at);
    }
  }

  #join(into: Members, name: string, known: Json, value: Json, at: string): void {
    // Most events say what those before them said.
    if (known === value) return;
    const list = Array.isArray(known) ? known : [known];
    let seen = this.#texts.get(list);
    if (!seen) this.#texts.set(list, (seen = new Set(list.map((item) => JSON.stringify(item)))));
    for (const item of Array.isArray(value) ? value : [value]) {
      const text = JSON.stringify(item);
      if (seen.has(text)) continue;
      seen.add(text);
      list.push(item);
    }
    if (list.length > VALUE_CAP) {
      this.#high.add(at);
      delete into[name];
    } else into[name] = list.length === 1 ? list[0]! : list;
  }
}

/** What JSON holds, by hand: `structuredClone` looks for much more and takes several times as long. */
function copied(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const members: Members = {};
  for (const name of Object.keys(value)) {
    if (name === "__proto__") Object.defineProperty(members, name, { value: copied(value[name]!), enumerable: true, configurable: true, writable: true });
    else members[name] = copied(value[name]!);
  }
  return members;
}

/** What lies on the way is copied: it belongs to somebody else. */
function setPath(into: Members, path: readonly string[], value: string): void {
  let at = into;
  path.forEach((name, i) => {
    if (name === "__proto__") return;
    if (i === path.length - 1) {
      at[name] ??= value;
      return;
    }
    const inner = at[name];
    if (inner === undefined) at = at[name] = {};
    else at = isMembers(inner) ? (at[name] = { ...inner }) : {};
  });
}
