import type { Log } from "./model.ts";

export interface Pattern {
  /** The words that all have, `*` where they differ. */
  readonly text: string;
  readonly count: number;
  readonly share: number;
  readonly sources: readonly string[];
  readonly sample: Log;
  /** Search text for the words that stay. */
  readonly query: string;
}

const VARIES = /^(?:[^\p{L}]*\d[^\s]*|[0-9a-f]{8,}|[0-9a-f-]{32,}|.*@.*\..*|.*[\d]{2,}.*|\/[^\s]*)$/iu;
/** A position with more different words than this holds no word. */
const MOST_WORDS = 3;
const MOST_PATTERNS = 200;

/**
 * Messages that are alike but for what varies: numbers, addresses, ids, and places where many different words stand. Messages with as
 * many words and the same first one are held against each other.
 */
export function patternsOf(logs: readonly Log[]): readonly Pattern[] {
  const groups = new Map<string, Array<{ readonly log: Log; readonly words: readonly string[] }>>();
  for (const log of logs) {
    const words = textOf(log).slice(0, 1000).split(/\s+/).filter(Boolean).map((word) => (VARIES.test(word) ? "*" : word));
    const key = `${words.length} ${words.find((word) => word !== "*") ?? ""}`;
    const group = groups.get(key);
    if (group) group.push({ log, words });
    else groups.set(key, [{ log, words }]);
  }
  const patterns = [...groups.values()].flatMap((members) => {
    const length = members[0]!.words.length;
    const distinct = Array.from({ length }, (_, i) => new Set(members.map(({ words }) => words[i]!)).size);
    const merged = new Map<string, { readonly logs: Log[]; readonly words: readonly string[] }>();
    for (const { log, words } of members) {
      const general = words.map((word, i) => (distinct[i]! > MOST_WORDS ? "*" : word));
      const text = general.join(" ");
      const known = merged.get(text);
      if (known) known.logs.push(log);
      else merged.set(text, { logs: [log], words: general });
    }
    return [...merged.values()];
  });
  return patterns.toSorted((a, b) => b.logs.length - a.logs.length).slice(0, MOST_PATTERNS).map(({ logs: found, words }) => ({
    text: words.join(" ").replace(/\*(?: \*)+/g, "*"), count: found.length, share: found.length / logs.length, sample: found[0]!,
    sources: [...new Set(found.map(({ attributes: { tags = [] } }) => tags.find((tag) => tag.startsWith("source:"))?.slice(7) ?? ""))].filter(Boolean),
    query: words.filter((word) => /^[\p{L}]{3,}$/u.test(word)).slice(0, 8).join(" "),
  }));
}

/** A log without a message is told by what it is about. */
function textOf({ attributes: { message, attributes } }: Log): string {
  if (message) return message;
  const { evt } = attributes as { readonly evt?: { readonly name?: unknown; readonly outcome?: unknown } };
  return [evt?.name, evt?.outcome].filter((each) => typeof each === "string").join(" ") || Object.keys(attributes).join(" ");
}
