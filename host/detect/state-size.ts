import { ENTRY_BYTES, GROUP_HEAD_BYTES, KEEP_COUNT, KEEP_DISTINCT, KEEP_MAX, KEEP_SUM, KEEP_WIDE, PANE_BYTES, RING_HEAD_BYTES, VALUE_ENTRY_BYTES } from "../../assembly/layout.ts";
import { unreachable } from "../problem.ts";
import type { Rule } from "../rule/rule.ts";
import { type Keep, planThreshold } from "./threshold.ts";

/** What a rule keeps of each group: estimates, in bytes, for keys of ordinary length. */
export interface StateSize {
  /** Of a group seen once. */
  readonly first: number;
  /** At most, of a group that is busy all the time. */
  readonly full: number;
  /** In words, what is kept. */
  readonly keeps: string;
}

/** Key text, with its length. */
const KEY_BYTES = 24;
/** A place in the table of groups, which is half empty. */
const PLACE_BYTES = 16;
/** Rings of distinct values beyond this have an index. */
const SCAN_CAP = 32;
/** Tables on the host: index cells of a row, at most three quarters full. */
const INDEX_BYTES = 8;
const SIMILAR_CAP = 2048;
const SIMILAR_BYTES = 200;
const VALUE_CAP = 65_536;
const LIST_BYTES = 20;
const PLACE_CAP = 64;
const MOVE_CAP = 256;
const FIRING_CAP = 64;
const FIRING_BYTES = 120;
const HISTORY_MS = 14 * 86_400_000;

export function stateSize(rule: Rule): StateSize {
  const { method } = rule.options;
  switch (method.kind) {
    case "threshold":
      return windowSize(rule);
    case "content_anomaly": {
      const { first, full, keeps } = windowSize(rule);
      return { first: first + SIMILAR_BYTES * 16, full: full + SIMILAR_CAP * SIMILAR_BYTES, keeps: `${keeps}; up to ${SIMILAR_CAP} different texts` };
    }
    case "new_value": {
      const group = 32 + INDEX_BYTES;
      const value = LIST_BYTES + INDEX_BYTES;
      return { first: group + value, full: group + VALUE_CAP * value, keeps: `values of ${method.forgetAfterDays} days, ${value} bytes each, up to ${VALUE_CAP}; then filters` };
    }
    case "anomaly_detection": {
      const buckets = HISTORY_MS / (method.bucketSeconds * 1000);
      return { first: 640, full: 640 + buckets * 16, keeps: `a number for each of ${buckets} buckets that had events` };
    }
    case "impossible_travel": {
      const user = 76 + INDEX_BYTES;
      if (method.baselineDays === undefined) return { first: user, full: user, keeps: "the latest place" };
      return { first: user + LIST_BYTES, full: user + (PLACE_CAP + MOVE_CAP) * LIST_BYTES, keeps: `the latest place, up to ${PLACE_CAP} places and ${MOVE_CAP} ways between them` };
    }
    case "sequence_detection": {
      const steps = method.steps.length;
      return { first: 320 + 64, full: 320 + steps * (32 + FIRING_CAP * FIRING_BYTES), keeps: `up to ${FIRING_CAP} moments of each of ${steps} steps, and events of their windows` };
    }
    case "third_party":
    case "hardcoded":
      return { first: 0, full: 0, keeps: "nothing" };
    default:
      return unreachable(method);
  }
}

function windowSize(rule: Rule): StateSize {
  if (rule.options.evaluationWindowMs === 0) return { first: 0, full: 0, keeps: "nothing: each event is judged alone" };
  const plan = planThreshold(rule, 0);
  const entry = (keep: Keep): number => (keep.kind === KEEP_COUNT || keep.kind === KEEP_WIDE ? ENTRY_BYTES : VALUE_ENTRY_BYTES);
  const inline = plan.keeps.reduce((sum, keep) => sum + entry(keep) + 4, GROUP_HEAD_BYTES) + (plan.after === undefined ? 0 : ENTRY_BYTES + 4) + (plan.shared ? 16 : 0);
  const first = inline + KEY_BYTES + PLACE_BYTES;
  const rings = plan.keeps.reduce((sum, keep) => {
    const index = keep.kind === KEEP_DISTINCT && keep.capacity > SCAN_CAP ? keep.capacity * 3 * 4 : 0;
    return sum + RING_HEAD_BYTES + keep.capacity * entry(keep) + keep.panes * PANE_BYTES + index;
  }, 0);
  return { first, full: first + rings, keeps: plan.keeps.map((keep, i) => `${rule.queries[i]!.label}: ${keepText(keep)}`).join("; ") };
}

function keepText(keep: Keep): string {
  switch (keep.kind) {
    case KEEP_COUNT:
      return keep.need > 1 ? `the ${keep.need} latest times` : "the latest time";
    case KEEP_WIDE:
      return `counts in ${keep.panes} panes`;
    case KEEP_DISTINCT:
      return keep.need > 1 ? `the ${keep.need} latest values` : "the latest value";
    case KEEP_SUM:
      return `sums in ${keep.panes} panes`;
    case KEEP_MAX:
      return keep.panes ? `numbers in ${keep.panes} panes` : "numbers above its bounds";
  }
}
