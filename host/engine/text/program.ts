import {
  ASSERT_END, ASSERT_NO_WORD, ASSERT_START, ASSERT_WORD, RUN_GREEDY, RUN_LAZY, RUN_POSSESSIVE, TEXT_ASSERT, TEXT_JUMP, TEXT_LITERAL, TEXT_MATCH, TEXT_RUN,
  TEXT_NEED, TEXT_SAVE, TEXT_SET, TEXT_SPLIT,
} from "../../../assembly/layout.ts";
import { unreachable } from "../../problem.ts";
import { type ByteSet, type RegexNode, UnsupportedPattern, readRegex } from "./regex.ts";

/** One instruction; operands that name instructions do so by number. */
export type Instruction =
  | { readonly op: typeof TEXT_LITERAL; readonly bytes: readonly number[] }
  | { readonly op: typeof TEXT_SET; readonly set: ByteSet }
  | {
      readonly op: typeof TEXT_RUN; readonly set: ByteSet; readonly min: number; readonly max: number;
      readonly mode: typeof RUN_GREEDY | typeof RUN_LAZY | typeof RUN_POSSESSIVE;
    }
  | { readonly op: typeof TEXT_SPLIT; first: number; second: number; firstSet: ByteSet | undefined; secondSet: ByteSet | undefined }
  | { readonly op: typeof TEXT_JUMP; to: number }
  | { readonly op: typeof TEXT_SAVE; readonly slot: number }
  | { readonly op: typeof TEXT_ASSERT; readonly what: number }
  | { readonly op: typeof TEXT_NEED; readonly texts: ReadonlyArray<readonly number[]> }
  | { readonly op: typeof TEXT_MATCH; readonly rule: number };

/** What may come next: the bytes it can begin with, and whether it can be nothing at all. */
interface First {
  readonly set: ByteSet;
  readonly empty: boolean;
}

const INSTRUCTION_CAP = 8192;
const nothing: First = { set: new Array<boolean>(256).fill(false), empty: true };
const asserts = { start: ASSERT_START, end: ASSERT_END, word: ASSERT_WORD, noWord: ASSERT_NO_WORD } as const;

function union(a: ByteSet, b: ByteSet): ByteSet {
  return a.map((isIn, byte) => isIn || b[byte]!);
}

function then(first: First, next: First): First {
  return first.empty ? { set: union(first.set, next.set), empty: next.empty } : first;
}

function firstOf(node: RegexNode): First {
  switch (node.kind) {
    case "literal":
      return node.bytes.length ? { set: nothing.set.map((_, byte) => byte === node.bytes[0]), empty: false } : nothing;
    case "set":
      return { set: node.set, empty: false };
    case "sequence":
      return node.parts.reduceRight<First>((next, part) => then(firstOf(part), next), nothing);
    case "choice":
      return node.parts.map(firstOf).reduce((a, b) => ({ set: union(a.set, b.set), empty: a.empty || b.empty }));
    case "repeat": {
      const first = firstOf(node.part);
      return { set: node.max === 0 ? nothing.set : first.set, empty: first.empty || node.min === 0 };
    }
    case "group":
      return firstOf(node.part);
    case "assert":
      return nothing;
    default:
      return unreachable(node);
  }
}

/** Texts that stand in whatever the pattern matches, in this order. */
function neededTexts(node: RegexNode): ReadonlyArray<readonly number[]> {
  switch (node.kind) {
    case "literal":
      return [node.bytes];
    case "sequence":
      return node.parts.flatMap(neededTexts);
    case "group":
      return neededTexts(node.part);
    case "repeat":
      return node.min > 0 ? neededTexts(node.part) : [];
    case "choice":
    case "set":
    case "assert":
      return [];
    default:
      return unreachable(node);
  }
}

/** Repetitions that may end in many places. */
function looseRuns(node: RegexNode): number {
  switch (node.kind) {
    case "sequence":
    case "choice":
      return node.parts.reduce((sum, part) => sum + looseRuns(part), 0);
    case "group":
      return looseRuns(node.part);
    case "repeat":
      return node.max === Number.POSITIVE_INFINITY && (node.lazy || (node.part.kind === "set" && node.part.set[SPACE] === true)) ? 1 : looseRuns(node.part);
    default:
      return 0;
  }
}

const SPACE = 32;
/** A search ahead costs less than trying where each of so many runs may end. */
const LOOSE_RUNS = 2;
const NEEDED_LENGTH = 4;

/**
 * Compiles rules into one program: they are tried in order, each on the whole text, as RE2 and Perl would (leftmost first).
 *
 * @throws UnsupportedPattern when a rule says something the program cannot.
 */
export function compileText(patterns: readonly string[]): Instruction[] {
  const emitter = new Emitter();
  const nodes = patterns.map(readRegex);
  nodes.forEach((node, rule) => emitter.rule(node, rule, nodes.slice(rule + 1)));
  return emitter.code;
}

/** `(?:[^"\\]|\\.)*` as runs of the set with the other parts between them: the same texts in the same way, where a byte tells which it is. */
function runsBetween(parts: readonly RegexNode[]): RegexNode | undefined {
  const set = parts.find((part) => part.kind === "set");
  const others = parts.filter((part) => part !== set);
  if (!set) return undefined;
  const isTold = others.every((part) => {
    const first = firstOf(part);
    return !first.empty && !first.set.some((isIn, byte) => isIn && set.set[byte]);
  });
  if (!isTold) return undefined;
  const all = { min: 0, max: Number.POSITIVE_INFINITY, lazy: false } as const;
  const run: RegexNode = { kind: "repeat", part: set, ...all };
  const between: RegexNode = others.length === 1 ? others[0]! : { kind: "choice", parts: others };
  return { kind: "sequence", parts: [run, { kind: "repeat", part: { kind: "sequence", parts: [between, run] }, ...all }] };
}

