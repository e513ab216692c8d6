import type { PackHealth } from "../../event/pipeline/packs.ts";
import type { SourceDay } from "../../store/packs.ts";

export const packStatuses = ["install", "activate", "initializing", "active", "warning", "broken", "not_configured"] as const;
export type PackStatus = (typeof packStatuses)[number];
export const packActivations = ["never_activated", "activated", "deactivated"] as const;
export type PackActivation = (typeof packActivations)[number];
export const seenBuckets = ["not_seen", "within_24_hours", "within_24_to_72_hours", "over_72h_to_30d", "over_30d"] as const;
export type SeenBucket = (typeof seenBuckets)[number];

/** What is known of a pack and of its sources; times in milliseconds. */
export interface PackFacts {
  readonly activation: PackActivation;
  readonly activatedMs: number | undefined;
  readonly health: PackHealth;
  /** Days of its sources; today's among them. */
  readonly days: readonly SourceDay[];
  /** What becomes of a log of its sources at the security filters. */
  readonly filters: "passed" | "excluded" | "unconfigured";
  /** Rules, and those of them that judge nothing though they are enabled, with why. */
  readonly rules: number;
  readonly idle: ReadonlyArray<{ readonly id: string; readonly reason: string }>;
  /** Rules that ask where an address is, which neither a GeoIP database nor its logs tell. */
  readonly placeless?: number;
}

export interface PackState {
  readonly status: PackStatus;
  /** Why it is not `active`, in the order of gravity; empty when it is. */
  readonly reasons: readonly string[];
  readonly lastSeen: SeenBucket;
  readonly lastSeenMs: number | undefined;
  /** Of today and yesterday: logs, and percent that no pipeline understood. */
  readonly events: number;
  readonly parseFailures: number;
}

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A pack is given so long for its first log. */
const INITIALIZING_MS = HOUR_MS;
/** Days whose median tells how many logs are usual, and the least of it that is nothing to tell. */
const USUAL_DAYS = 7;
const USUAL_SHARE = 0.1;
/** Below it a median is nobody's habit. */
const USUAL_EVENTS = 100;

/** The state of a pack, of facts alone (platform spec 18.3). */
export function packState(facts: PackFacts, nowMs: number): PackState {
  const { days } = facts;
  const today = Math.floor(nowMs / DAY_MS);
  const lastSeenMs = days.length ? Math.max(...days.map((day) => day.lastSeenMs)) : undefined;
  const recent = days.filter(({ day }) => day >= today - 1);
  const events = sum(recent.map((day) => day.events));
  const parseFailures = events ? (100 * sum(recent.map((day) => day.unparsed))) / events : 0;
  const filtered = events ? sum(recent.map((day) => day.filtered)) / events : 0;
  const state = { lastSeen: bucketOf(lastSeenMs, nowMs), lastSeenMs, events, parseFailures };
  if (facts.activation !== "activated") return { ...state, status: lastSeenMs === undefined && facts.activation === "never_activated" ? "install" : "activate", reasons: [] };
  const { broken, warning } = facts.health.quietHours;
  const sinceMs = nowMs - (lastSeenMs ?? facts.activatedMs ?? nowMs);
  const brokenBy: string[] = [];
  const warnedBy: string[] = [];
  const isSilent = lastSeenMs === undefined;
  if (facts.filters === "excluded") brokenBy.push("the security filters exclude its sources, so no rule sees their logs");
  else if (filtered === 1) brokenBy.push("the security filters let none of its logs pass");
  if (facts.filters === "unconfigured") return { ...state, status: "not_configured", reasons: ["no security filter lets its sources pass"] };
  if (isSilent && sinceMs < INITIALIZING_MS && !brokenBy.length) return { ...state, status: "initializing", reasons: ["no log has come yet"] };
  if (sinceMs > broken * HOUR_MS) brokenBy.push(isSilent ? `no log has come in the ${hours(sinceMs)} since it was enabled` : `the last log came ${hours(sinceMs)} ago`);
  else if (isSilent) warnedBy.push("no log has come yet");
  else if (sinceMs > warning * HOUR_MS) warnedBy.push(`the last log came ${hours(sinceMs)} ago`);
  const failures = facts.health.parseFailures;
  if (parseFailures > failures.broken) brokenBy.push(`${parseFailures.toFixed(0)} % of its logs were not understood by its pipelines`);
  else if (parseFailures > failures.warning) warnedBy.push(`${parseFailures.toFixed(0)} % of its logs were not understood by its pipelines`);
  if (facts.rules > 0 && facts.idle.length === facts.rules) brokenBy.push("none of its rules can fire");
  else if (facts.idle.length) warnedBy.push(`${facts.idle.length} of its ${facts.rules} rules cannot fire`);
  if (facts.placeless) warnedBy.push(`${facts.placeless} of its rules ask where an address is, and no GeoIP database is given`);
  const usual = median(Array.from({ length: USUAL_DAYS }, (_, i) => sum(days.filter(({ day }) => day === today - 1 - i).map((day) => day.events))));
  // Of the last 24 hours, as far as whole days tell: what is left of yesterday counts as if it came evenly.
  const share = (nowMs % DAY_MS) / DAY_MS;
  const lately = sum(days.filter(({ day }) => day === today).map((day) => day.events)) + (1 - share) * sum(days.filter(({ day }) => day === today - 1).map((day) => day.events));
  if (usual >= USUAL_EVENTS && lately < usual * USUAL_SHARE && sinceMs <= warning * HOUR_MS) warnedBy.push(`${Math.round(lately)} logs in a day, where ${Math.round(usual)} are usual`);
  const reasons = [...brokenBy, ...warnedBy];
  return { ...state, status: brokenBy.length ? "broken" : warnedBy.length ? "warning" : "active", reasons };
}

export function bucketOf(lastSeenMs: number | undefined, nowMs: number): SeenBucket {
  if (lastSeenMs === undefined) return "not_seen";
  const sinceMs = nowMs - lastSeenMs;
  if (sinceMs <= DAY_MS) return "within_24_hours";
  if (sinceMs <= 3 * DAY_MS) return "within_24_to_72_hours";
  return sinceMs <= 30 * DAY_MS ? "over_72h_to_30d" : "over_30d";
}

function hours(ms: number): string {
  const whole = Math.floor(ms / HOUR_MS);
  return whole >= 48 ? `${Math.floor(whole / 24)} days` : whole === 1 ? "1 hour" : `${whole} hours`;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
