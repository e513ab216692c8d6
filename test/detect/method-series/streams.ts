import type { MethodDetector, MethodEvent, MethodHit } from "../../../host/detect/method/method.ts";
import { readRule } from "../../../host/rule/wire.ts";
import type { Rule } from "../../../host/rule/rule.ts";

export const LATENESS_MS = 300_000;

/** Members every test rule has; what matters is given. */
export function ruleOf(members: Record<string, unknown>): Rule {
  return readRule({ id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [], ...members });
}

/** What of a hit is compared. */
export interface SeenHit {
  readonly caseIndex: number;
  readonly groupKey: string;
  readonly timeMs: number;
  readonly slot: number;
  readonly slots: readonly number[];
  readonly total: number;
}

export function seen({ caseIndex, groupKey, timeMs, slot, slots, total }: SeenHit): SeenHit {
  return { caseIndex, groupKey, timeMs, slot, slots, total };
}

export function sorted<T extends SeenHit>(hits: readonly T[]): T[] {
  return hits.toSorted((a, b) => a.timeMs - b.timeMs || (a.groupKey < b.groupKey ? -1 : a.groupKey > b.groupKey ? 1 : a.slot - b.slot));
}

export interface Play {
  /** Is time told to have passed after this event? */
  readonly advancesAfter: (number: number) => boolean;
  /** Is the state saved, and read into a new detector, after this event? */
  readonly restartsAfter: (number: number) => boolean;
  readonly latenessMs?: number;
}

/** Plays events in their order to detectors that take over from each other. */
export function playDetector(create: () => MethodDetector, events: readonly MethodEvent[], play: Play): { readonly hits: MethodHit[]; readonly detector: MethodDetector } {
  let detector = create();
  const hits: MethodHit[] = [];
  const onHit = (hit: MethodHit): void => {
    hits.push(hit);
  };
  events.forEach((event, number) => {
    detector.apply(event, onHit);
    if (play.advancesAfter(number)) detector.advance(event.highMs - (play.latenessMs ?? LATENESS_MS), onHit);
    if (!play.restartsAfter(number)) return;
    const bytes = detector.save();
    detector = create();
    const wrong = detector.restore(bytes);
    if (wrong !== undefined) throw new Error(wrong);
    if (!Buffer.from(detector.save()).equals(Buffer.from(bytes))) throw new Error("what is restored is saved differently");
  });
  detector.advance(Number.POSITIVE_INFINITY, onHit);
  return { hits, detector };
}

/** Highest times and slots for events in their order of arrival. */
export function numbered(events: ReadonlyArray<Pick<MethodEvent, "timeMs" | "matches">>): MethodEvent[] {
  let highMs = Number.NEGATIVE_INFINITY;
  return events.map(({ timeMs, matches }, slot) => {
    highMs = Math.max(highMs, timeMs);
    return { timeMs, matches, slot, highMs };
  });
}

/** The same events as they arrive when some are held up by at most so long. */
export function disordered<T extends { readonly timeMs: number }>(events: readonly T[], byMs: number, share: number, next: () => number): T[] {
  return events
    .map((event, i) => ({ event, i, atMs: event.timeMs + (next() < share ? next() * byMs : 0) }))
    .toSorted((a, b) => a.atMs - b.atMs || a.i - b.i)
    .map(({ event }) => event);
}
