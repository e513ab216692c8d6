import type { Json } from "../event.ts";
import { type Members, memberOf, setMember } from "./members.ts";

export interface KeyValueOptions {
  readonly separator: string;
  /** Characters beside `\w.-_@` that unquoted texts may hold, as in a class: `/:a-z`. */
  readonly characters: string;
  /** Opening and closing, side by side; empty stands for `""`, `''` and `<>`. */
  readonly quotes: string;
  /** What may stand between pairs; empty stands for blanks, `,` and `;`. */
  readonly delimiter: string;
}

/** Reads `key=value` pairs wherever they stand in a text; what is no pair is passed over. */
export function keyValueReader(options: KeyValueOptions): ((text: string) => Members) | undefined {
  let allowed: RegExp;
  try {
    allowed = new RegExp(`^[\\w.\\-@${options.characters}]$`);
  } catch {
    return undefined;
  }
  if (options.separator === "" || options.quotes.length % 2 !== 0) return undefined;
  const isAllowed = Array.from({ length: 128 }, (_, code) => allowed.test(String.fromCharCode(code)));
  const closing = new Map<string, string>();
  const quotes = options.quotes === "" ? `""''<>` : options.quotes;
  for (let i = 0; i < quotes.length; i += 2) closing.set(quotes[i]!, quotes[i + 1]!);
  const isDelimiter = (character: string): boolean => (options.delimiter === "" ? /[\s,;([{)\]}]/.test(character) : options.delimiter.includes(character));

  /** A quoted or plain text at `at`: where it ends, and what it says. */
  const textAt = (text: string, at: number, isKey: boolean): { readonly value: string; readonly isQuoted: boolean; readonly end: number } | undefined => {
    const close = closing.get(text[at] ?? "");
    if (close !== undefined) {
      const end = text.indexOf(close, at + 1);
      return end < 0 ? undefined : { value: text.slice(at + 1, end), isQuoted: true, end: end + 1 };
    }
    let end = at;
    while (end < text.length && !(isKey && text.startsWith(options.separator, end)) && (text.charCodeAt(end) >= 128 || isAllowed[text.charCodeAt(end)]) && !(options.delimiter !== "" && isDelimiter(text[end]!))) end++;
    return end === at ? undefined : { value: text.slice(at, end), isQuoted: false, end };
  };

  return (text) => {
    const found: Members = {};
    // Quotes that never close are looked for once, so that a text of quotes is read in one pass.
    const isClosed = new Map([...closing].map(([open, close]) => [open, text.lastIndexOf(close)]));
    let at = 0;
    while (at < text.length) {
      const last = isClosed.get(text[at]!);
      const key = last !== undefined && last <= at ? undefined : textAt(text, at, true);
      if (!key) {
        at++;
        continue;
      }
      let next = key.end;
      if (!text.startsWith(options.separator, next)) {
        at = next;
        continue;
      }
      next += options.separator.length;
      const lastOfValue = isClosed.get(text[next] ?? "");
      const value = lastOfValue !== undefined && lastOfValue <= next ? undefined : textAt(text, next, false);
      at = value ? value.end : next;
      const isWhole = value !== undefined && (at === text.length || isDelimiter(text[at]!));
      if (value && isWhole && key.value !== "" && !/\s/.test(key.value)) keep(found, key.value, value.isQuoted ? value.value : valueOf(value.value));
    }
    return found;
  };
}

function keep(found: Members, key: string, value: Json | undefined): void {
  if (value === undefined || value === "") return;
  const before = memberOf(found, key);
  if (Array.isArray(before)) before.push(value);
  else setMember(found, key, before === undefined ? value : [before, value]);
}

const NUMBER = /^[+-]?(?:\d{1,15}(?:\.\d{1,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?$/;

/** Numbers and truth values by their look; a code with a leading zero stays text. */
function valueOf(text: string): Json | undefined {
  if (text === "null") return undefined;
  if (text === "true" || text === "false") return text === "true";
  if (!NUMBER.test(text) || /^[+-]?0\d/.test(text)) return text;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}
