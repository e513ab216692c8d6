import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../event/event.ts";
import type { Engine, EngineStats, RestoredState, Signal } from "../index.ts";
import { ProblemError } from "../problem.ts";
import { writeAtomically } from "../atomic-file.ts";
import { UsageError } from "./problems.ts";
import { byteSize, plural, safe, styled } from "./text.ts";

/** The file in the folder that `--checkpoint` names. */
export const STATE_FILE = "state.vespid";
/** How far an input was read. */
interface InputPosition {
  /** Bytes of its content, unpacked, that were handed on. */
  readonly offset: number;
  /** First bytes of the content, by which it is known again. */
  readonly headBytes: number;
  readonly headHash: string;
}

interface RunPosition {
  readonly command: "run";
  /** Signals up to this change have been shown. */
  readonly shown: number;
  readonly inputs: Readonly<Record<string, InputPosition>>;
}

interface OpenInput {
  offset: number;
  readonly headBytes: number;
  readonly headHash: string;
}

/** Saves what a run knows, and where it stands in its inputs. */
export class Checkpoint {
  /** What an earlier run saved; undefined in a fresh folder. */
  readonly state: Uint8Array | undefined;
  readonly #path: string;
  readonly #everyMs: number;
  readonly #inputs = new Map<string, OpenInput>();
  /** Bytes of records over the limit that have not ended. */
  readonly #partial = new Map<string, number>();
  #shown = 0;
  /** Content passed over because an earlier run judged it. */
  #skippedBytes = 0;
  /** Inputs whose name is known, but whose content is another. */
  readonly #replaced: string[] = [];
  #writtenMs = performance.now();

  /** Makes the folder where there is none. @param everySeconds time between two states. */
  constructor(folder: string, everySeconds: number) {
    this.#path = join(folder, STATE_FILE);
    this.#everyMs = everySeconds * 1000;
    try {
      mkdirSync(folder, { recursive: true });
      this.state = readFileSync(this.#path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") throw new UsageError(`--checkpoint ${folder}: ${message}`);
    }
  }

  resume(restored: RestoredState): void {
    const position = restored.position as unknown as RunPosition | undefined;
    // A state that something else saved says nothing of files.
    if (position?.command !== "run") return;
    this.#shown = position.shown;
    for (const [name, input] of Object.entries(position.inputs)) this.#inputs.set(name, { ...input });
  }

  /** A problem of the state says which file it is. */
  named(error: unknown): unknown {
    return named(error, this.#path);
  }

  /** Where to go on in an input that begins like this: past what was judged, if it is the same one. */
  startAt(name: string, head: Uint8Array): number {
    const known = this.#inputs.get(name);
    const isSame = known && known.headBytes <= head.length && hashOf(head.subarray(0, known.headBytes)) === known.headHash;
    const offset = isSame ? known.offset : 0;
    if (known?.offset && !isSame) this.#replaced.push(name);
    this.#skippedBytes += offset;
    // A file may have been shorter than a head when it was seen first.
    this.#inputs.set(name, { offset, headBytes: head.length, headHash: hashOf(head) });
    return offset;
  }

  /** So much more of an input was handed on; a record over the limit counts when it has ended. */
  advance(name: string, bytes: number, ended = true): void {
    const total = (this.#partial.get(name) ?? 0) + bytes;
    this.#partial.set(name, ended ? 0 : total);
    const input = this.#inputs.get(name);
    if (input && ended) input.offset += total;
  }

  get isDue(): boolean {
    return performance.now() - this.#writtenMs >= this.#everyMs;
  }

  /** Has it changed since signals were last shown? */
  isNew(signal: Signal): boolean {
    return signal.revision > this.#shown;
  }

  async write(engine: Engine): Promise<void> {
    this.put(await this.take(engine));
  }

  /** The state as it is now. @param areShown all signals there are will have been shown when it is put in place. */
  async take(engine: Engine, areShown = false): Promise<Uint8Array> {
    await engine.flush();
    const shown = areShown ? engine.finalSignals().reduce((most, { revision }) => Math.max(most, revision), this.#shown) : this.#shown;
    const position = { command: "run", shown, inputs: Object.fromEntries(this.#inputs) };
    return await engine.checkpoint({ position: position as unknown as Json, shownRevision: shown });
  }

  put(state: Uint8Array): void {
    try {
      writeAtomically(this.#path, state);
    } catch (error) {
      throw new UsageError(`${this.#path}: the state could not be saved: ${(error as Error).message}`);
    }
    this.#writtenMs = performance.now();
  }

  /** What was passed over or read anew, one line each; to be said when the inputs have been read. */
  texts(): string[] {
    const warning = styled("yellow", "warning", process.stderr);
    return [
      ...(this.#skippedBytes ? [`passed over ${byteSize(this.#skippedBytes)} that an earlier run judged`] : []),
      ...this.#replaced.map((name) => `${warning} ${safe(name)} is another file than the one read before: it was read from its start`),
    ];
  }
}

/** Problems of a saved state, with the file it is in. */
export function named(error: unknown, file: string): unknown {
  return error instanceof ProblemError ? new ProblemError(error.problems.map((problem) => (/^state\//.test(problem.code) ? { ...problem, file } : problem))) : error;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

/** What of the saved state was not taken up, one line a rule. */
export function droppedTexts({ dropped }: RestoredState): string[] {
  const byRule = new Map<string, { readonly items: string[]; readonly reasons: Set<string> }>();
  for (const { ruleId, kind, items, detail } of dropped) {
    const rule = byRule.get(ruleId) ?? { items: [], reasons: new Set() };
    byRule.set(ruleId, rule);
    rule.items.push(`${plural(items, kind === "signals" ? "signal" : "group")} of its ${kind}`);
    rule.reasons.add(detail);
  }
  return [...byRule].map(([id, { items, reasons }]) => `${styled("yellow", "warning", process.stderr)} rule ${safe(id)}: saved state dropped (${items.join(", ")}): ${[...reasons].map(safe).join("; ")}`);
}

/** What is there at one moment, rather than counted since the very beginning. */
const PRESENT: ReadonlySet<string> = new Set(["groups", "stateBytes", "signals"]);

/** Counted since an earlier moment. */
export function countedSince(before: EngineStats, now: EngineStats): EngineStats {
  const malformed = Object.fromEntries(Object.entries(now.malformed).map(([reason, times]) => [reason, times - (before.malformed[reason] ?? 0)]).filter(([, times]) => times !== 0));
  const past = before as unknown as Readonly<Record<string, number>>;
  const counts = Object.entries(now).map(([name, value]) => [name, typeof value === "number" && !PRESENT.has(name) ? value - past[name]! : value]);
  return { ...(Object.fromEntries(counts) as EngineStats), malformed };
}
