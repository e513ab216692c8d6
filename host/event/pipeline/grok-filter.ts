import type { Json } from "../event.ts";
import { readDateFormat } from "./grok-date.ts";
import { RegexWriter } from "./grok-regex.ts";
import { keyValueReader } from "./key-value.ts";
import { linearRegex } from "./linear-regex.ts";
import { percentDecoded } from "./percent.ts";
import type { GrokArgument, GrokFilter } from "./pipeline.ts";
import { queryString } from "./query-string.ts";
import { decodedBase64, entropyOf } from "./text-measure.ts";

/** Makes a value of a value; undefined when it cannot, and then the attribute is not made. */
export type FilterStep = (value: Json, arrivalMs: number | undefined) => Json | undefined;

export interface FilterFault {
  readonly message: string;
  readonly hint: string;
}

type Build = (args: readonly GrokArgument[]) => FilterStep | FilterFault;

function fault(message: string, hint: string): FilterFault {
  return { message, hint };
}

function texts(args: readonly GrokArgument[]): string[] | undefined {
  const out: string[] = [];
  for (const arg of args) {
    if (typeof arg !== "string") return undefined;
    out.push(arg.replace(/\\([ntr])/g, (_, letter: string) => ({ n: "\n", t: "\t", r: "\r" })[letter]!));
  }
  return out;
}

function onText(step: (text: string) => Json | undefined): FilterStep {
  return (value) => (typeof value === "string" ? step(value) : undefined);
}

function plain(name: string, step: FilterStep): Build {
  return (args) => (args.length ? fault(`${name} takes no arguments`, `write :${name}`) : step);
}

function numberStep(pattern: RegExp): FilterStep {
  return (value) => {
    if (typeof value === "number") return value;
    if (typeof value !== "string" || !pattern.test(value)) return undefined;
    const number = Number(value);
    return Number.isFinite(number) ? number : undefined;
  };
}

const integer = numberStep(/^[+-]?\d+$/);
const integerExt = numberStep(/^[+-]?\d+(?:[eE][+-]?\d+)?$/);
const number = numberStep(/^[+-]?(?:\d+\.?\d*|\.\d+)$/);
const numberExt = numberStep(/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/);

function wholeOnly(step: FilterStep): FilterStep {
  return (value, arrivalMs) => {
    const read = step(value, arrivalMs);
    return Number.isInteger(read) ? read : undefined;
  };
}

function buildBoolean(args: readonly GrokArgument[]): FilterStep | FilterFault {
  const patterns = args.length ? texts(args) : ["(?i)true", "(?i)false"];
  if (patterns?.length !== 2) return fault("boolean takes two patterns, what is true and what is false", 'write boolean("yes", "no")');
  let found: FilterFault | undefined;
  const [isTrue, isFalse] = patterns.map((pattern) => {
    const writer = new RegexWriter((message, hint) => (found ??= fault(message, hint)));
    writer.copy(pattern, 0, pattern.length);
    try {
      return linearRegex(found ? "" : writer.text);
    } catch (error) {
      found ??= fault((error as Error).message, "mend the pattern");
      return undefined;
    }
  });
  if (found) return found;
  return onText((text) => (isTrue!.matches(text) ? true : isFalse!.matches(text) ? false : undefined));
}

const JSON_DEPTH_CAP = 64;

function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth < JSON_DEPTH_CAP && Object.values(value).every((each) => isShallow(each, depth + 1));
}

