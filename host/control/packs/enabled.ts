import { readPackRules } from "../../pack-rules.ts";
import { ProblemError } from "../../problem.ts";
import type { Rule } from "../../rule/rule.ts";
import type { PackStore } from "../../store/packs.ts";
import type { ControlContext, Setup, SetupPart } from "../context.ts";

/**
 * Rules of the packs that are enabled, and of no others: packs that the settings name, unless somebody disabled them, and those that
 * somebody enabled. What was changed of a pack's rules stays stored while it is off.
 */
export class EnabledPacks implements SetupPart {
  readonly #context: Pick<ControlContext, "nowMs" | "onFault" | "sql">;
  readonly #store: PackStore;
  /** Rules of packs that the settings do not name; a pack is read once. */
  readonly #read = new Map<string, readonly Rule[]>();
  /** The last answer: whoever asks again about the same gets the same. */
  #last: { readonly base: Setup; readonly decisions: string; readonly setup: Setup } | undefined;
  #names: ReadonlySet<string> = new Set();
  #rulesOf: ReadonlyMap<string, readonly Rule[]> = new Map();

  constructor(context: Pick<ControlContext, "nowMs" | "onFault" | "sql">, store: PackStore) {
    this.#context = context;
    this.#store = store;
  }

  /** Names of the packs that judge now. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Rules of packs that judge, as the packs have them. */
  get rulesOf(): ReadonlyMap<string, readonly Rule[]> {
    return this.#rulesOf;
  }

  /** Was something decided that detection does not run by yet? By the command line, beside this server. */
  get isStale(): boolean {
    return this.#last !== undefined && this.#last.decisions !== this.#decisions();
  }

  /** As detection runs by it, whatever was decided since. */
  applied(base: Setup): Setup {
    return this.#last?.base === base ? this.#last.setup : this.complete(base);
  }

  complete(base: Setup): Setup {
    const decisions = this.#decisions();
    if (this.#last?.base === base && this.#last.decisions === decisions) return this.#last.setup;
    const given = base.rules as readonly Rule[];
    const stored = this.#store.list();
    const decided = new Map(stored.map(({ name, decision }) => [name, decision]));
    const kept = given.filter(({ pack }) => pack === undefined || decided.get(pack) !== "deactivated");
    const named = new Set(kept.flatMap(({ pack }) => pack ?? []));
    const taken = new Set(kept.map(({ id }) => id));
    // A rule of one's own files keeps its id: the pack's of the same id stands back.
    const added = stored.filter(({ name, decision }) => decision === "activated" && !named.has(name)).map(({ name }) => [name, this.#rules(name)] as const);
    const rules = [...kept, ...added.flatMap(([, own]) => own.filter(({ id }) => !taken.has(id)))];
    this.#names = new Set([...named, ...added.map(([name]) => name)]);
    this.#rulesOf = new Map([...this.#names].map((name) => [name, rules.filter(({ pack }) => pack === name)]));
    for (const name of named) if (decided.get(name) === undefined) this.#store.noteActive(name, this.#context.nowMs());
    const isSame = rules.length === given.length && rules.every((rule, i) => rule === given[i]);
    const setup = isSame ? base : { ...base, rules };
    this.#last = { base, decisions, setup };
    return setup;
  }

  #rules(name: string): readonly Rule[] {
    let rules = this.#read.get(name);
    if (!rules) {
      try {
        rules = readPackRules(name);
      } catch (error) {
        // A pack that went with an upgrade, or whose rules are damaged, keeps no server from starting.
        this.#context.onFault("packs", new Error(`the content pack ${name} is enabled and has no rules that can be read: ${error instanceof ProblemError ? (error.problems[0]?.message ?? "") : (error as Error).message}`));
        rules = [];
      }
      this.#read.set(name, rules);
    }
    return rules;
  }

  #decisions(): string {
    return this.#store.list().flatMap(({ name, decision }) => (decision === undefined ? [] : `${name}:${decision}`)).join(" ");
  }
}
