import { createMatcher } from "../matcher.ts";
import { parseQuery } from "../query/parse.ts";
import { readField } from "../query/field.ts";
import { valuesOf } from "../query/values.ts";
import { normalizeEvent } from "../event/normalize.ts";
import { type FeedOptions, feed, inputFiles } from "./feed.ts";
import { UsageError, problemText } from "./problems.ts";
import { count, safe } from "./text.ts";

export interface MatchOptions extends FeedOptions {
  readonly count?: boolean;
  readonly json?: boolean;
  readonly fields?: string;
}

const decoder = new TextDecoder();

/** `vespid match`: the events a query matches, like grep. Exit code 1 when there is none. */
export async function match(queryText: string, inputs: readonly string[], options: MatchOptions): Promise<number> {
  const parsed = parseQuery(queryText);
  if (!parsed.ok) throw new UsageError(parsed.problems.map((problem) => problemText(problem, queryText)).join("\n"));
  const matcher = await createMatcher({ queries: [parsed.node] });
  const fields = options.fields?.split(",").map((name) => name.trim());
  let found = 0;
  await feed(inputFiles(inputs), options, { push: async (bytes, input) => {
    const hits = await matcher.match(bytes, input);
    found += hits.length;
    if (options.count) return;
    let out = "";
    for (const hit of hits) {
      const text = decoder.decode(hit.event);
      if (!fields) out += `${options.json || !process.stdout.isTTY ? text.trimEnd() : safe(text.trimEnd())}\n`;
      else {
        const event = normalizeEvent(JSON.parse(text), input);
        const values = fields.map((field) => valuesOf(readField(field), event));
        out += options.json
          ? `${JSON.stringify(Object.fromEntries(fields.map((field, i) => [field, values[i]!.length > 1 ? values[i] : values[i]![0] ?? null])))}\n`
          : `${values.map((list) => safe(list.join(","))).join("\t")}\n`;
      }
    }
    process.stdout.write(out);
  } });
  await matcher.close();
  if (options.count) process.stdout.write(`${found}\n`);
  const unreadable = Object.entries(matcher.malformed).map(([reason, n]) => `${count(n)} ${reason}`).join(", ");
  if (unreadable !== "") process.stderr.write(`unreadable: ${unreadable}\n`);
  return found ? 0 : 1;
}
