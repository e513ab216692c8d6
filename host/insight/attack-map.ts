import { type Attack, type Tactic, type Technique, techniqueOf } from "../mitre/attack.ts";
import type { CoverRule, Coverage, Density, TechniqueCover } from "../mitre/coverage.ts";
import { type AttackTag, type CountedTag, anyOf, attackTags, tacticNamed, tagsOfSignals, techniqueNamed } from "./attack-tags.ts";
import { type TimeSpan, all, phrase, rulesHref, signalsHref } from "./links.ts";
import type { SignalNumbers } from "./signal-numbers.ts";

/** Signals, and the explorer that shows them. */
export interface CountedSignals {
  readonly count: number;
  readonly href: string;
}

export interface MapTechnique {
  readonly technique: Technique;
  readonly density: Density;
  /** Enabled rules that watch it under this tactic, and how many there are under all. */
  readonly rules: readonly CoverRule[];
  readonly rulesInAll: number;
  readonly rulesHref: string;
  /** Undefined where signals are not asked for. */
  readonly signals: CountedSignals | undefined;
  /** Those that a rule watches or that have signals. */
  readonly subtechniques: ReadonlyArray<{ readonly technique: Technique; readonly rules: readonly CoverRule[]; readonly signals: CountedSignals | undefined }>;
}

export interface MapTactic {
  readonly tactic: Tactic;
  readonly counts: Readonly<Record<Density, number>>;
  /** Distinct ones of its techniques. */
  readonly rules: number;
  readonly rulesHref: string;
  readonly signals: CountedSignals | undefined;
  readonly techniques: readonly MapTechnique[];
}

export interface MapAsk {
  readonly table: Attack;
  readonly coverage: Coverage;
  /** All that the coverage is of. */
  readonly rules: readonly CoverRule[];
  /** What those rules have in common, as search text over rules. */
  readonly rulesQuery: string;
  readonly signals?: MapSignals;
}

export interface MapSignals {
  readonly numbers: SignalNumbers;
  readonly span: TimeSpan;
  /** Of these alone. */
  readonly query: string;
}

const NONE: CountedSignals = { count: 0, href: "" };

/** The map of ATT&CK: each technique under each tactic with its rules and, where asked for, its signals, and where both are to be seen. */
export async function attackMap({ table, coverage, rules, rulesQuery, signals }: MapAsk): Promise<readonly MapTactic[]> {
  const reader = new RuleLinks(table, rules, rulesQuery);
  const counter = signals && (await SignalCounter.read(table, signals));
  return await Promise.all(coverage.tactics.map(async ({ tactic, techniques, counts }): Promise<MapTactic> => {
    const own = [...new Set(techniques.flatMap((each) => each.rules))];
    return {
      tactic, counts, rules: own.length, rulesHref: reader.ofTactic(tactic, own), signals: await counter?.ofTactic(tactic),
      techniques: await Promise.all(techniques.map(async (cover): Promise<MapTechnique> => {
        const subtechniques = await Promise.all(cover.subtechniques.map(async (sub) => ({ ...sub, signals: await counter?.ofTile(tactic, cover.technique, sub.technique) })));
        return {
          technique: cover.technique, density: cover.density, rules: cover.rules, rulesInAll: reader.count(cover.technique), rulesHref: reader.ofTile(tactic, cover), signals: await counter?.ofTile(tactic, cover.technique),
          subtechniques: subtechniques.filter((sub) => sub.rules.length > 0 || (sub.signals?.count ?? 0) > 0),
        };
      })),
    };
  }));
}

/** Search texts that find the very rules that a place of the map counts, by the tags they are counted for. */
class RuleLinks {
  readonly #table: Attack;
  readonly #common: string;
  readonly #tagged: ReadonlyArray<{ readonly rule: CoverRule; readonly tags: readonly AttackTag[] }>;

  constructor(table: Attack, rules: readonly CoverRule[], common: string) {
    this.#table = table;
    this.#common = common;
    this.#tagged = rules.map((rule) => ({ rule, tags: attackTags(rule.tags) }));
  }

  ofTactic(tactic: Tactic, rules: readonly CoverRule[]): string {
    if (!rules.length) return this.#findingNone({ key: "tactic", value: tactic.id });
    return this.#finding(rules, this.#tagsOf(rules, (value) => tacticNamed(this.#table, value) === tactic.id));
  }

  ofTile(tactic: Tactic, { technique, rules }: Pick<TechniqueCover, "technique" | "rules">): string {
    if (!rules.length) return this.#findingNone({ key: "technique", value: technique.id }, { key: "tactic", value: tactic.id });
    const ofTechnique = this.#tagsOf(rules, (value) => techniqueNamed(this.#table, value) === technique.id);
    const ofTactic = this.#tagsOf(rules, (value) => tacticNamed(this.#table, value) === tactic.id);
    return this.#having(ofTechnique).length === rules.length ? this.#finding(rules, ofTechnique) : this.#finding(rules, ofTechnique, ofTactic);
  }

  count({ id }: Technique): number {
    return this.#tagged.filter(({ tags }) => tags.some(({ value }) => techniqueNamed(this.#table, value) === id)).length;
  }