function parsedJson(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return value === null || !isShallow(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** `array([[open and close,] separator][, filter])` */
function buildArray(args: readonly GrokArgument[]): FilterStep | FilterFault {
  const last = args.at(-1);
  const inner = Array.isArray(last) ? last as readonly GrokArgument[] : undefined;
  const words = texts(inner ? args.slice(0, -1) : args);
  if (!words || words.length > 2) return fault("array takes brackets, a separator and a filter", 'write array("[]", ",", integer)');
  const brackets = words.length === 2 ? words[0]! : "[]";
  const separator = words.length === 2 ? words[1]! : words[0] ?? ",";
  if (separator === "") return fault("the separator of array is empty", 'write array("[]", ",")');
  if (brackets.length > 2) return fault(`${JSON.stringify(brackets)} are more than two brackets`, 'write one that opens and one that closes: "[]"');
  const step = inner ? buildStep({ name: String(inner[0]), args: inner.slice(1) }) : undefined;
  if (step && typeof step !== "function") return step;
  const open = brackets[0] ?? "";
  const close = brackets[1] ?? "";
  return (value, arrivalMs) => {
    if (typeof value !== "string" || !value.startsWith(open) || !value.endsWith(close) || value.length < open.length + close.length) return undefined;
    const inside = value.slice(open.length, value.length - close.length);
    if (inside.trim() === "") return [];
    const out: Json[] = [];
    for (const each of inside.split(separator)) {
      const text = each.trim().replace(/^"([^"]*)"$|^'([^']*)'$/, "$1$2");
      const read = step ? step(text, arrivalMs) : text;
      if (read === undefined) return undefined;
      out.push(read);
    }
    return out;
  };
}

function buildKeyValue(args: readonly GrokArgument[]): FilterStep | FilterFault {
  const words = texts(args);
  if (!words || words.length > 4) return fault("keyvalue takes up to four texts", 'write keyvalue("=", "/:", "", ", ")');
  const read = keyValueReader({ separator: words[0] ?? "=", characters: words[1] ?? "", quotes: words[2] ?? "", delimiter: words[3] ?? "" });
  return read ? onText(read) : fault("the separator is empty, the characters are no class, or the quotes are not in pairs", 'write keyvalue("=", "/:", "<>")');
}

function buildDate(args: readonly GrokArgument[]): FilterStep | FilterFault {
  const words = texts(args);
  if (!words?.length || words.length > 3) return fault("date takes a format and a time zone", 'write date("yyyy-MM-dd HH:mm:ss", "Europe/Paris")');
  const format = readDateFormat(words[0]!, words[1]);
  if (typeof format === "string") return fault(format, 'write it as in date("dd/MMM/yyyy:HH:mm:ss Z"), with other text in single quotes');
  return (value, arrivalMs) => (typeof value === "string" ? format.read(value, arrivalMs) : undefined);
}

function buildDecodeUrl(args: readonly GrokArgument[]): FilterStep | FilterFault {
  const times = args[0] ?? 1;
  if (args.length > 1 || typeof times !== "number" || !Number.isInteger(times) || times < 1 || times > 9) return fault("decodeurl takes how many times to decode, 1 to 9", "write decodeurl(3)");
  return onText((text) => percentDecoded(text, times, true));
}

const refused = (instead: string): Build => () => fault("this filter is not offered here", instead);

const builders: ReadonlyMap<string, Build> = new Map(Object.entries<Build>({
  integer: plain("integer", integer),
  integerExt: plain("integerExt", wholeOnly(integerExt)),
  number: plain("number", number),
  numberExt: plain("numberExt", numberExt),
  boolean: buildBoolean,
  nullIf: (args) => (args.length === 1 && typeof args[0] === "string" ? (value) => (String(value) === args[0] ? undefined : value) : fault("nullIf takes one text", 'write nullIf("-")')),
  scale: (args) => {
    const factor = args[0];
    if (args.length !== 1 || typeof factor !== "number") return fault("scale takes one number", "write scale(1000000)");
    return (value, arrivalMs) => {
      const read = numberExt(value, arrivalMs) as number | undefined;
      return read === undefined || !Number.isFinite(read * factor) ? undefined : read * factor;
    };
  },
  lowercase: plain("lowercase", onText((text) => text.toLowerCase())),
  uppercase: plain("uppercase", onText((text) => text.toUpperCase())),
  json: plain("json", onText(parsedJson)),
  querystring: plain("querystring", onText(queryString)),
  decodeuricomponent: plain("decodeuricomponent", onText((text) => percentDecoded(text))),
  /** Ours: a form's text decoded up to so many times, for patterns that must see through doubled encoding. */
  decodeurl: buildDecodeUrl,
  /** Ours, for names that carry data: how long a text is, how evenly its characters are spread, and base64 read. */
  length: plain("length", onText((text) => Array.from(text).length)),
  entropy: plain("entropy", onText(entropyOf)),
  base64: plain("base64", onText(decodedBase64)),
  array: buildArray,
  keyvalue: buildKeyValue,
  date: buildDate,
  xml: refused("have the application write JSON, and use json"),
  rubyhash: refused("have the application write JSON, or read its pairs with keyvalue(\"=>\")"),
}));

/** A filter ready to use, or what is wrong with it. */
export function buildStep(filter: GrokFilter): FilterStep | FilterFault {
  const build = builders.get(filter.name);
  return build ? build(filter.args) : fault(`there is no filter ${filter.name}`, `use one of ${[...builders.keys()].filter((name) => name !== "xml" && name !== "rubyhash").join(" ")}`);
}

