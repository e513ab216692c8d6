import { hash } from "node:crypto";
import type { Problem } from "../../problem.ts";
import type { Rule } from "../../rule/rule.ts";
import { signalProblems } from "../../rule/signal-source.ts";
import { type ReadRule, readRuleWire } from "../../rule/wire.ts";
import { RuleStore, type RuleAuthor, type RuleDocument, type StoredRule } from "../../store/rules.ts";
import type { ControlContext, Setup } from "../context.ts";
import { type Age, ageOf, deprecationMs } from "./deprecation.ts";
import { type Overrides, withOverrides } from "./overrides.ts";

/** A rule that is known here, wherever it stands. */
export interface Entry {
  /** `own`: of the API. `default`: of a pack. `file`: of a file of this server's. */
  readonly kind: "own" | "default" | "file";
  readonly stored: StoredRule;
  /** As it judges. */
  readonly rule: Rule;
  /** As the pack or file has it. */
  readonly base?: Rule;
  readonly age: Age;
  /** Why it does not judge, or not as it was changed: what was stored cannot be read any more. */
  readonly faults: readonly Problem[];
}

export const contentPack: RuleAuthor = { userId: "", handle: "content-pack", name: "content-pack" };
export const ruleFile: RuleAuthor = { userId: "", handle: "rule-file", name: "rule file" };

/** All rules: those of packs and files, with what was changed of them, and those of the API. */
export class Catalogue {
  readonly #context: ControlContext;
  readonly #store: RuleStore;
  /** Of what was read, by id; as long as version and text are the same. */
  readonly #known = new Map<string, { readonly version: number; readonly text: string; readonly read: ReadRule }>();
  #entries: ReadonlyMap<string, Entry> | undefined;
  #of: Setup["rules"] | undefined;
  readonly #told = new Set<string>();
  readonly #hashes = new WeakMap<Rule, string>();
  readonly #copies = new WeakMap<Rule, Rule>();

  constructor(context: ControlContext, store: RuleStore) {
    this.#context = context;
    this.#store = store;
  }

