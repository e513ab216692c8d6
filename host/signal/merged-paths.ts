import type { Json } from "../event/event.ts";
import { fieldText } from "../query/field.ts";
import type { Scalar } from "../query/values.ts";

/** Distinct values of one path; of more it is kept that they were many. */
export const PATH_VALUES = 20;
/** Paths of one signal that have values, and places of its tree in all. */
const PATHS = 500;
const PLACES = 2000;
const DEPTH = 24;
const TEXT_UNITS = 2048;
/** UTF-16 units of all names and values together. */
const ROOM = 128 * 1024;
const CUT_MARK = "…[truncated]";

/** One place in the tree: an array's elements stand where the array does. */
interface Place {
  values: Scalar[] | undefined;
  /** It had too many values. */
  isHigh: boolean;
  /** Never dropped: the first values stay. */
  keeps: boolean;
  children: Map<string, Place> | undefined;
}

/** Values, 1 where they were too many, 1 where they stay, children by name. */
type SavedPlace = readonly [values: readonly Scalar[] | 0, isHigh: 0 | 1, keeps: 0 | 1, children: ReadonlyArray<readonly [string, SavedPlace]> | 0];

export interface SavedPaths {
  readonly root: SavedPlace;
  readonly leftOut: number;
}

/** Attributes of many events, one beside the other: of each path its first distinct values (platform spec 1.4). Bounded whatever the events hold. */
export class MergedPaths {
  #root: Place = emptyPlace();
  #paths = 0;
  #places = 0;
  #used = 0;
  /** Values for which there was no room; those of one path are not told apart. */
  leftOut = 0;

  /** Of this path the first values stay, however many follow. */
  keep(path: readonly string[]): void {
    // A name may itself hold the dots.
    for (const names of [path, [path.join(".")]]) {
      let place: Place | undefined = this.#root;
      for (const name of names) place = place && name !== "__proto__" ? this.#child(place, name) : undefined;
      if (place) place.keeps = true;
    }
  }

  add(attributes: { readonly [name: string]: Json }): void {
    this.#addTo(this.#root, attributes as Json, 0);
  }

  /** Scalars at a path, in the order they came; undefined where they are not all there. */
  at(path: readonly string[]): readonly Scalar[] | undefined {
    let place: Place | undefined = this.#root;
    for (const name of path) place = place?.children?.get(name);
    return place?.isHigh || this.leftOut > 0 ? undefined : (place?.values ?? []);
  }

  /** Takes over what another holds. */
  absorb(other: MergedPaths): void {
    this.leftOut += other.leftOut;
    this.#absorbPlace(this.#root, other.#root);
  }

  /** As one object: of one value a scalar, of several a list. */
  attributes(): { readonly [name: string]: Json } {
    return membersOf(this.#root) ?? {};
  }

  /** Paths of too many values as queries write them, without `@`, sorted. */
  highPaths(): string[] {
    const found: string[] = [];
    const look = (place: Place, path: readonly string[]): void => {
      if (place.isHigh) found.push(fieldText({ kind: "attribute", path }).slice(1));
      for (const [name, child] of place.children ?? []) look(child, [...path, name]);
    };
    look(this.#root, []);
    return found.sort();
  }

  save(): SavedPaths {
    return { root: savedPlace(this.#root), leftOut: this.leftOut };
  }

  static restore({ root, leftOut }: SavedPaths): MergedPaths {
    const merged = new MergedPaths();
    merged.leftOut = leftOut;
    merged.#root = merged.#restored(root);
    return merged;
  }

  #addTo(place: Place, value: Json, depth: number): void {
    if (value === null) return;
    if (typeof value !== "object") {
      this.#put(place, value);
      return;
    }
    if (depth >= DEPTH) {
      this.leftOut++;
      return;
    }
    if (Array.isArray(value)) {
      for (const element of value) this.#addTo(place, element, depth + 1);
      return;
    }
    for (const name of Object.keys(value)) {
      const inner = value[name]!;
      if (inner === null || name === "__proto__") continue;
      const child = place.children?.get(name) ?? this.#child(place, name);
      if (child) this.#addTo(child, inner, depth + 1);
    }
  }

  #child(place: Place, name: string): Place | undefined {
    const known = place.children?.get(name);
    if (known) return known;
    if (this.#places >= PLACES || this.#used + name.length > ROOM) {
      this.leftOut++;
      return undefined;
    }
    this.#places++;
    this.#used += name.length;
    const child = emptyPlace();
    (place.children ??= new Map()).set(name, child);
    return child;
  }

  #put(place: Place, value: Scalar): void {
    if (place.isHigh) return;
    const text = typeof value === "string" && value.length > TEXT_UNITS ? cut(value) : value;
    const { values } = place;
    if (values?.includes(text)) return;
    if (values && values.length >= PATH_VALUES) {
      if (!place.keeps) this.#makeHigh(place, values);
      return;
    }
    const size = sizeOf(text);
    if (this.#used + size > ROOM || (!values && this.#paths >= PATHS)) {
      this.leftOut++;
      return;
    }
    this.#used += size;
    if (values) values.push(text);
    else {
      this.#paths++;
      place.values = [text];
    }
  }

  #makeHigh(place: Place, values: readonly Scalar[]): void {
    for (const each of values) this.#used -= sizeOf(each);
    place.isHigh = true;
    place.values = undefined;
  }

  #absorbPlace(into: Place, from: Place): void {
    into.keeps ||= from.keeps;
    for (const value of from.values ?? []) this.#put(into, value);
    if (from.isHigh && !into.isHigh && !into.keeps) this.#makeHigh(into, into.values ?? []);
    for (const [name, child] of from.children ?? []) {
      const own = this.#child(into, name);
      if (own) this.#absorbPlace(own, child);
    }
  }

  #restored([values, isHigh, keeps, children]: SavedPlace): Place {
    const place: Place = { values: values === 0 ? undefined : [...values], isHigh: isHigh === 1, keeps: keeps === 1, children: undefined };
    if (isHigh || place.values) this.#paths++;
    for (const each of place.values ?? []) this.#used += sizeOf(each);
    if (children !== 0) {
      place.children = new Map(children.map(([name, child]) => {
        this.#places++;
        this.#used += name.length;
        return [name, this.#restored(child)];
      }));
    }
    return place;
  }
}

function emptyPlace(): Place {
  return { values: undefined, isHigh: false, keeps: false, children: undefined };
}

/** Not between the halves of a character. */
function cut(text: string): string {
  const end = /[\uD800-\uDBFF]/.test(text[TEXT_UNITS - 1]!) ? TEXT_UNITS - 1 : TEXT_UNITS;
  return text.slice(0, end) + CUT_MARK;
}

function sizeOf(value: Scalar): number {
  return typeof value === "string" ? value.length : 8;
}

function savedPlace({ values, isHigh, keeps, children }: Place): SavedPlace {
  return [values ?? 0, isHigh ? 1 : 0, keeps ? 1 : 0, children ? [...children].map(([name, child]) => [name, savedPlace(child)] as const) : 0];
}

function membersOf({ children }: Place): { [name: string]: Json } | undefined {
  let members: { [name: string]: Json } | undefined;
  for (const [name, child] of children ?? []) {
    const below = membersOf(child);
    const values: Json[] = child.values ?? [];
    // A path that was a value in one event and members in another is both.
    const all = below ? [...values, below] : values;
    if (all.length) (members ??= {})[name] = all.length === 1 ? all[0]! : all;
  }
  return members;
}
