import type { Scenario } from "../../../host/scenario.ts";

type Members = Record<string, unknown>;

/** A signal as it is expected, all of it; what is not said may be anything. */
export interface Told {
  readonly group: Readonly<Record<string, string>>;
  readonly first?: number;
  readonly last?: number;
  readonly between?: readonly [number, number];
  readonly case?: string;
  readonly status?: string;
  readonly count?: number;
  readonly title?: string;
  readonly message?: string;
}

/** A row of the table: section of the specification, what it says there, and logs that try it. */
export interface Row extends Pick<Scenario, "suppressions" | "security_filters" | "critical_assets" | "reference_tables" | "also"> {
  readonly at: string;
  readonly says: string;
  readonly rule: Members;
  readonly logs: ReadonlyArray<Members & { readonly timestamp: number }>;
  readonly told: readonly Told[];
}

/** A payload that must be refused, and the field at fault. */
export interface Refused {
  readonly at: string;
  readonly says: string;
  readonly rule: Members;
  readonly target: string;
}

/** Midnight UTC: a whole number of every bucket. */
export const T0 = Date.UTC(2024, 2, 1);
export const DAY = 86_400;
export const HOUR = 3600;

/** Milliseconds since the epoch of a second of the table. */
export function ms(seconds: number): number {
  return T0 + Math.round(seconds * 1000);
}

export function log(seconds: number, attributes: Members = {}, envelope: Members = {}): Members & { timestamp: number } {
  return { timestamp: ms(seconds), message: "line", host: "web-1", service: "shop", source: "app", status: "info", tags: [], attributes, ...envelope };
}

/** An event of kind `k` of user `u`. */
export function ev(k: string, u: string, seconds: number, attributes: Members = {}, envelope: Members = {}): Members & { timestamp: number } {
  return log(seconds, { k, u, ...attributes }, envelope);
}

/** Several of them. */
export function evs(k: string, u: string, ...seconds: number[]): Array<Members & { timestamp: number }> {
  return seconds.map((each) => ev(k, u, each));
}

/** A query on events of the kind it is named after, grouped by user. */
export function q(name: string, more: Members = {}): Members {
  return { name, query: `@k:${name}`, aggregation: "count", groupByFields: ["@u"], ...more };
}

export function rule(cases: readonly unknown[], queries: readonly unknown[] = [q("a")], options: Members = {}, more: Members = {}): Members {
  return {
    name: "Table rule", message: "told", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400, ...options },
    queries, cases: cases.map((each) => (typeof each === "string" ? { name: "c", status: "medium", condition: each } : each)), ...more,
  };
}

export function kase(name: string, status: string, condition?: string, more: Members = {}): Members {
  return { name, status, ...(condition === undefined ? {} : { condition }), ...more };
}

/** @param group value of `@u`, or all of the group. Times in seconds of the table. */
export function sig(group: string | Readonly<Record<string, string>>, first: number, last = first, more: Omit<Told, "group" | "first" | "last"> = {}): Told {
  return { group: typeof group === "string" ? { "@u": group } : group, first: ms(first), last: ms(last), ...more };
}
