import type { MethodHit } from "../../host/detect/method/method.ts";

/** A hit that may be kept. */
export type TwinMethodHit = { readonly [name in keyof MethodHit]: MethodHit[name] };

/** All that a hit says, copied: the detector's own is good for the call only. */
export function copyHit({ caseIndex, groupKey, group, timeMs, slot, slots, perQuery, total, all }: MethodHit): TwinMethodHit {
  return { caseIndex, groupKey, group: [...group], timeMs, slot, slots: [...slots], perQuery: [...perQuery], total, ...(all ? { all: { slots: [...all.slots], perQuery: [...all.perQuery], total: all.total } } : {}) };
}
