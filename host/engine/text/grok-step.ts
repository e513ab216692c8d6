import * as layout from "../../../assembly/layout.ts";
import type { GrokFilter } from "../../event/pipeline/pipeline.ts";
import type { Arena } from "../memory.ts";
import type { MembersKey, ReadMembers } from "../pipelines/members-step.ts";
import type { HostTexts, TextFilter } from "./host-texts.ts";
import { compileText } from "./program.ts";
import { slotCount, writeProgram } from "./write.ts";

/** A column a capture goes to. */
export interface GrokFeed {
  readonly descriptor: number;
  /** The row's values there are taken away: what lay below an attribute that is a scalar now. */
  readonly clears: boolean;
  /** Only rows without a value there are given one. */
  readonly fills?: boolean;
}

export interface TextCapture {
  /** Number of the group in the regular expression. */
  readonly group: number;
  readonly path: readonly string[];
  /** What is made of the text; without it, the text itself. */
  readonly filter?: TextFilter;
  /** The same as grok filters: some of them the kernel knows. */
  readonly filters?: readonly GrokFilter[];
  /** What is made of the text is no scalar: columns it may go to, and how it is read. */
  readonly members?: { readonly keys: readonly MembersKey[]; readonly read: ReadMembers };
  /** The empty text is a value too. */
  readonly keepsEmpty?: boolean;
}

export interface GrokSpec {
  readonly rules: ReadonlyArray<{ readonly regex: string; readonly captures: readonly TextCapture[] }>;
  /** Descriptor of the column whose texts are read. */
  readonly source: number;
  /** Row bitset, 0 = every row. */
  readonly mask: number;
  feeds(capture: TextCapture): readonly GrokFeed[];
}

export interface GrokKernel {
  grok(struct: number, rows: number, ruleCount: number): number;
}

/** Rules of a grok parser as a text program over one column. */
export class GrokStep {
  readonly #struct: number;
  readonly #ruleCount: number;

  /** @throws UnsupportedPattern */
  constructor(arena: Arena, texts: HostTexts, spec: GrokSpec) {
    const code = compileText(spec.rules.map((rule) => rule.regex));
    this.#ruleCount = spec.rules.length;
    this.#struct = arena.alloc(layout.GROK_BYTES, 16);
    const rules = arena.alloc(spec.rules.length * 4, 4);
    spec.rules.forEach((rule, i) => {
      arena.u32[(rules >>> 2) + i] = writeCaptures(arena, texts, rule.captures, spec);
    });
    const fields = [
      [layout.GROK_PROGRAM, writeProgram(arena, code)], [layout.GROK_NUMBER, texts.program(spec.rules)], [layout.GROK_SOURCE, spec.source],
      [layout.GROK_MASK, spec.mask], [layout.GROK_RULES, rules], [layout.GROK_SLOTS, slotCount(code)], [layout.GROK_MATCHED, 0],
    ] as const;
    for (const [field, value] of fields) arena.u32[(this.#struct + field) >>> 2] = value;
  }

  /** @returns false when an area is full: the caller takes fewer rows. */
  run(kernel: GrokKernel, rows: number): boolean {
    return kernel.grok(this.#struct, rows, this.#ruleCount) !== 0;
  }
}

/** Captures nobody asks for are left out. */
function writeCaptures(arena: Arena, texts: HostTexts, captures: readonly TextCapture[], spec: GrokSpec): number {
  const wanted = captures.flatMap((capture) => {
    const feeds = spec.feeds(capture);
    return feeds.length ? [{ capture, feeds }] : [];
  });
  const list = arena.alloc(4 + wanted.length * layout.CAPTURE_BYTES, 4);
  arena.u32[list >>> 2] = wanted.length;
  wanted.forEach(({ capture, feeds }, i) => {
    const at = list + 4 + i * layout.CAPTURE_BYTES;
    const feedList = arena.alloc(feeds.length * 4, 4);
    arena.u32.set(feeds.map((feed) => (feed.descriptor | (feed.clears ? 1 : 0) | (feed.fills ? 2 : 0)) >>> 0), feedList >>> 2);
    const memo = capture.filter ? arena.alloc(layout.MEMO_BYTES, 8) : 0;
    const kind = filterKind(capture);
    const fields = [
      [layout.CAPTURE_GROUP, capture.group], [layout.CAPTURE_FILTER, kind],
      [layout.CAPTURE_NUMBER, capture.filter ? texts.filter(capture.filter) : 0],
      [layout.CAPTURE_FEEDS, feedList], [layout.CAPTURE_FEED_COUNT, feeds.length], [layout.CAPTURE_MEMO, memo],
    ] as const;
    for (const [field, value] of fields) arena.u32[(at + field) >>> 2] = value;
  });
  return list;
}

const ACCESS_TIME = "dd/MMM/yyyy:HH:mm:ss Z";
const numeric: ReadonlySet<string> = new Set(["integer", "number", "integerExt", "numberExt"]);

function filterKind({ filter, filters, keepsEmpty }: TextCapture): number {
  if (!filter) return keepsEmpty ? layout.CAPTURE_ANY_TEXT : layout.CAPTURE_TEXT;
  if (!filters) return layout.CAPTURE_HOST;
  if (filters.every((each) => numeric.has(each.name))) return layout.CAPTURE_NUMERIC;
  const [only] = filters;
  if (filters.length === 1 && only!.name === "date" && only!.args.length === 1 && only!.args[0] === ACCESS_TIME) return layout.CAPTURE_ACCESS_TIME;
  if (only!.name.startsWith("decodeur") && filters.slice(1).every((each) => each.name === "lowercase")) return layout.CAPTURE_URL;
  if (filters.every((each) => each.name === "lowercase")) return layout.CAPTURE_LOWER;
  return layout.CAPTURE_HOST;
}
