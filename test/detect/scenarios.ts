import { type Engine, createEngine } from "../../host/index.ts";
import { readCriticalAssets, readSecurityFilters, readSuppressions } from "../../host/rule/guards.ts";
import { idleReason } from "../../host/rule/standing.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { Scenario } from "../../host/scenario.ts";
import { type Signal, signalText } from "../../host/signal/signal.ts";
import { hasShared, readShared } from "../support/shared.ts";

const file = "conformance/rules.jsonl";

/** Scenarios whose rule is accepted and run by now; none where ../shared is absent. */
export const scenarios: readonly Scenario[] = hasShared(file)
  ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Scenario)
    .filter((scenario) => !scenario.expect.rejected && idleReason(readRule({ id: scenario.id, ...scenario.rule })) === undefined)
  : [];

export function engineOf(scenario: Scenario, more: { readonly workers?: number; readonly state?: Uint8Array; readonly variant?: "simd" | "scalar" } = {}): Promise<Engine> {
  return createEngine({
    rules: [...(scenario.also ?? []).map((each) => readRule(each)), readRule({ id: scenario.id, ...scenario.rule })],
    suppressions: readSuppressions(scenario.suppressions ?? []), securityFilters: scenario.security_filters && readSecurityFilters(scenario.security_filters),
    criticalAssets: readCriticalAssets(scenario.critical_assets ?? []), referenceTables: scenario.reference_tables ?? {}, ...more,
  });
}

/** Its events, repeated ones each by itself, in the order they arrive. */
export function eventsOf(scenario: Scenario): Array<Record<string, unknown> & { readonly timestamp?: unknown }> {
  return scenario.logs.flatMap(({ t, repeat, ...log }) =>
    Array.from({ length: repeat?.count ?? 1 }, (_, i) => {
      const at = t ?? log.timestamp;
      return { ...log, timestamp: repeat && typeof at === "number" ? at + i * repeat.step : at };
    }));
}

export function bytesOf(events: ReadonlyArray<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

/** A signal as it is shown, byte for byte. */
export function shown(signals: readonly Signal[]): string[] {
  return signals.map((signal) => signalText(signal));
}
