import { readTimestamp } from "../event/timestamp.ts";
import type { LogEvent, Queryable } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import type { QueryNode } from "../query/tree.ts";
import { type Members, type Reader, join } from "./reader.ts";
import { ruleNode } from "./select.ts";
import { type ReadSettings, optionalQuery, orThrow, readSettings, requiredQuery, serverMembers, settingId } from "./settings-reader.ts";

/** Stops signals, or keeps events out of rules, while it is in force. */
export interface Suppression {
  readonly id: string;
  /** As it was written. */
  readonly wire: Members;
  readonly name: string;
  readonly enabled: boolean;
  /** Which rules it touches. */
  readonly ruleNode: QueryNode;
  readonly signalNode?: QueryNode;
  readonly exclusionNode?: QueryNode;
  /** In force from here on, and until just before the expiration, in event time. */
  readonly startMs?: number;
  readonly expirationMs?: number;
}

const known = [
  ...serverMembers, "name", "description", "enabled", "rule_query", "suppression_query", "data_exclusion_query", "start_date", "expiration_date", "tags",
];

/** API attribute objects of suppressions, with everything that is wrong with them. */
export function readSuppressionsWire(list: readonly unknown[]): ReadSettings<Suppression> {
  return readSettings(list, "suppressions", readSuppression);
}

/** The suppressions, or a `ProblemError`. */
export function readSuppressions(list: readonly unknown[]): Suppression[] {
  return orThrow(readSuppressionsWire(list));
}

function readSuppression(members: Members, place: string, reader: Reader): Suppression {
  reader.unknown(members, known, place);
  const signalNode = optionalQuery(members, "suppression_query", place, reader);
  const exclusionNode = optionalQuery(members, "data_exclusion_query", place, reader);
  if (!signalNode && !exclusionNode) {
    reader.problem("rule/missing-field", join(place, "suppression_query"), "there is neither a suppression_query nor a data_exclusion_query", "add the one that says what to stop");
  }
  const startMs = readDate(members, "start_date", place, reader);
  const expirationMs = readDate(members, "expiration_date", place, reader);
  if (startMs !== undefined && expirationMs !== undefined && expirationMs <= startMs) {
    reader.problem("rule/bad-date", join(place, "expiration_date"), "it expires before it starts", "set expiration_date after start_date");
  }
  return {
    id: settingId(members), wire: members,
    name: reader.text(members, "name", place),
    enabled: reader.flag(members, "enabled", place, true),
    ruleNode: ruleNode(requiredQuery(members, "rule_query", place, reader)),
    ...(signalNode ? { signalNode } : {}), ...(exclusionNode ? { exclusionNode } : {}),
    ...(startMs === undefined ? {} : { startMs }), ...(expirationMs === undefined ? {} : { expirationMs }),
  };
}

function readDate(members: Members, name: string, place: string, reader: Reader): number | undefined {
  const value = members[name];
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : readTimestamp(value, 0);
  if (ms === undefined || Number.isNaN(ms)) reader.problem("rule/bad-date", join(place, name), `${JSON.stringify(value)} is no time`, "write milliseconds, or such as 2026-03-01T10:00:00Z");
  return ms;
}

/** Does it hold at this event time? */
export function isInForce(suppression: Suppression, timeMs: number): boolean {
  if (!suppression.enabled) return false;
  return (suppression.startMs === undefined || timeMs >= suppression.startMs) && (suppression.expirationMs === undefined || timeMs < suppression.expirationMs);
}

/** Those that may stop a signal of the rule at this time. */
export function suppressionsOf(suppressions: readonly Suppression[], rule: LogEvent, timeMs: number): Suppression[] {
  return suppressions.filter((suppression) => suppression.signalNode !== undefined && isInForce(suppression, timeMs) && matches(suppression.ruleNode, rule));
}

/** The first of the suppressions that touch its rule which stops a signal at this time. */
export function suppressorOf(suppressions: readonly Suppression[], rule: LogEvent, signal: Queryable, timeMs: number): Suppression | undefined {
  return suppressionsOf(suppressions, rule, timeMs).find(({ signalNode }) => signalNode !== undefined && matches(signalNode, signal));
}
