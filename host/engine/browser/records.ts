/** One record of a pasted text, as it stands there and as the kernels are given it: on one line. */
export interface Record {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly text: string;
  readonly fed: string;
}

/** What an array of events begins with; a line in brackets, such as a time, is none. */
const ARRAY_START = /^\[\s*(?:[{["\]]|$)/;
/** What a line ends with inside of an object that goes on. */
const GOES_ON = /[{[,:]\s*$/;
const LINE_BREAKS = /[\r\n]+/g;

/**
 * The records of a pasted text: objects of JSON one a line, over several lines or one behind the other, the elements of one array, and
 * lines of plain text, which are messages. Nothing is refused here: what is no event is for the kernels to say.
 */
export function recordsOf(pasted: string): Record[] {
  const text = pasted.replace(/^\ufeff/, "");
  const start = text.length - text.trimStart().length;
  return ARRAY_START.test(text.slice(start, start + 1000)) ? elementsOf(text, start) : linesOf(text);
}

function linesOf(text: string): Record[] {
  const records: Record[] = [];
  let line = 1;
  // After an object that never ends, the lines behind it are read for themselves.
  let isWhole = true;
  for (let at = 0; at < text.length; ) {
    const feed = text.indexOf("\n", at);
    const end = feed < 0 ? text.length : feed;
    const own = text.slice(at, end).trim();
    if (own.startsWith("{")) {
      const open = text.indexOf("{", at);
      if (isWhole && GOES_ON.test(own)) {
        const close = endOf(text, open);
        const whole = close < 0 ? "" : text.slice(open, close);
        if ((isWhole = isJson(whole))) {
          records.push({ line, text: whole, fed: oneLine(whole) });
          line += whole.split("\n").length - 1;
          at = close;
          continue;
        }
      }
      for (const part of objectsOf(own)) records.push({ line, text: part, fed: part });
    } else if (own !== "") records.push({ line, text: own, fed: JSON.stringify({ message: own }) });
    at = end + 1;
    line++;
  }
  return records;
}

/** Objects one behind the other; a line with anything else is one record, as it stands. */
function objectsOf(line: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < line.length; ) {
    if (line[at] === " " || line[at] === "\t") at++;
    else {
      const end = line[at] === "{" ? endOf(line, at) : -1;
      if (end < 0) return [line];
      parts.push(line.slice(at, end));
      at = end;
    }
  }
  return parts;
}

function elementsOf(text: string, start: number): Record[] {
  const records: Record[] = [];
  let line = 1 + text.slice(0, start).split("\n").length - 1;
  let from = -1;
  const take = (end: number): void => {
    const own = from < 0 ? "" : text.slice(from, end).trimEnd();
    if (own !== "") records.push({ line: line - (text.slice(from, end).split("\n").length - 1), text: own, fed: oneLine(own) });
    from = -1;
  };
  let at = start + 1;
  for (; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === "\n") line++;
    if (sign === "]" || sign === ",") {
      take(at);
      if (sign === "]") break;
    } else if (from < 0 && !/\s/.test(sign)) {
      from = at;
      if (sign === "{" || sign === "[" || sign === '"') {
        const end = endOf(text, at);
        if (end < 0) break;
        line += text.slice(at, end).split("\n").length - 1;
        at = end - 1;
      }
    }
  }
  // What begins and does not end.
  if (from >= 0) {
    const own = text.slice(from).trimEnd();
    records.push({ line, text: own, fed: oneLine(own) });
  } else records.push(...linesOf(text.slice(at + 1)).map((record) => ({ ...record, line: record.line + line - 1 })));
  return records;
}

/** One past the end of the value that begins here: an object, an array or a text. -1 where it has none. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at++) {
    const sign = text[at];
    if (isText) {
      if (sign === "\\") at++;
      else if (sign === '"') isText = false;
    } else if (sign === '"') isText = true;
    else if (sign === "{" || sign === "[") depth++;
    else if (sign === "}" || sign === "]") depth--;
    if (depth === 0 && !isText) return at + 1;
  }
  return -1;
}

function oneLine(json: string): string {
  return json.replace(LINE_BREAKS, " ");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
