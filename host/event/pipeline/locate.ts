import { ADDRESS, AS, placeNames } from "../enrichment/geoip-record.ts";
import { geoipTable } from "../enrichment/geoip-table.ts";
import { valuesAt } from "../../query/values.ts";
import type { Json, LogEvent } from "../event.ts";
import { type Members, isMembers, merged, setMember } from "./members.ts";
import type { Place, Processor } from "./pipeline.ts";
import { valueOf, withPlace } from "./place.ts";

/**
 * The event with what is known of its address.
 *
 * The place and the network that databases tell stand in for those the event came with, each as a whole, so that no half of one is
 * joined to a half of another; of what no database knows the event keeps its own.
 */
export function located(event: LogEvent, { sources, target, geoip }: Extract<Processor, { readonly kind: "geo-ip-parser" }>): LogEvent {
  if (!geoip || target.kind !== "attribute") return event;
  const text = firstText(event, sources);
  const found = text === undefined ? undefined : geoipTable(geoip).find(text);
  if (!found) return event;
  const { address, record: { place, as } } = found;
  const before = valueOf(event, target);
  const gone = before === undefined || isMembers(before) ? [ADDRESS, ...(place ? placeNames : []), ...(as ? [AS] : [])].map((name) => [...target.path, name]) : [target.path];
  const rest = { ...event, attributes: gone.reduce(withoutAll, event.attributes ?? {}) };
  const kept = valueOf(rest, target);
  const value: Members = { ...place, ...(as ? { as } : {}), [ADDRESS]: address };
  return withPlace(rest, target, merged(isMembers(kept) ? kept : undefined, value), undefined);
}

/** The members without what stands at the path or below it, whether keys hold the dots or objects are nested. */
function withoutAll(members: Members, path: readonly string[]): Members {
  const whole = path.join(".");
  let out = members;
  for (const [name, value] of Object.entries(members)) {
    const isGone = name === whole || name.startsWith(`${whole}.`);
    const below = !isGone && isMembers(value) && whole.startsWith(`${name}.`) ? withoutAll(value, path.slice(name.split(".").length)) : value;
    if (!isGone && below === value) continue;
    if (out === members) out = { ...members };
    if (isGone) delete out[name];
    else setMember(out, name, below);
  }
  return out;
}

/** The first value of the first source that has one, where it is a text. */
function firstText(event: LogEvent, sources: readonly Place[]): string | undefined {
  for (const source of sources) {
    const values: Json[] = source.kind === "attribute" ? valuesAt(event.attributes, source.path) : [valueOf(event, source) ?? null];
    const first = values.find((value) => typeof value !== "object");
    if (first !== undefined) return typeof first === "string" ? first : undefined;
  }
  return undefined;
}
