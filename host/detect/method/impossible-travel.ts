import type { Rule } from "../../rule/rule.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodMatch, OnHit } from "./method.ts";
import { type BudgetHolder, type StateBudget, unlimitedBudget } from "./state-budget.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";
import { addNumber, addText, endHash, hash, hashText, startHash } from "./store-hash.ts";
import { SeenLists } from "./store-list.ts";
import { KeyTable, oldestRows } from "./store-table.ts";

export interface ImpossibleTravelSetup {
  readonly allowedLatenessMs: number;
  /** Users kept; beyond it those longest unseen give way. */
  readonly groupCap?: number;
  /** Locations kept of one user, and ways from one to another. */
  readonly placeCap?: number;
  readonly moveCap?: number;
  /** Users of whom nothing can follow any more are swept out after as many came, or as many as there are. */
  readonly sweepLeast?: number;
  /** Memory it shares with others; as much as it likes by default. */
  readonly budget?: StateBudget;
}

const VERSION = 1;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const FORGET_MS = 30 * DAY_MS;
const EARTH_KM = 6371.0088;
const FAR_KM = 500;
const FAST_KM_PER_HOUR = 1000;
/** After this no distance on Earth is too far. */
const SETTLED_MS = Math.ceil(((Math.PI * EARTH_KM) / FAST_KM_PER_HOUR) * HOUR_MS) + 1;
/** Columns of a user; latitude to counted are the predecessor's. */
const FIRST_MS = 0;
const LAST_MS = 1;
const LATITUDE = 2;
const LONGITUDE = 3;
const SLOT = 4;
const PLACE_LO = 0;
const PLACE_HI = 1;
const COUNTED = 2;
const PLACES = 3;
const MOVES = 4;

/** What an event says of where its user is. */
const here = { latitude: 0, longitude: 0, lo: 0, hi: 0 };

/**
 * Impossible travel: section 7. Values of an event: latitude, longitude, city name, ISO code and name of the country.
 *
 * A late event is judged when it comes, against the user's latest event: the two may be impossible either way round, and the
 * match is at the later one's time. It does not become the predecessor.
 */
export class ImpossibleTravelDetector implements MethodDetector, BudgetHolder {
  readonly #rule: Rule;
  readonly #setup: Required<ImpossibleTravelSetup>;
  /** How long a user is only watched; undefined where no locations are kept. */
  readonly #learningMs: number | undefined;
  #users = newUsers();
  #places: SeenLists;
  /** Known ways from one location to another; section 7 never forgets them. */
  #moves: SeenLists;
  #floorMs = Number.NEGATIVE_INFINITY;
  /** Users that may still come before the next sweep. */
  #untilSweep: number;
  #lateDropped = 0;
  #evicted = 0;

  constructor(rule: Rule, setup: ImpossibleTravelSetup) {
    const { method } = rule.options;
    if (method.kind !== "impossible_travel") throw new Error(`${rule.id} is a ${method.kind} rule`);
    this.#rule = rule;
    const budget = setup.budget ?? unlimitedBudget();
    this.#setup = { groupCap: 1 << 20, placeCap: 64, moveCap: 256, sweepLeast: 4096, budget, ...setup };
    budget.join(this);
    this.#learningMs = method.baselineDays === undefined ? undefined : method.baselineDays * DAY_MS;
    this.#places = new SeenLists(this.#setup.placeCap);
    this.#moves = new SeenLists(this.#setup.moveCap);
    this.#untilSweep = this.#setup.sweepLeast;
  }