type Split = Extract<Instruction, { readonly op: typeof TEXT_SPLIT }>;

class Emitter {
  readonly code: Instruction[] = [];

  rule(node: RegexNode, rule: number, others: readonly RegexNode[]): void {
    const split = others.length ? this.#split(firstOf(node), firstOf({ kind: "choice", parts: others })) : undefined;
    if (split) split.first = this.code.length;
    const texts = looseRuns(node) >= LOOSE_RUNS ? neededTexts(node).filter((text) => text.length >= NEEDED_LENGTH) : [];
    if (texts.length) this.#push({ op: TEXT_NEED, texts });
    this.#emit(node, nothing);
    this.#push({ op: TEXT_MATCH, rule });
    if (split) split.second = this.code.length;
  }

  #push(instruction: Instruction): void {
    if (this.code.push(instruction) > INSTRUCTION_CAP) throw new UnsupportedPattern("a pattern too large");
  }

  /** @param first what the way tried first can begin with; @param second the other. */
  #split(first: First, second: First): Split {
    const split: Split = { op: TEXT_SPLIT, first: 0, second: 0, firstSet: first.empty ? undefined : first.set, secondSet: second.empty ? undefined : second.set };
    this.#push(split);
    return split;
  }

  /** @param follow what can come after the node. */
  #emit(node: RegexNode, follow: First): void {
    switch (node.kind) {
      case "literal":
        if (node.bytes.length) this.#push({ op: TEXT_LITERAL, bytes: node.bytes });
        return;
      case "set":
        this.#push({ op: TEXT_SET, set: node.set });
        return;
      case "sequence":
        node.parts.forEach((part, i) => this.#emit(part, node.parts.slice(i + 1).reduceRight((next, each) => then(firstOf(each), next), follow)));
        return;
      case "choice":
        this.#choice(node.parts, follow);
        return;
      case "repeat":
        this.#repeat(node, follow);
        return;
      case "group":
        this.#push({ op: TEXT_SAVE, slot: node.number * 2 });
        this.#emit(node.part, follow);
        this.#push({ op: TEXT_SAVE, slot: node.number * 2 + 1 });
        return;
      case "assert":
        this.#push({ op: TEXT_ASSERT, what: asserts[node.what] });
        return;
      default:
        unreachable(node);
    }
  }

  #choice(parts: readonly RegexNode[], follow: First): void {
    const jumps: Array<{ to: number }> = [];
    parts.forEach((part, i) => {
      if (i === parts.length - 1) {
        this.#emit(part, follow);
        return;
      }
      const split = this.#split(then(firstOf(part), follow), then(firstOf({ kind: "choice", parts: parts.slice(i + 1) }), follow));
      split.first = this.code.length;
      this.#emit(part, follow);
      const jump = { op: TEXT_JUMP, to: 0 } satisfies Instruction;
      this.#push(jump);
      jumps.push(jump);
      split.second = this.code.length;
    });
    for (const jump of jumps) jump.to = this.code.length;
  }

  #repeat(node: RegexNode & { kind: "repeat" }, follow: First): void {
    const { part, min, max, lazy } = node;
    if (part.kind === "set" && !(min === 1 && max === 1)) {
      // Runs count bytes, and a character beyond ASCII has several: such sets are counted one by one.
      const wide = part.set[128] === true;
      if (!wide || (max === Number.POSITIVE_INFINITY && min <= 1)) return this.#run(part.set, node, follow);
      if (max === Number.POSITIVE_INFINITY) {
        for (let i = 0; i < min; i++) this.#emit(part, nothing);
        return this.#run(part.set, { ...node, min: 0 }, follow);
      }
    }
    const runs = min === 0 && max === Number.POSITIVE_INFINITY && !lazy && part.kind === "choice" ? runsBetween(part.parts) : undefined;
    if (runs) return this.#emit(runs, follow);
    const first = firstOf(part);
    const again: First = { set: union(first.set, follow.set), empty: follow.empty };
    for (let i = 0; i < min; i++) this.#emit(part, again);
    if (max === Number.POSITIVE_INFINITY) {
      if (first.empty) throw new UnsupportedPattern("a repetition of what may be empty");
      const start = this.code.length;
      const split = lazy ? this.#split(follow, first) : this.#split(first, follow);
      this.#aim(split, lazy, this.code.length);
      this.#emit(part, again);
      this.#push({ op: TEXT_JUMP, to: start });
      this.#leave(split, lazy, this.code.length);
      return;
    }
    const splits: Split[] = [];
    for (let i = min; i < max; i++) {
      const inner = then(first, again);
      const split = lazy ? this.#split(follow, inner) : this.#split(inner, follow);
      this.#aim(split, lazy, this.code.length);
      splits.push(split);
      this.#emit(part, again);
    }
    for (const split of splits) this.#leave(split, lazy, this.code.length);
  }

  #run(set: ByteSet, { min, max, lazy }: { min: number; max: number; lazy: boolean }, follow: First): void {
    // Where nothing that may follow is in the set, the run can only end where the set does.
    const forced = max === Number.POSITIVE_INFINITY && !set.some((isIn, byte) => isIn && follow.set[byte]);
    this.#push({ op: TEXT_RUN, set, min, max: Math.min(max, 0xffffffff), mode: forced ? RUN_POSSESSIVE : lazy ? RUN_LAZY : RUN_GREEDY });
  }

  #aim(split: Split, lazy: boolean, body: number): void {
    if (lazy) split.second = body;
    else split.first = body;
  }

  #leave(split: Split, lazy: boolean, exit: number): void {
    if (lazy) split.first = exit;
    else split.second = exit;
  }
}
