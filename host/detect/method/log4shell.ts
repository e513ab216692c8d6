import type { Json, LogEvent } from "../../event/event.ts";
import type { Rule } from "../../rule/rule.ts";
import { holdsJndiLookup } from "./log4shell-scan.ts";
import type { EventLookup } from "./judged-events.ts";
import type { MethodCounts, MethodDetector, MethodEvent, OnHit } from "./method.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";

export interface Log4ShellSetup {
  readonly allowedLatenessMs: number;
  readonly events: EventLookup;
}

const VERSION = 1;
/** Without it there is no lookup of any kind. */
const SIGN = "${";

/** Events that hold a JNDI lookup in their message or in any text among their attributes: section 11. */
export class Log4ShellDetector implements MethodDetector {
  readonly #rule: Rule;
  readonly #allowedLatenessMs: number;
  readonly #events: EventLookup;
  #lateDropped = 0;
  /** Events that had gone before they were looked at. */
  #missed = 0;

  constructor(rule: Rule, { allowedLatenessMs, events }: Log4ShellSetup) {
    if (rule.options.method.kind !== "hardcoded") throw new Error(`${rule.id} is a ${rule.options.method.kind} rule`);
    this.#rule = rule;
    this.#allowedLatenessMs = allowedLatenessMs;
    this.#events = events;
  }

  apply({ timeMs, highMs, slot, matches }: MethodEvent, onHit: OnHit): void {
    if (timeMs < highMs - this.#allowedLatenessMs) {
      this.#lateDropped += matches.length;
      return;
    }
    if (this.#events.lacks(slot, SIGN)) return;
    const event = this.#events.event(slot);
    if (!event) {
      this.#missed++;
      return;
    }
    if (!isAttack(event)) return;
    for (const { queryIndex, groupKey, group } of matches) {
      const perQuery = this.#rule.queries.map((_, query) => (query === queryIndex ? 1 : 0));
      onHit({ caseIndex: 0, groupKey, group, timeMs, slot, slots: [slot], perQuery, total: 1 });
    }
  }

  advance(): void {
    // Nothing waits for time to pass.
  }

  counts(): MethodCounts {
    return { groups: 0, stateBytes: 0, lateDropped: this.#lateDropped, evicted: this.#missed };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, VERSION);
    writer.f64(this.#lateDropped);
    writer.f64(this.#missed);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, VERSION);
    if (typeof reader === "string") return reader;
    const lateDropped = reader.f64();
    const missed = reader.f64();
    if (!reader.isDone) return BROKEN_STATE;
    this.#lateDropped = lateDropped;
    this.#missed = missed;
    return undefined;
  }
}

function isAttack({ message, attributes }: LogEvent): boolean {
  return (message !== undefined && holdsJndiLookup(message)) || (attributes !== undefined && holdsLookup(attributes));
}

function holdsLookup(value: Json): boolean {
  if (typeof value === "string") return holdsJndiLookup(value);
  if (value === null || typeof value !== "object") return false;
  return Array.isArray(value) ? value.some(holdsLookup) : Object.values(value).some(holdsLookup);
}
