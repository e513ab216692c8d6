import type { MethodEvent } from "../../host/detect/method/method.ts";
import type { Rule } from "../../host/rule/rule.ts";
import type { TwinMethodHit } from "./method-hit.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Access {
  readonly timeMs: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly place: string;
  readonly slot: number;
  counted: boolean;
}
interface User {
  firstMs: number;
  last: Access | undefined;
  /** Last seen, in the order they became known. */
  readonly places: Map<string, number>;
  readonly moves: Map<string, number>;
}

/** Impossible travel as section 7 says it, with objects: the detector is held to its answers. */
export class ImpossibleTravelTwin {
  lateDropped = 0;
  readonly #baselineMs: number | undefined;
  readonly #latenessMs: number;
  readonly #placeCap: number;
  readonly #moveCap: number;
  readonly #users = new Map<string, User>();

  constructor(rule: Rule, latenessMs: number, placeCap = 64, moveCap = 256) {
    const { method } = rule.options;
    if (method.kind !== "impossible_travel") throw new Error("not a rule for impossible travel");
    this.#baselineMs = method.baselineDays === undefined ? undefined : method.baselineDays * DAY_MS;
    this.#latenessMs = latenessMs;
    this.#placeCap = placeCap;
    this.#moveCap = moveCap;
  }

  apply({ timeMs, highMs, slot, matches }: MethodEvent): TwinMethodHit[] {
    return matches.flatMap(({ groupKey, group, values }) => {
      if (timeMs < highMs - this.#latenessMs) {
        this.lateDropped++;
        return [];
      }
      const [latitude, longitude, city, code, country] = values.map((each) => each[0]);
      if (!isNumeric(latitude) || !isNumeric(longitude) || Math.abs(Number(latitude)) > 90) return [];
      const named = `${JSON.stringify(city ?? "")}|${JSON.stringify(code ?? country ?? "")}`;
      const place = named === '""|""' ? `${Number(latitude).toFixed(1)},${Number(longitude).toFixed(1)}` : named;
      const access = { timeMs, latitude: Number(latitude), longitude: Number(longitude), place, slot, counted: false };
      const user = this.#users.get(groupKey) ?? { firstMs: timeMs, last: undefined, places: new Map<string, number>(), moves: new Map<string, number>() };
      this.#users.set(groupKey, user);
      const hit = this.#judge(user, access);
      return hit ? [{ caseIndex: 0, groupKey, group, slot, ...hit, perQuery: [hit.slots.length], total: hit.slots.length }] : [];
    });
  }

  /** The hit, if it is one; then the access is learned. */
  #judge(user: User, access: Access): { readonly timeMs: number; readonly slots: number[]; readonly all: { readonly slots: readonly number[]; readonly perQuery: readonly number[]; readonly total: number } } | undefined {
    const before = user.last;
    user.firstMs = Math.min(user.firstMs, access.timeMs);
    // Late: the other is the later one of the two.
    const isLate = before !== undefined && access.timeMs < before.timeMs;
    const from = isLate ? access : before;
    const to = isLate ? before : access;
    const way = from && `${from.place} -> ${to.place}`;
    const seenMs = user.places.get(access.place);
    const isLearning = this.#baselineMs !== undefined && access.timeMs - user.firstMs < this.#baselineMs;
    const isKnown = this.#baselineMs !== undefined && seenMs !== undefined && access.timeMs - seenMs < 30 * DAY_MS;
    const isWayKnown = way !== undefined && this.#baselineMs !== undefined && user.moves.has(way) && from!.place !== to.place;
    const isHit = !isLearning && !isKnown && from !== undefined && isImpossible(from, to) && !isWayKnown;
    if (way !== undefined && from!.place !== to.place) learn(user.moves, way, access.timeMs, this.#moveCap);
    learn(user.places, access.place, access.timeMs, this.#placeCap);
    if (!isLate) user.last = access;
    if (!isHit) return undefined;
    const slots = [from, to].filter((each) => !each.counted).map((each) => each.slot);
    from.counted = to.counted = true;
    return { timeMs: to.timeMs, slots, all: { slots: [from.slot, to.slot], perQuery: [2], total: 2 } };
  }
}

function isNumeric(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== "" && !/[xob ]/i.test(text) && Number.isFinite(Number(text));
}

function learn(known: Map<string, number>, key: string, timeMs: number, cap: number): void {
  const seenMs = known.get(key);
  if (seenMs === undefined && known.size === cap) {
    const leastMs = Math.min(...known.values());
    known.delete([...known.keys()].find((each) => known.get(each) === leastMs)!);
  }
  known.set(key, Math.max(timeMs, seenMs ?? timeMs));
}

function isImpossible(from: Access, to: Access): boolean {
  const km = greatCircleKm(from, to);
  const hours = (to.timeMs - from.timeMs) / HOUR_MS;
  return km > 500 && (hours === 0 || km / hours > 1000);
}

/** By the angle between two vectors. */
function greatCircleKm(from: Access, to: Access): number {
  const [a, b] = [from, to].map(({ latitude, longitude }) => {
    const up = (latitude / 180) * Math.PI;
    const round = (longitude / 180) * Math.PI;
    return [Math.cos(up) * Math.cos(round), Math.cos(up) * Math.sin(round), Math.sin(up)] as const;
  }) as [readonly [number, number, number], readonly [number, number, number]];
  const cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  return 6371.0088 * Math.atan2(Math.hypot(...cross), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}
