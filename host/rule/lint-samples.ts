import { decodeEvent } from "../event/decode.ts";
import type { LogEvent } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import type { Field } from "../query/tree.ts";
import { scalarsBelow, valuesAt, valuesOf } from "../query/values.ts";
import { nearest } from "./nearest.ts";
import type { Rule, RuleQuery } from "./rule.ts";

type Warn = (code: string, place: string, message: string, hint: string) => void;

/**
 * Fields a query groups by or counts that none of its matching samples has: in life such a query counts nothing. A query
 * without a matching sample says nothing, and one whose group may be absent loses nothing by it.
 */
export function lintSamples(rule: Rule, warn: Warn): void {
  const events = sampleEvents(rule);
  rule.queries.forEach((query, i) => {
    const own = events.filter((event) => matches(query.node, event));
    if (!own.length) return;
    const place = `queries[${i}]`;
    if (!query.optionalGroupBy) {
      query.groupBy.forEach((field, k) => {
        const name = query.groupByNames[k]!;
        if (!has(own, field)) warn("lint/group-never-seen", `${place}.groupByFields[${k}]`, `no sample that ${query.label} matches has ${name}, and without it an event is in no group`, hintFor(own, name));
      });
    }
    for (const [member, name, field] of counted(rule, query, i)) {
      if (!has(own, field)) warn("lint/field-never-seen", `${place}.${member}`, `no sample that ${query.label} matches has ${name}, which it counts`, hintFor(own, name));
    }
  });
}

/** Samples that must match, and logs of scenarios, as envelopes. */
function sampleEvents(rule: Rule): LogEvent[] {
  const samples = [
    ...rule.tests.filter((test) => test.expected), ...rule.scenarios.flatMap((scenario) => (typeof scenario.logs === "string" ? [] : scenario.logs.slice(0, SAMPLE_CAP))),
  ];
  return samples.flatMap(({ event, format }) => decodeEvent(JSON.stringify(event), { format }) ?? []);
}

const SAMPLE_CAP = 1000;

function has(events: readonly LogEvent[], field: Field): boolean {
  // Below a place there may be what the method looks at.
  return events.some((event) => valuesOf(field, event).length > 0 || (field.kind === "attribute" && valuesAt(event.attributes, field.path).some((value) => scalarsBelow(value).length > 0)));
}

function counted(rule: Rule, query: RuleQuery, index: number): Array<readonly [string, string, Field]> {
  const members = (rule.wire.queries as ReadonlyArray<{ readonly [name: string]: unknown }> | undefined)?.[index];
  return (["distinctFields", "metrics"] as const).flatMap((member) => {
    const names = members?.[member];
    const fields = member === "metrics" ? query.metrics : query.distinct;
    if (!Array.isArray(names)) return [];
    return fields.flatMap((field, i) => (typeof names[i] === "string" ? [[`${member}[${i}]`, names[i], field] as const] : []));
  });
}

function hintFor(events: readonly LogEvent[], name: string): string {
  const known = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return void known.add(`@${path}`);
    if (Array.isArray(value)) return value.forEach((each) => walk(each, path));
    for (const [key, below] of Object.entries(value)) walk(below, path === "" ? key : `${path}.${key}`);
  };
  for (const event of events) {
    walk(event.attributes ?? {}, "");
    for (const tag of event.tags ?? []) known.add(tag.split(":")[0]!);
  }
  const bare = name.replace(/^@/, "");
  const near = [...known].find((each) => each.replace(/^@/, "") === bare && each !== name) ?? [...known].find((each) => each.toLowerCase() === name.toLowerCase()) ?? nearest(name, [...known]);
  return near === undefined ? "name a field the events have, or give the sample this one" : `did you mean ${near}?`;
}

