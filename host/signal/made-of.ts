import type { OpenSignal, Unread } from "./open-signal.ts";

/** A match at one signal, and how far back the signals that took part reach. */
interface Match {
  readonly fromMs: number;
  readonly timeMs: number;
}

/** The same by places among all saved signals. */
export interface SavedParts {
  readonly sources: ReadonlyArray<readonly [number: number, place: number]>;
  readonly matches: ReadonlyArray<readonly [number: number, fromMs: number, timeMs: number]>;
}

/** What a signal of a rule that reads signals is made of: other signals, and a match at the first match of some of them. */
export class MadeOf {
  /** By number, in the order they opened. */
  readonly #sources = new Map<number, OpenSignal>();
  /** Its matches, by number of the signal each is at. */
  readonly #matches = new Map<number, Match>();
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** May it hold signals that are in no match any more? */
  #isLoose = false;

  save(placeOf: (signal: OpenSignal) => number): SavedParts {
    this.#tighten();
    return {
      sources: [...this.#sources].map(([number, source]) => [number, placeOf(source)]), matches: [...this.#matches].map(([number, { fromMs, timeMs }]) => [number, fromMs, timeMs]),
    };
  }

  restore({ sources, matches }: SavedParts, at: (place: number) => OpenSignal | undefined): void {
    for (const [number, place] of sources) {
      const source = at(place);
      if (source) this.#sources.set(number, source);
    }
    for (const [number, fromMs, timeMs] of matches) {
      this.#matches.set(number, { fromMs, timeMs });
      this.#stretch({ fromMs, timeMs });
    }
  }

  /** Signals it is made of; looked at anew where matches have moved. */
  get size(): number {
    this.#tighten();
    return this.#sources.size;
  }

  get firstMs(): number {
    return this.#firstMs;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  get isMatched(): boolean {
    return this.#matches.size > 0;
  }

  /** False where it is part of it already. */
  add(number: number, source: OpenSignal): boolean {
    if (this.#sources.has(number)) return false;
    this.#sources.set(number, source);
    return true;
  }

  remove(number: number): void {
    this.#sources.delete(number);
  }

  /** A match, over the signals from one time to another; it takes the place of an earlier one at the same signal. */
  match(number: number, match: Match): void {
    const before = this.#matches.get(number);
    this.#matches.set(number, match);
    this.#stretch(match);
    if (before && (before.timeMs !== match.timeMs || before.fromMs < match.fromMs)) this.#left(before, match);
  }

  /** False where there was no match at it. */
  unmatch(number: number): boolean {
    const before = this.#matches.get(number);
    if (!before) return false;
    this.#matches.delete(number);
    this.#left(before, undefined);
    return true;
  }

  #stretch({ timeMs }: Match): void {
    this.#firstMs = Math.min(this.#firstMs, timeMs);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }

  /** A match moved or went. */
  #left({ timeMs }: Match, to: Match | undefined): void {
    this.#isLoose = true;
    if (timeMs === to?.timeMs || (timeMs > this.#firstMs && timeMs < this.#lastMs)) return;
    this.#firstMs = Number.POSITIVE_INFINITY;
    this.#lastMs = Number.NEGATIVE_INFINITY;
    for (const match of this.#matches.values()) this.#stretch(match);
  }

  /** With matches that moved or went may have gone signals that no other has. */
  #tighten(): void {
    if (!this.#isLoose) return;
    this.#isLoose = false;
    const spans: Array<{ readonly fromMs: number; timeMs: number }> = [];
    for (const match of [...this.#matches.values()].toSorted((a, b) => a.fromMs - b.fromMs)) {
      const last = spans.at(-1);
      if (last && match.fromMs <= last.timeMs) last.timeMs = Math.max(last.timeMs, match.timeMs);
      else spans.push({ ...match });
    }
    const ordered = [...this.#sources].toSorted(([, x], [, y]) => x.firstSeenMs - y.firstSeenMs);
    let at = 0;
    for (const [number, { firstSeenMs }] of ordered) {
      while (at < spans.length && spans[at]!.timeMs < firstSeenMs) at++;
      if (at === spans.length || firstSeenMs < spans[at]!.fromMs) this.#sources.delete(number);
    }
  }

  absorb(other: MadeOf): void {
    for (const [number, source] of other.#sources) this.#sources.set(number, source);
    for (const [number, match] of other.#matches) {
      this.#matches.set(number, match);
      this.#stretch(match);
    }
  }

  /** By time, ties as they opened. */
  get #ordered(): OpenSignal[] {
    this.#tighten();
    return [...this.#sources].toSorted(([a, x], [b, y]) => x.firstSeenMs - y.firstSeenMs || a - b).map(([, source]) => source);
  }

  /** Samples of the signals: the first ones and the last ones. */
  samples(most: number): readonly Unread[] {
    return this.#ends(most, (source) => source.sampleEvents);
  }

  /** The same as they are stored. */
  sampleTexts(most: number): readonly string[] {
    return this.#ends(most, (source) => source.sampleTexts);
  }

  #ends<Sample>(most: number, samplesOf: (source: OpenSignal) => readonly Sample[]): readonly Sample[] {
    const ordered = this.#ordered;
    const first: Sample[] = [];
    for (let i = 0; i < ordered.length && first.length < most * 2; i++) first.push(...samplesOf(ordered[i]!));
    if (first.length <= most * 2) return first;
    const last: Sample[] = [];
    for (let i = ordered.length - 1; i >= 0 && last.length < most; i--) last.unshift(...samplesOf(ordered[i]!));
    return [...first.slice(0, most), ...last.slice(-most)];
  }

  tags(most: number): readonly string[] {
    const tags = new Set<string>();
    for (const source of this.#ordered) {
      for (const tag of source.tags) if (tags.size < most) tags.add(tag);
      if (tags.size >= most) break;
    }
    return [...tags];
  }
}