  #tagsOf(rules: readonly CoverRule[], isWanted: (value: string) => boolean): AttackTag[] {
    const own = new Set(rules);
    return this.#tagged.filter(({ rule }) => own.has(rule)).flatMap(({ tags }) => tags.filter(({ value }) => isWanted(value)));
  }

  /** By tags of each kind, less the few that have them for another reason; by ids where tags do not tell them apart. */
  #finding(wanted: readonly CoverRule[], ...kinds: ReadonlyArray<readonly AttackTag[]>): string {
    const own = new Set(wanted);
    const [first, ...rest] = kinds.map((tags) => this.#having(tags));
    const found = first!.filter((rule) => rest.every((each) => each.includes(rule)));
    const others = found.filter((rule) => !own.has(rule));
    if (found.length - others.length < own.size || others.length > own.size) return rulesHref(all(this.#common, idsOf(wanted)));
    return rulesHref(all(this.#common, ...kinds.map(anyOf), others.length ? `-${idsOf(others)}` : ""));
  }

  /** What would be there, less the rules that say so and are not counted here. */
  #findingNone(...begins: readonly AttackTag[]): string {
    const others = this.#tagged.filter(({ tags }) => begins.every((begin) => tags.some(({ key, value }) => key === begin.key && value.toUpperCase().startsWith(begin.value)))).map(({ rule }) => rule);
    return rulesHref(all(this.#common, ...begins.map(({ key, value }) => `${key}:${value}*`), others.length ? `-${idsOf(others)}` : ""));
  }

  #having(wanted: readonly AttackTag[]): CoverRule[] {
    const keys = new Set(wanted.map(({ key, value }) => `${key}:${value}`));
    return this.#tagged.filter(({ tags }) => tags.some(({ key, value }) => keys.has(`${key}:${value}`))).map(({ rule }) => rule);
  }
}

function idsOf(rules: readonly CoverRule[]): string {
  const phrases = rules.map(({ id }) => phrase(id)).sort();
  return phrases.length === 1 ? `ruleId:${phrases[0]!}` : `ruleId:(${phrases.join(" OR ")})`;
}

/** Signals by what the tags of their rules name, as rules are read: a technique without a tactic that it serves stands under all it serves. */
class SignalCounter {
  readonly #table: Attack;
  readonly #signals: MapSignals;
  readonly #tags: readonly CountedTag[];
  readonly #counted = new Map<string, Promise<number>>();

  private constructor(table: Attack, signals: MapSignals, tags: readonly CountedTag[]) {
    this.#table = table;
    this.#signals = signals;
    this.#tags = tags;
  }

  static async read(table: Attack, signals: MapSignals): Promise<SignalCounter> {
    return new SignalCounter(table, signals, await tagsOfSignals(signals.numbers, signals.span, signals.query));
  }

  async ofTactic({ id }: Tactic): Promise<CountedSignals> {
    const named = this.#naming((value) => tacticNamed(this.#table, value) === id);
    return named.length ? await this.#told(anyOf(named)) : this.#none(`tactic:${id}*`);
  }

  /** @param sub of this alone */
  async ofTile(tactic: Tactic, technique: Technique, sub?: Technique): Promise<CountedSignals> {
    const idOf = (value: string): string | undefined => (sub ? techniqueOf(this.#table, value)?.id : techniqueNamed(this.#table, value));
    const named = this.#naming((value) => idOf(value) === (sub ?? technique).id);
    if (!named.length) return this.#none(`technique:${(sub ?? technique).id}* tactic:${tactic.id}*`);
    const served = this.#table.tactics.filter(({ slug }) => technique.tactics.includes(slug));
    if (served.length === 1) return await this.#told(anyOf(named));
    const ofTactics = served.map(({ id }) => ({ id, named: this.#naming((value) => tacticNamed(this.#table, value) === id) })).filter((each) => each.named.length > 0);
    const here = ofTactics.find(({ id }) => id === tactic.id);
    const bare = ofTactics.length ? `-${anyOf(ofTactics.flatMap((each) => each.named))}` : "";
    const isBare = (await this.#count(all(anyOf(named), bare))) > 0;
    if (isBare) return await this.#told(all(anyOf(named), here ? `(${anyOf(here.named)} OR ${bare})` : bare));
    return here ? await this.#told(all(anyOf(named), anyOf(here.named))) : this.#none(all(anyOf(named), `tactic:${tactic.id}*`));
  }

  #naming(isWanted: (value: string) => boolean): CountedTag[] {
    return this.#tags.filter(({ value }) => isWanted(value));
  }

  #none(query: string): CountedSignals {
    return { ...NONE, href: this.#href(query) };
  }

  async #told(query: string): Promise<CountedSignals> {
    return { count: await this.#count(query), href: this.#href(query) };
  }

  #href(query: string): string {
    return signalsHref(all(this.#signals.query, query), this.#signals.span);
  }

  async #count(query: string): Promise<number> {
    let counting = this.#counted.get(query);
    if (!counting) this.#counted.set(query, (counting = this.#signals.numbers.count(all(this.#signals.query, query), this.#signals.span)));
    return await counting;
  }
}
