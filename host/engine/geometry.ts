import { READ_PAD } from "../../assembly/layout.ts";
import type { ResultArea } from "./task.ts";

/**
 * Where things lie in an instance's memory: static data of the kernels, slots with their result arrays, then the plans.
 * Fixed at creation, because growing would detach every view; pages never touched cost nothing.
 */
export const MEMORY_BYTES = 768 * 1024 * 1024;
/** The kernels' own constants end well below this. */
const SLOTS_START = 1024 * 1024;
/** What a slot may hold: a task of about 1 MB plus the largest single event. */
export const SLOT_BYTES = 2 * 1024 * 1024;
export const TASK_BYTES = 1024 * 1024;
const RESULT_CAPACITY = 64 * 1024;
const KEY_BYTES = 8 * 1024 * 1024;
/** Invalid UTF-8 grows when it is repaired (one byte becomes three). */
export const REPAIR_BYTES = 3 * SLOT_BYTES;

const RESULT_BYTES = RESULT_CAPACITY * (5 * 8 + 6 * 4);
const SLOT_STRIDE = SLOT_BYTES + REPAIR_BYTES + 2 * READ_PAD + RESULT_BYTES + KEY_BYTES + READ_PAD;

export interface SlotArea {
  readonly start: number;
  readonly capacity: number;
  readonly repair: number;
  readonly results: ResultArea;
}

export function slotArea(index: number): SlotArea {
  const start = align(SLOTS_START + index * SLOT_STRIDE);
  let at = align(start + SLOT_BYTES + READ_PAD);
  const repair = at;
  at = align(at + REPAIR_BYTES + READ_PAD);
  const take = (bytes: number): number => {
    const address = at;
    at += bytes;
    return address;
  };
  const results: ResultArea = {
    capacity: RESULT_CAPACITY,
    time: take(RESULT_CAPACITY * 8),
    high: take(RESULT_CAPACITY * 8),
    keyHash: take(RESULT_CAPACITY * 8),
    value: take(RESULT_CAPACITY * 8),
    standing: take(RESULT_CAPACITY * 4),
    row: take(RESULT_CAPACITY * 4),
    keyStart: take(RESULT_CAPACITY * 4),
    keyLength: take(RESULT_CAPACITY * 4),
    eventStart: take(RESULT_CAPACITY * 4),
    eventLength: take(RESULT_CAPACITY * 4),
    id: take(RESULT_CAPACITY * 8),
    keys: at,
    keysEnd: at + KEY_BYTES,
  };
  return { start, capacity: SLOT_BYTES, repair, results };
}

/** First byte free for plans when `slots` slots are laid out. */
export function plansStart(slots: number): number {
  return align(SLOTS_START + slots * SLOT_STRIDE + 4096);
}

function align(address: number): number {
  return (address + 63) & ~63;
}
