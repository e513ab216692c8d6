import { BucketBounds } from "./detect/method/anomaly-bounds.ts";
import { planAnomaly } from "./detect/method/anomaly-plan.ts";
import { BucketSeries } from "./detect/method/anomaly-series.ts";
import { distanceKm } from "./detect/method/impossible-travel.ts";
import { holdsJndiLookup } from "./detect/method/log4shell-scan.ts";
import type { LogEvent } from "./event/event.ts";
import type { EventReader } from "./event/made.ts";
import { unreachable } from "./problem.ts";
import { scalarsBelow, valuesAt, valuesOf } from "./query/values.ts";
import { printCondition } from "./rule/condition-print.ts";
import type { ImpossibleTravelOptions, NewValueOptions, SequenceOptions } from "./rule/method.ts";
import type { Rule } from "./rule/rule.ts";
import { type Ledger, type LedgerEntry, aggregate } from "./why-ledger.ts";
import type { Windows } from "./why-windows.ts";

/** One thing a method knew or worked out, in words; `speaks` tells whether it is for a match, against it, or neither. */
export interface StateLine {
  readonly name: string;
  readonly text: string;
  readonly speaks?: "for" | "against";
}

export interface Asked {
  readonly rule: Rule;
  readonly event: LogEvent;
  readonly timeMs: number;
  readonly key: string;
  readonly ledger: Ledger;
  readonly reader: EventReader;
  readonly windows: Windows;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What the rule's method made of a group up to the event, worked out anew from all its matches. Windows speak for themselves. */
export function methodState(asked: Asked): StateLine[] {
  const { method } = asked.rule.options;
  switch (method.kind) {
    case "threshold":
      return [];
    case "content_anomaly":
      return [{ name: "counted", text: `conditions count logs unlike earlier ones; the windows above show all that matched (similar: ${method.similarityPercent} %, learning ${method.learningDays} d)` }];
    case "new_value":
      return newValueState(asked, method);
    case "anomaly_detection":
      return anomalyState(asked);
    case "impossible_travel":
      return travelState(asked, method);
    case "sequence_detection":
      return sequenceState(asked, method);
    case "hardcoded":
      return [jndiState(asked.event)];
    case "third_party":
      return [];
    default:
      return unreachable(method);
  }
}

/** Matches before the event, which is the last of them where it was counted. */
function before({ ledger, key, timeMs }: Asked): LedgerEntry[] {
  const all = ledger.between(key, 0, Number.NEGATIVE_INFINITY, timeMs);
  return all.slice(0, -1);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function newValueState(asked: Asked, method: NewValueOptions): StateLine[] {
  const fields = asked.rule.queries[0]!.metrics;
  const tupleOf = (event: LogEvent): string[] | undefined => {
    const values = fields.map((field) => valuesOf(field, event)[0]);
    return values.some((value) => value === undefined) ? undefined : values.map(String);
  };
  const own = tupleOf(asked.event);
  if (!own) return [{ name: "value", text: "the event has none of one of its fields, so it is not looked at", speaks: "against" }];
  let events = 0;
  let firstMs = asked.timeMs;
  let seenMs: number | undefined;
  const known = new Set<string>();
  for (const entry of before(asked)) {
    const tuple = tupleOf(asked.reader.event(entry.bytes, entry.profile));
    if (!tuple) continue;
    events++;
    firstMs = Math.min(firstMs, entry.timeMs);
    known.add(JSON.stringify(tuple));
    if (JSON.stringify(tuple) === JSON.stringify(own)) seenMs = entry.timeMs;
  }
  const { learning, forgetAfterDays } = method;
  const learnsUntil = learning.kind === "duration" && learning.days > 0 ? firstMs + learning.days * DAY_MS : undefined;
  const isLearning = learning.kind === "threshold" ? events < learning.values : learnsUntil === undefined ? events === 0 : asked.timeMs < learnsUntil;
  const isKnown = seenMs !== undefined && asked.timeMs - seenMs < forgetAfterDays * DAY_MS;
  return [
    { name: "value", text: `${own.join(", ")}: ${seenMs === undefined ? "never seen before" : `last seen ${timeOf(seenMs)}${isKnown ? "" : ", forgotten since"}`}`, speaks: isKnown ? "against" : "for" },
    { name: "learning", text: isLearning ? (learnsUntil === undefined ? "the group's first event is only learned" : `until ${timeOf(learnsUntil)}: values are only learned`) : "over", speaks: isLearning ? "against" : "for" },
    { name: "known", text: `${known.size} values of ${events} earlier events; a value is forgotten after ${forgetAfterDays} days unseen` },
  ];
}

function anomalyState(asked: Asked): StateLine[] {
  const plan = planAnomaly(asked.rule);
  const query = asked.rule.queries[0]!;
  const byBucket = new Map<number, LedgerEntry[]>();
  const entries = asked.ledger.between(asked.key, 0, Number.NEGATIVE_INFINITY, asked.timeMs);
  for (const entry of entries) {
    const bucket = Math.floor(entry.timeMs / plan.bucketMs);
    (byBucket.get(bucket) ?? byBucket.set(bucket, []).get(bucket)!).push(entry);
  }
  const series = new BucketSeries();
  for (const [bucket, own] of byBucket) series.set(bucket, aggregate(query, own, asked.reader));
  const firstMs = entries[0]?.timeMs ?? asked.timeMs;
  const bucket = Math.floor(asked.timeMs / plan.bucketMs);
  const learnsUntil = firstMs + plan.learningMs;
  const isLearning = bucket * plan.bucketMs < learnsUntil;
  const bounds = new BucketBounds(plan);
  const lines: StateLine[] = [
    { name: "bucket", text: `${timeOf(bucket * plan.bucketMs)}: ${query.aggregation} ${series.get(bucket)} so far, in ${byBucket.size} buckets with events since ${timeOf(firstMs)}` },
    { name: "learning", text: isLearning ? `until ${timeOf(learnsUntil)}` : "over", ...(isLearning && Number.isNaN(plan.learningBound) ? { speaks: "against" as const } : {}) },
  ];
  plan.percentiles.forEach((percentile, i) => {
    const bound = bounds.of(bucket, i, firstMs, series);
    if (Number.isNaN(bound)) return;
    const isAbove = series.get(bucket) > bound;
    lines.push({ name: "bound", text: `${bound} at the ${percentile} quantile; what lies above is judged over ${plan.windowBuckets} buckets with tolerance ${plan.tolerance}`, speaks: isAbove ? "for" : "against" });
  });
  return lines;
}

interface Place {
  readonly timeMs: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string;
}

function travelState(asked: Asked, method: ImpossibleTravelOptions): StateLine[] {
  const metric = asked.rule.queries[0]!.metrics[0];
  const path = metric?.kind === "attribute" ? metric.path : ["network", "client", "geoip"];
  const placeOf = (event: LogEvent, timeMs: number): Place | undefined => {
    const value = (...below: string[]) => valuesAt(event.attributes, [...path, ...below])[0];
    const [latitude, longitude] = [Number(value("location", "latitude") ?? Number.NaN), Number(value("location", "longitude") ?? Number.NaN)];
    if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return undefined;
    const name = [value("city", "name"), value("country", "iso_code") ?? value("country", "name")].filter((text) => typeof text === "string").join(", ");
    return { timeMs, latitude, longitude, name: name || `${latitude.toFixed(1)} ${longitude.toFixed(1)}` };
  };
  const own = placeOf(asked.event, asked.timeMs);
  if (!own) return [{ name: "place", text: "the event has no coordinates, so it is not looked at", speaks: "against" }];
  const earlier = before(asked).flatMap((entry) => placeOf(asked.reader.event(entry.bytes, entry.profile), entry.timeMs) ?? []);
  const last = earlier.at(-1);
  if (!last) return [{ name: "place", text: `${own.name}: the first place seen of this group`, speaks: "against" }];
  const km = distanceKm(last.latitude, last.longitude, own.latitude, own.longitude);
  const hours = (own.timeMs - last.timeMs) / HOUR_MS;
  const isFar = km > 500 && (hours === 0 || km / hours > 1000);
  const lines: StateLine[] = [{
    name: "travel", speaks: isFar ? "for" : "against",
    text: `${last.name} (${timeOf(last.timeMs)}) to ${own.name}: ${km.toFixed(0)} km in ${hours.toFixed(2)} h${hours > 0 ? `, ${(km / hours).toFixed(0)} km/h` : ""}; told beyond 500 km and 1000 km/h`,
  }];
  if (method.baselineDays === undefined) return lines;
  const learnsUntil = earlier[0]!.timeMs + method.baselineDays * DAY_MS;
  lines.push({ name: "learning", text: asked.timeMs < learnsUntil ? `until ${timeOf(learnsUntil)}` : "over", speaks: asked.timeMs < learnsUntil ? "against" : "for" });
  const seen = earlier.findLast((place) => place.name === own.name && own.timeMs - place.timeMs < 30 * DAY_MS);
  const isWay = earlier.some((place, i) => i > 0 && place.name === own.name && earlier[i - 1]!.name === last.name);
  lines.push({ name: "known", text: seen ? `${own.name} was seen ${timeOf(seen.timeMs)}` : isWay ? `the way from ${last.name} is known` : `${own.name} is a new place`, speaks: seen || isWay ? "against" : "for" });
  return lines;
}

/** Each step at its own latest moment; that one follows the other in time is for the engine to say. */
function sequenceState({ rule, timeMs, key, ledger, windows }: Asked, method: SequenceOptions): StateLine[] {
  const times = [...new Set(rule.queries.flatMap((_, i) => ledger.between(key, i, timeMs - DAY_MS, timeMs).map((entry) => entry.timeMs)))].toReversed();
  return method.steps.map((step, i): StateLine => {
    const { condition } = step;
    const within = i > 0 ? `, within ${method.transitionMs[i - 1]! / 1000} s of ${method.steps[i - 1]!.name}` : "";
    const text = `${condition ? printCondition(condition) : "any event"} in ${step.windowMs / 1000} s${within}`;
    if (!condition) return { name: step.name, text };
    const trueMs = times.slice(0, STEP_LOOKS).find((at) => windows.trace(condition.first, at, step.windowMs).holds);
    return { name: step.name, text: `${text}: ${trueMs === undefined ? "not true" : `true by itself at ${timeOf(trueMs)}`}`, speaks: trueMs === undefined ? "against" : "for" };
  });
}

const STEP_LOOKS = 1000;

function jndiState(event: LogEvent): StateLine {
  const texts = [event.message, ...scalarsBelow(event.attributes)].filter((value) => typeof value === "string");
  const found = texts.find(holdsJndiLookup);
  return found === undefined ? { name: "lookup", text: "no text of the event holds a JNDI lookup", speaks: "against" } : { name: "lookup", text: found, speaks: "for" };
}