  apply(event: MethodEvent, onHit: OnHit): void {
    for (const match of event.matches) {
      if (event.timeMs < event.highMs - this.#setup.allowedLatenessMs) this.#lateDropped++;
      else if (readPlace(match.values, this.#learningMs !== undefined)) this.#travel(event, match, onHit);
    }
  }

  advance(timeMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, timeMs);
  }

  get stateBytes(): number {
    return this.#users.bytes + this.#places.bytes + this.#moves.bytes;
  }

  giveWay(): boolean {
    if (this.#users.count === 0) return false;
    this.#dropUsers();
    this.#users.shrink();
    const { u32, count } = this.#users;
    this.#places.pack(u32[PLACES]!.subarray(0, count));
    this.#moves.pack(u32[MOVES]!.subarray(0, count));
    return true;
  }

  counts(): MethodCounts {
    return {
      groups: this.#users.count, stateBytes: this.stateBytes, lateDropped: this.#lateDropped,
      evicted: this.#evicted + this.#places.evicted + this.#moves.evicted,
    };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, VERSION);
    for (const number of [this.#floorMs, this.#untilSweep, this.#lateDropped, this.#evicted]) writer.f64(number);
    this.#users.save(writer);
    this.#places.save(writer);
    this.#moves.save(writer);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, VERSION);
    if (typeof reader === "string") return reader;
    const [floorMs, untilSweep, lateDropped, evicted] = Array.from({ length: 4 }, () => reader.f64()) as [number, number, number, number];
    const users = newUsers();
    const places = new SeenLists(this.#setup.placeCap);
    const moves = new SeenLists(this.#setup.moveCap);
    if (!users.restore(reader) || !places.restore(reader) || !moves.restore(reader) || !reader.isDone) return BROKEN_STATE;
    if (!users.u32[PLACES]!.every((row) => places.holds(row)) || !users.u32[MOVES]!.every((row) => moves.holds(row))) return BROKEN_STATE;
    this.#users = users;
    this.#places = places;
    this.#moves = moves;
    this.#floorMs = floorMs;
    this.#untilSweep = untilSweep;
    this.#lateDropped = lateDropped;
    this.#evicted = evicted;
    return undefined;
  }

  #travel(event: MethodEvent, match: MethodMatch, onHit: OnHit): void {
    const { timeMs, slot } = event;
    const { lo, hi } = here;
    if (!this.#mayTake(this.#places.nextBytes + this.#moves.nextBytes)) this.#dropUsers();
    hashText(match.groupKey);
    let user = this.#users.find(hash.lo, hash.hi);
    const isFirst = user < 0;
    if (isFirst) user = this.#addUser(hash.lo, hash.hi, timeMs);
    const { f64, u32 } = this.#users;
    if (timeMs < f64[FIRST_MS]![user]!) f64[FIRST_MS]![user] = timeMs;
    const isLate = timeMs < f64[LAST_MS]![user]!;
    const isHit = !isFirst && this.#isTold(user, timeMs);
    if (isHit) onHit(this.#hit(event, match, user));
    if (this.#learningMs !== undefined) {
      const moved = !isFirst && this.#hashMove(user, isLate);
      if (moved) u32[MOVES]![user] = this.#moves.see(u32[MOVES]![user]!, hash.lo, hash.hi, timeMs, Number.NEGATIVE_INFINITY);
      u32[PLACES]![user] = this.#places.see(u32[PLACES]![user]!, lo, hi, timeMs, this.#floorMs - FORGET_MS);
    }
    if (isLate) {
      if (isHit) u32[COUNTED]![user] = 1;
      return;
    }
    f64[LAST_MS]![user] = timeMs;
    f64[LATITUDE]![user] = here.latitude;
    f64[LONGITUDE]![user] = here.longitude;
    f64[SLOT]![user] = slot;
    u32[PLACE_LO]![user] = lo;
    u32[PLACE_HI]![user] = hi;
    u32[COUNTED]![user] = isHit ? 1 : 0;
  }

  #mayTake(bytes: number): boolean {
    return bytes === 0 || this.#setup.budget.allows(this, bytes);
  }

  #isTold(user: number, timeMs: number): boolean {
    const { f64, u32 } = this.#users;
    if (this.#learningMs !== undefined) {
      if (timeMs - f64[FIRST_MS]![user]! < this.#learningMs) return false;
      if (timeMs - this.#places.lastSeen(u32[PLACES]![user]!, here.lo, here.hi) < FORGET_MS) return false;
    }
    const gapMs = timeMs - f64[LAST_MS]![user]!;
    if (Math.abs(gapMs) >= SETTLED_MS) return false;
    const far = distanceKm(f64[LATITUDE]![user]!, f64[LONGITUDE]![user]!, here.latitude, here.longitude);
    if (!(far > FAR_KM) || (gapMs !== 0 && far / (Math.abs(gapMs) / HOUR_MS) <= FAST_KM_PER_HOUR)) return false;
    if (this.#learningMs === undefined || !this.#hashMove(user, gapMs < 0)) return true;
    return this.#moves.lastSeen(u32[MOVES]![user]!, hash.lo, hash.hi) === Number.NEGATIVE_INFINITY;
  }

  /** Leaves in `hash` the way between the predecessor's location and this one; false where they are the same. */
  #hashMove(user: number, isLate: boolean): boolean {
    const { u32 } = this.#users;
    const lo = u32[PLACE_LO]![user]!;
    const hi = u32[PLACE_HI]![user]!;
    if (lo === here.lo && hi === here.hi) return false;
    startHash(isLate ? here.lo : lo, isLate ? here.hi : hi);
    addNumber(isLate ? lo : here.lo);
    addNumber(isLate ? hi : here.hi);
    endHash();
    return true;
  }

  #hit({ timeMs, slot }: MethodEvent, match: MethodMatch, user: number): Parameters<OnHit>[0] {
    const { f64, u32 } = this.#users;
    const lastMs = f64[LAST_MS]![user]!;
    const isLate = timeMs < lastMs;
    const before = u32[COUNTED]![user]! === 1 ? [] : [f64[SLOT]![user]!];
    const slots = isLate ? [slot, ...before] : [...before, slot];
    const both = isLate ? [slot, f64[SLOT]![user]!] : [f64[SLOT]![user]!, slot];
    const perQuery = (count: number): number[] => this.#rule.queries.map((_, query) => (query === match.queryIndex ? count : 0));
    const last = { slot: f64[SLOT]![user]!, timeMs: lastMs, latitude: f64[LATITUDE]![user]!, longitude: f64[LONGITUDE]![user]! };
    const own = { slot, timeMs, latitude: here.latitude, longitude: here.longitude };
    return {
      caseIndex: 0, groupKey: match.groupKey, group: match.group, timeMs: Math.max(timeMs, lastMs), slot, slots,
      perQuery: perQuery(slots.length), total: slots.length, all: { slots: both, perQuery: perQuery(2), total: 2 },
      travel: {
        first: isLate ? own : last, second: isLate ? last : own,
        distanceKm: distanceKm(last.latitude, last.longitude, own.latitude, own.longitude),
      },
    };
  }

  #addUser(lo: number, hi: number, timeMs: number): number {
    const { groupCap } = this.#setup;
    if (--this.#untilSweep < 0 || this.#users.count >= groupCap) this.#sweep();
    if (this.#users.count >= groupCap || !this.#mayTake(this.#users.nextBytes)) this.#dropUsers();
    const user = this.#users.add(lo, hi);
    const { f64 } = this.#users;
    f64[FIRST_MS]![user] = timeMs;
    f64[LAST_MS]![user] = timeMs;
    return user;
  }

  /** Without a baseline nothing follows from a user's last event once enough time is over; with one there is always something known. */
  #sweep(): void {
    const lastMs = this.#users.f64[LAST_MS]!;
    if (this.#learningMs === undefined) this.#keepUsers((row) => lastMs[row]! + SETTLED_MS > this.#floorMs);
    this.#untilSweep = Math.max(this.#setup.sweepLeast, this.#users.count);
  }

  /** The eighth of the users longest unseen gives way. */
  #dropUsers(): void {
    const { count, f64 } = this.#users;
    const drop = Math.max(1, count >> 3);
    const marks = oldestRows(f64[LAST_MS]!, count, drop);
    this.#evicted += drop;
    this.#keepUsers((row) => marks[row] === 0);
  }

  #keepUsers(isKept: (row: number) => boolean): void {
    const { u32, count } = this.#users;
    for (let row = 0; row < count; row++) {
      if (isKept(row)) continue;
      this.#places.release(u32[PLACES]![row]!);
      this.#moves.release(u32[MOVES]![row]!);
    }
    this.#users.keep(isKept);
  }
}

function newUsers(): KeyTable {
  return new KeyTable({ f64: 5, u32: 5 });
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Into `here`; false where there are no coordinates. */
function readPlace(values: MethodMatch["values"], isNamed: boolean): boolean {
  const latitude = values[0]?.[0] ?? "";
  const longitude = values[1]?.[0] ?? "";
  if (!NUMBER.test(latitude) || !NUMBER.test(longitude)) return false;
  here.latitude = Number(latitude);
  here.longitude = Number(longitude);
  if (!(Math.abs(here.latitude) <= 90) || !Number.isFinite(here.longitude)) return false;
  if (!isNamed) return true;
  const city = values[2]?.[0] ?? "";
  const country = values[3]?.[0] ?? values[4]?.[0] ?? "";
  startHash(0, 0);
  addText(city);
  addText(country);
  // Two places that nobody named are the same only where they stand close together.
  if (city === "" && country === "") addText(`${here.latitude.toFixed(1)} ${here.longitude.toFixed(1)}`);
  endHash();
  here.lo = hash.lo;
  here.hi = hash.hi;
  return true;
}

const RADIANS = Math.PI / 180;

/**
 * Great-circle distance in kilometres between two points in decimal degrees.
 *
 * Haversine on a sphere of the Earth's mean radius: within 0.6 % of the ellipsoid, well inside GeoIP's own error. Accepts
 * longitudes beyond ±180. NaN in, NaN out.
 */
export function distanceKm(latitude: number, longitude: number, otherLatitude: number, otherLongitude: number): number {
  const across = Math.sin(((otherLatitude - latitude) * RADIANS) / 2);
  const along = Math.sin(((otherLongitude - longitude) * RADIANS) / 2);
  const chord = across * across + Math.cos(latitude * RADIANS) * Math.cos(otherLatitude * RADIANS) * along * along;
  return 2 * EARTH_KM * Math.asin(Math.sqrt(Math.min(1, chord)));
}
