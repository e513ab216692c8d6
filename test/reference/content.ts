/** Content anomaly as the words say it: every value is compared with every other of its group. */
export class PlainContent {
  readonly #learningMs: number;
  readonly #forgetMs: number;
  readonly #similarity: number;
  readonly #similarItems: number;
  readonly #groups = new Map<string, { firstMs: number; items: Array<{ readonly ms: number; readonly words: ReadonlySet<string> }> }>();
  readonly #segmenter = new Intl.Segmenter("en", { granularity: "word" });

  constructor(options: { readonly learningMs: number; readonly forgetMs: number; readonly similarity: number; readonly similarItems: number }) {
    this.#learningMs = options.learningMs;
    this.#forgetMs = options.forgetMs;
    this.#similarity = options.similarity;
    this.#similarItems = options.similarItems;
  }

  isOdd(key: string, timeMs: number, texts: readonly string[]): boolean {
    const words = new Set(texts.flatMap((text) => [...this.#segmenter.segment(text)].filter((part) => part.isWordLike).map((part) => part.segment)));
    if (words.size === 0) return false;
    const group = this.#groups.get(key) ?? { firstMs: timeMs, items: [] };
    this.#groups.set(key, group);
    group.items = group.items.filter((item) => item.ms > timeMs - this.#forgetMs);
    const similar = group.items.filter((item) => jaccard(item.words, words) >= this.#similarity - 1e-12).length;
    group.items.push({ ms: timeMs, words });
    return timeMs - group.firstMs >= this.#learningMs && similar < this.#similarItems;
  }
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  return common / (a.size + b.size - common);
}