  /** In no order. What is past its end is not among them. */
  entries(): readonly Entry[] {
    return [...this.#read().values()].filter(({ age }) => age !== "gone");
  }

  find(id: string): Entry | undefined {
    const entry = this.#read().get(id);
    return entry?.age === "gone" ? undefined : entry;
  }

  /** The store was written to, or dates have passed. */
  forget(): void {
    this.#entries = undefined;
  }

  complete(setup: Setup): Setup {
    this.forget();
    const entries = [...this.#read(setup.rules as readonly Rule[]).values()];
    return { ...setup, rules: judging(entries) };
  }

  /** Dates have passed since they were read. */
  isStale(nowMs: number): boolean {
    return [...this.#read().values()].some(({ rule, age }) => ageOf(rule.wire, nowMs) !== age);
  }

  /** Own rules that are to be deleted. */
  gone(): readonly Entry[] {
    return [...this.#read().values()].filter(({ kind, age }) => age === "gone" && kind === "own");
  }

  /** Rules that were stored and do not judge as they were. */
  get faultCount(): number {
    return [...this.#read().values()].filter(({ faults }) => faults.length > 0).length;
  }

  #read(base: readonly Rule[] = this.#context.base().rules as readonly Rule[]): ReadonlyMap<string, Entry> {
    if (this.#entries && this.#of === base) return this.#entries;
    const nowMs = this.#context.nowMs();
    const stored = new Map(this.#store.list().map((each) => [each.id, each]));
    const entries = new Map<string, Entry>();
    // A rule of the API that somebody laid into a file as well is still the API's.
    const given = base.filter(({ id }) => stored.get(id)?.origin !== "own");
    this.#takeGiven(given, stored, nowMs);
    for (const rule of given) entries.set(rule.id, this.#given(rule, stored.get(rule.id)!, nowMs));
    for (const each of stored.values()) if (each.origin === "own") entries.set(each.id, this.#own(each, nowMs));
    if (given.length < base.length) for (const { id } of base) if (stored.get(id)?.origin === "own") this.#tellOnce(id, `the rule ${id} stands in a file too, and is judged as it was stored by the API; delete it there, or give the file's another id`);
    for (const [id, problem] of circled([...entries.values()])) entries.set(id, { ...entries.get(id)!, faults: [problem] });
    for (const id of this.#known.keys()) if (!entries.has(id)) this.#known.delete(id);
    this.#tell(entries.values());
    this.#entries = entries;
    this.#of = base;
    return entries;
  }

  /** Rules of packs and files have their versions too: one where they are first seen, and one with each upgrade or edit. */
  #takeGiven(base: readonly Rule[], stored: Map<string, StoredRule>, nowMs: number): void {
    const changed = base.map((rule) => ({ rule, baseHash: this.#hashOf(rule), before: stored.get(rule.id) })).filter(({ baseHash, before }) => before?.baseHash !== baseHash);
    if (!changed.length) return;
    this.#context.sql.transaction(() => {
      for (const { rule, baseHash, before } of changed) {
        const author = rule.isDefault ? contentPack : ruleFile;
        const document = before?.document ?? {};
        const write = { whole: withOverrides(rule.wire, document as Overrides), document, baseHash };
        if (before) this.#store.write(rule.id, before.version, { ...write, version: Math.max(before.version + 1, rule.version) }, author, nowMs);
        else this.#store.create(rule.id, "given", { ...write, version: rule.version }, author, nowMs);
        stored.set(rule.id, this.#store.get(rule.id)!);
      }
    });
  }

  #hashOf(rule: Rule): string {
    let known = this.#hashes.get(rule);
    if (known === undefined) this.#hashes.set(rule, (known = hash("sha256", JSON.stringify(rule.wire))));
    return known;
  }

  #given(base: Rule, stored: StoredRule, nowMs: number): Entry {
    const kind = base.isDefault ? "default" : "file";
    const isChanged = Object.keys(stored.document).length > 0;
    const read = isChanged ? this.#readOnce(stored, withOverrides(base.wire, stored.document as Overrides), base.isDefault) : undefined;
    const rule = read?.ok ? read.rule : this.#versioned(base, stored.version);
    const age = ageOf(base.wire, nowMs);
    return { kind, stored, rule: aged(rule, age), base, age, faults: read && !read.ok ? errorsOf(read) : [] };
  }

  /** The same one for as long as it is the same: what is known of it elsewhere goes by that. */
  #versioned(base: Rule, version: number): Rule {
    let known = this.#copies.get(base);
    if (known?.version !== version) this.#copies.set(base, (known = { ...base, version }));
    return known;
  }

  #own(stored: StoredRule, nowMs: number): Entry {
    const read = this.#readOnce(stored, stored.document, false);
    const age = ageOf(stored.document, nowMs);
    if (read.ok) return { kind: "own", stored, rule: aged(read.rule, age), age, faults: [] };
    return { kind: "own", stored, rule: unreadable(stored), age, faults: errorsOf(read) };
  }

  #readOnce({ id, version }: StoredRule, document: RuleDocument, isDefault: boolean): ReadRule {
    const text = JSON.stringify(document);
    const known = this.#known.get(id);
    if (known?.version === version && known.text === text) return known.read;
    const read = readRuleWire({ ...document, id, version, isDefault });
    this.#known.set(id, { version, text, read });
    return read;
  }

  #tell(entries: Iterable<Entry>): void {
    for (const { stored, faults } of entries) {
      const [first] = faults;
      if (first) this.#tellOnce(`${stored.id} ${stored.version}`, `the stored rule ${stored.id} ${stored.origin === "own" ? "does not judge" : "judges without its changes"}: ${first.place ?? ""}: ${first.message}`);
    }
  }

  #tellOnce(key: string, text: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#context.onFault("rules", new Error(text));
  }
}

/** Those that the engine is given. */
export function judging(entries: readonly Entry[]): Rule[] {
  return entries.filter(({ kind, age, faults }) => age !== "gone" && !(kind === "own" && faults.length)).map(({ rule }) => rule);
}

/** Own rules that would close a circle with what files say by now: without them the engine runs. */
function circled(entries: readonly Entry[]): Map<string, Problem> {
  const errorOf = (rules: readonly Rule[]): Problem | undefined => signalProblems(rules).find(({ problem }) => problem.level !== "warning")?.problem;
  const found = new Map<string, Problem>();
  const rules = judging(entries);
  if (!errorOf(rules)) return found;
  const isLate = ({ kind, rule }: Entry): boolean => kind === "own" && rule.queries.some(({ correlation }) => correlation !== undefined);
  const late = entries.filter(isLate).flatMap((entry) => judging([entry]));
  let good = rules.filter((rule) => !late.includes(rule));
  // Where files alone make a circle it is theirs, and told as such.
  if (errorOf(good)) return found;
  for (const rule of late) {
    const problem = errorOf([...good, rule]);
    if (problem) found.set(rule.id, problem);
    else good = [...good, rule];
  }
  return found;
}

function aged(rule: Rule, age: Age): Rule {
  return age === "current" || !rule.isEnabled ? rule : { ...rule, isEnabled: false };
}

export function isDeprecated({ rule, age }: Entry): boolean {
  return age !== "current" || (rule.wire.isDeprecated === true && deprecationMs(rule.wire) === undefined);
}

function errorsOf({ problems }: ReadRule): readonly Problem[] {
  return problems.filter(({ level }) => level !== "warning");
}

/** Stands in lists, and never before the engine. */
function unreadable({ id, version, document }: StoredRule): Rule {
  const text = (name: string): string => (typeof document[name] === "string" ? document[name] : "");
  const tags = Array.isArray(document.tags) ? document.tags.filter((tag) => typeof tag === "string") : [];
  return {
    id, version, name: text("name"), message: text("message"), isEnabled: false, isDefault: false, type: "log_detection", tags, hasExtendedTitle: false, queries: [], cases: [],
    options: { detectionMethod: "threshold", evaluationWindowMs: 0, keepAliveMs: 0, maxSignalDurationMs: 0, decreaseCriticalityBasedOnEnv: false, method: { kind: "threshold" } },
    filters: [], groupSignalsBy: [], referenceTables: [], calculatedFields: [], tests: [], scenarios: [], wire: document,
  };
}
