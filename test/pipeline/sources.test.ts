import { expect, test } from "vitest";
import { matches } from "../../host/query/matches.ts";
import { parseQuery } from "../../host/query/parse.ts";
import type { QueryNode } from "../../host/query/tree.ts";
import type { LogEvent } from "../../host/event/event.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";

const nodeOf = (text: string): QueryNode => (parseQuery(text) as { readonly node: QueryNode }).node;
const filters = ["source:a", "source:A", "source:(a OR b)", "-source:a", "@x:1 OR source:a", "source:a* -@x:1", "source:?", "service:s", "*", "source:b -source:c", "-(source:a OR @x:1)"];
const sources = ["a", "A", "b", "c", "ab", "", undefined];

test.each(filters)("a pipeline of %s takes the events that its filter matches, whatever their source", (filter) => {
  const pipeline: Pipeline = {
    id: "p", name: "p", enabled: true, filter: nodeOf(filter),
    processors: [{ kind: "string-builder-processor", target: { kind: "attribute", path: ["taken"] }, template: "yes", replaceMissing: false }] as unknown as Pipeline["processors"],
  };
  const taken: boolean[] = [];
  const expected: boolean[] = [];
  const given: ReadonlyArray<NonNullable<LogEvent["attributes"]>> = [{}, { x: 1 }, { x: "2" }];
  // Twice: what is known of a source is asked again.
  for (const source of [...sources, ...sources]) {
    for (const attributes of given) {
      const event: LogEvent = { ...(source === undefined ? {} : { source }), service: "s", message: "m", attributes };
      taken.push(runPipelines(event, [pipeline]).attributes?.taken === "yes");
      expected.push(matches(pipeline.filter, event));
    }
  }
  expect(taken).toEqual(expected);
});
