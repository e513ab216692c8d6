import type { MatchColumns } from "./batch/matches.ts";
import type { Rule } from "./rule/rule.ts";
import type { StandingQuery } from "./rule/standing.ts";
import { TimeCounts } from "./time-counts.ts";

/** What one rule's queries matched, counted without judging it. */
export interface RuleCensus {
  /** Events that at least one of the rule's queries matched. */
  readonly events: number;
  /** The same by query, in the order in which the rule runs them. */
  readonly perQuery: readonly number[];
  /** How many groups they fall into. */
  readonly groupCount: number;
  /** Matches whose group was met when so many others were known; they are counted in no group. */
  readonly beyondGroups: number;
  readonly times: TimeCounts;
}

export type Group = Readonly<Record<string, string>>;

/** What a standing query's matches count for. */
interface Role {
  /** Third party: cases only name what a root query took. */
  readonly takesEvents: boolean;
  /** The query before is the same with other groups. */
  readonly isAgain: boolean;
  /** Without group-by, beside others that have it. */
  readonly isShared: boolean;
  readonly naming: string;
}

/** Groups one rule may count. */
const GROUP_CAP = 200_000;

interface Tally {
  events: number;
  lastEvent: number;
  readonly perQuery: number[];
  /** By the group's key, after the number of the query that names its fields. */
  readonly groups: Map<string, number>;
  beyondGroups: number;
  readonly times: TimeCounts;
}

/** Counts what rules' queries match, by query, by group and over time, from the matches on their way to the detectors. */
export class Census {
  readonly #rules: readonly Rule[];
  readonly #standing: readonly StandingQuery[];
  readonly #tallies: readonly Tally[];
  readonly #lastEvents: number[];
  readonly #roles: readonly Role[];
  /** Times of all matched events. */
  readonly times = new TimeCounts();
  #lastEvent = -1;

  /** @param rules those to count for: the first of the rules the standing queries are of. */
  constructor(rules: readonly Rule[], standing: readonly StandingQuery[]) {
    this.#rules = rules;
    this.#standing = standing;
    this.#lastEvents = standing.map(() => -1);
    this.#tallies = rules.map(() => ({ events: 0, lastEvent: -1, perQuery: [], groups: new Map(), beyondGroups: 0, times: new TimeCounts() }));
    const grouped = new Set(standing.filter((query) => query.groupBy.length).map((query) => query.ruleIndex));
    this.#roles = standing.map((query, i) => {
      const method = rules[query.ruleIndex]?.options.method;
      const before = standing[i - 1];
      return {
        takesEvents: method?.kind !== "third_party" || query.queryIndex < method.rootQueries.length,
        isAgain: before?.ruleIndex === query.ruleIndex && before.queryIndex === query.queryIndex,
        isShared: !query.groupBy.length && grouped.has(query.ruleIndex),
        naming: String.fromCharCode(method?.kind === "third_party" ? query.queryIndex : 0),
      };
    });
  }

  of(ruleIndex: number): RuleCensus {
    const tally = this.#tallies[ruleIndex]!;
    return { ...tally, groupCount: tally.groups.size };
  }

  /** Groups of a rule with how many events each had, in no order. */
  *groups(ruleIndex: number): Generator<{ readonly group: Group; readonly events: number }> {
    const rule = this.#rules[ruleIndex]!;
    for (const [key, events] of this.#tallies[ruleIndex]!.groups) {
      const names = groupNames(rule, key.charCodeAt(0));
      const values = keyValues(key.slice(1));
      yield { group: Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""])), events };
    }
  }

  /** @param firstEvent number of the batch's first event in the whole stream. */
  count(matches: MatchColumns, firstEvent: number): void {
    const view = Buffer.from(matches.bytes.buffer, matches.bytes.byteOffset, matches.bytes.byteLength);
    for (let i = 0; i < matches.count; i++) {
      const standing = this.#standing[matches.standing[i]!]!;
      const tally = this.#tallies[standing.ruleIndex];
      if (!tally) continue;
      const event = firstEvent + matches.row[i]!;
      const timeMs = matches.timeMs[i]!;
      // An event whose group field is a list comes once for each element.
      const isNew = this.#lastEvents[standing.id] !== event;
      this.#lastEvents[standing.id] = event;
      const role = this.#roles[standing.id]!;
      if (isNew && !role.isAgain) tally.perQuery[standing.queryIndex] = (tally.perQuery[standing.queryIndex] ?? 0) + 1;
      if (!role.takesEvents) continue;
      if (this.#lastEvent !== event) {
        this.#lastEvent = event;
        this.times.add(timeMs);
      }
      if (tally.lastEvent !== event) {
        tally.lastEvent = event;
        tally.events++;
        tally.times.add(timeMs);
      }
      const start = matches.keyStart[i]!;
      if (!role.isShared) countGroup(tally, role.naming + view.toString("latin1", start, start + matches.keyLength[i]!));
    }
  }
}

function countGroup(tally: Tally, key: string): void {
  const known = tally.groups.get(key);
  if (known === undefined && tally.groups.size >= GROUP_CAP) tally.beyondGroups++;
  else tally.groups.set(key, (known ?? 0) + 1);
}

/** Fields that name a rule's groups: those of its first grouped query; third party: of the root query of a number. */
export function groupNames(rule: Rule, root = 0): readonly string[] {
  const { method } = rule.options;
  if (method.kind === "third_party") return method.rootQueries[root]?.groupByNames ?? [];
  return rule.queries.find((query) => query.groupByNames.length)?.groupByNames ?? [];
}

/** Group values of a key as the kernel writes it: for each a little-endian u32 length and its UTF-8 bytes. */
export function keyValues(key: string): string[] {
  const bytes = Buffer.from(key, "latin1");
  const values: string[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    values.push(bytes.toString("utf8", start, at));
  }
  return values;
}
