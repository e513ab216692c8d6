import { type MatchedEvent, createMatcher, plainQueries } from "../matcher.ts";
import { readField } from "../query/field.ts";
import { parseQuery } from "../query/parse.ts";
import type { Field } from "../query/tree.ts";
import { valuesOf } from "../query/values.ts";
import type { LogEvent } from "../event/event.ts";
import type { InputOptions } from "../batch/input.ts";
import { type FeedOptions, feed, inputFiles } from "./feed.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError, problemText } from "./problems.ts";
import { count, jsonLine, safe } from "./text.ts";

export interface MatchOptions extends FeedOptions {
  readonly count?: boolean;
  readonly json?: boolean;
  readonly fields?: string;
}

const decoder = new TextDecoder();

interface NamedField {
  readonly name: string;
  readonly field: Field;
}

/** `vespid match`: the events a query matches, like grep. Exit code 1 when there is none, 2 when an input could not be read. */
export async function match(queryText: string, inputs: readonly string[], options: MatchOptions): Promise<number> {
  const parsed = parseQuery(queryText);
  if (!parsed.ok) throw new UsageError(parsed.problems.map((problem) => problemText(problem, queryText)).join("\n"));
  const files = inputFiles(inputs);
  const fields = options.fields?.split(",").map((name) => name.trim()).filter((name) => name !== "").map((name): NamedField => ({ name, field: readField(name) }));
  const pipelines = await choosePipelines(options, plainQueries([parsed.node]));
  const matcher = await createMatcher({ queries: [parsed.node], pipelines: pipelines.all });
  const print = options.count ? undefined : printer(options, fields, (hit, input) => matcher.read(hit, input));
  let found = 0;
  const { faults, tooLarge } = await feed(files, options, {
    prints: print !== undefined,
    pipelines,
    async push(bytes, input) {
      const hits = await matcher.match(bytes, input);
      found += hits.length;
      if (print && hits.length) process.stdout.write(print(hits, input));
    },
  });
  await matcher.close();
  if (options.count) process.stdout.write(`${found}\n`);
  const unreadable = Object.entries(malformedCounts(matcher.malformed, tooLarge)).map(([reason, times]) => `${count(times)} ${reason}`);
  if (unreadable.length) process.stderr.write(`unreadable: ${unreadable.join(", ")}\n`);
  for (const fault of faults) process.stderr.write(`vespid: ${safe(fault)}\n`);
  if (faults.length) return 2;
  return found ? 0 : 1;
}

/** Malformed records by reason; those over the limit were set aside before the engine saw them. */
export function malformedCounts(malformed: Readonly<Record<string, number>>, tooLarge: number): Record<string, number> {
  return tooLarge ? { ...malformed, "too-large": (malformed["too-large"] ?? 0) + tooLarge } : { ...malformed };
}

type Printer = (hits: readonly MatchedEvent[], input: InputOptions) => string;

function printer(options: MatchOptions, fields: readonly NamedField[] | undefined, eventOf: (hit: MatchedEvent, input: InputOptions) => LogEvent): Printer {
  if (fields) {
    return (hits, input) => hits.map((hit) => {
      const event = eventOf(hit, input);
      const values = fields.map(({ field }) => valuesOf(field, event));
      if (!options.json) return `${values.map((list) => safe(list.join(","))).join("\t")}\n`;
      return jsonLine(Object.fromEntries(fields.map(({ name }, i) => [name, values[i]!.length > 1 ? values[i] : (values[i]![0] ?? null)])));
    }).join("");
  }
  if (options.json) return (hits, input) => hits.map((hit) => jsonLine(eventOf(hit, input))).join("");
  // Lines as they came, as grep gives them; only a terminal is kept from what they might do to it.
  const shown = process.stdout.isTTY ? safe : (text: string): string => text;
  return (hits) => hits.map((hit) => `${shown(decoder.decode(hit.event).trim())}\n`).join("");
}
