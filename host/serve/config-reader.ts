import type { Problem } from "../problem.ts";
import { nearest } from "../rule/nearest.ts";
import { isMembers, type Members } from "../rule/reader.ts";

const units: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/** Reads a settings file member by member; what nobody asked for is a mistake, and so is what is of another kind. */
export class ConfigReader {
  readonly #members: Members;
  readonly #place: string;
  readonly #problems: Problem[];
  readonly #asked = new Set<string>();
  readonly #inner: ConfigReader[] = [];

  constructor(value: unknown, place = "", problems: Problem[] = []) {
    this.#place = place;
    this.#problems = problems;
    this.#members = isMembers(value) ? value : {};
    if (!isMembers(value) && value !== null) this.#wrong("", value, "settings, name: value");
  }

  text(name: string, fallback: string): string {
    return this.#take(name, fallback, "a text", (value) => (typeof value === "string" ? value : undefined));
  }

  flag(name: string, fallback: boolean): boolean {
    return this.#take(name, fallback, "true or false", (value) => (typeof value === "boolean" ? value : undefined));
  }

  integer(name: string, fallback: number, low: number, high: number): number {
    return this.#take(name, fallback, `a whole number from ${low} to ${high}`, (value) => whole(value, low, high));
  }

  optionalInteger(name: string, low: number, high: number): number | undefined {
    return this.#take<number | undefined>(name, undefined, `a whole number from ${low} to ${high}`, (value) => whole(value, low, high));
  }

  integerOr<T extends string>(name: string, word: T, low: number, high: number): number | T {
    return this.#take<number | T>(name, word, `${word}, or a whole number from ${low} to ${high}`, (value) => (value === word ? word : whole(value, low, high)));
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    return this.#take(name, fallback, `one of ${choices.join(", ")}`, (value) => choices.find((each) => each === value));
  }

  /** Bytes, as a number or as `512mb`. */
  size(name: string, fallback: number, low: number): number {
    return this.#take(name, fallback, `a size such as 512mb, at least ${low} bytes`, (value) => bytesOf(value, low));
  }

  optionalSize(name: string, low: number): number | undefined {
    return this.#take<number | undefined>(name, undefined, `a size such as 50gb, at least ${low} bytes`, (value) => bytesOf(value, low));
  }

  texts(name: string): readonly string[] {
    return this.#take<readonly string[]>(name, [], "a list of texts", (value) => {
      const list = typeof value === "string" ? [value] : value;
      return Array.isArray(list) && list.every((each) => typeof each === "string") ? list : undefined;
    });
  }

  /** Texts, each under a name that the writer chose. */
  textsByName(name: string): Readonly<Record<string, string>> {
    return this.#take<Readonly<Record<string, string>>>(name, {}, "a text for each name", (value) => (isMembers(value) && Object.values(value).every((each) => typeof each === "string") ? (value as Record<string, string>) : undefined));
  }

  list(name: string): ConfigReader[] {
    const list = this.#take<readonly unknown[]>(name, [], "a list", (value) => (Array.isArray(value) ? value : undefined));
    return list.map((value, i) => this.#child(value, `${this.#at(name)}[${i}]`));
  }

  inner(name: string): ConfigReader {
    this.#asked.add(name);
    return this.#child(this.#members[name] ?? {}, this.#at(name));
  }

  problem(code: string, name: string, message: string, hint: string): void {
    this.#problems.push({ code, place: this.#at(name), message, hint });
  }

  /** Everything that is wrong, here and inside; once all has been read. */
  finish(): readonly Problem[] {
    for (const name of Object.keys(this.#members)) {
      if (this.#asked.has(name)) continue;
      const meant = nearest(name, [...this.#asked]);
      this.problem("serve/unknown-setting", name, `there is no setting ${JSON.stringify(name)}`, meant ? `did you mean ${meant}?` : `take it out; the settings here are ${[...this.#asked].join(", ")}`);
    }
    for (const inner of this.#inner) inner.finish();
    return this.#problems;
  }

  /** Where every setting stands that was asked for, such as `http.port` and `lines[0].host`; those with settings inside do not count. */
  places(): string[] {
    const inside = this.#inner.flatMap((inner) => inner.places());
    return [...[...this.#asked].map((name) => this.#at(name)).filter((place) => !inside.some((each) => each.startsWith(`${place}.`) || each.startsWith(`${place}[`))), ...inside];
  }

  #child(value: unknown, place: string): ConfigReader {
    const child = new ConfigReader(value, place, this.#problems);
    this.#inner.push(child);
    return child;
  }

  #take<T>(name: string, fallback: T, kind: string, read: (value: unknown) => T | undefined): T {
    this.#asked.add(name);
    const value = this.#members[name];
    if (value === undefined || value === null) return fallback;
    const taken = read(value);
    if (taken !== undefined) return taken;
    this.#wrong(name, value, kind);
    return fallback;
  }

  #wrong(name: string, value: unknown, kind: string): void {
    const shown = JSON.stringify(value) ?? String(value);
    this.problem("serve/bad-setting", name, `${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown} is not ${kind}`, `write ${kind}`);
  }

  #at(name: string): string {
    return this.#place === "" ? name : name === "" ? this.#place : `${this.#place}.${name}`;
  }
}

function whole(value: unknown, low: number, high: number): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= low && value <= high ? value : undefined;
}

function bytesOf(value: unknown, low: number): number | undefined {
  const [, number, unit = "b"] = /^(\d+(?:\.\d+)?)\s*([kmgt]?b)?$/i.exec(String(value)) ?? [];
  const bytes = number === undefined ? Number.NaN : Math.floor(Number(number) * units[unit.toLowerCase()]!);
  return bytes >= low && Number.isSafeInteger(bytes) ? bytes : undefined;
}
