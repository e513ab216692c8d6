import { describe, expect, test } from "vitest";
import { createMatcher } from "../../host/matcher.ts";
import { readPacks } from "../../host/packs.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { readPipeline } from "../../host/event/pipeline/wire.ts";
import { queryOf } from "../support/query.ts";

const pipeline = (id: string, query: string, processors: readonly unknown[]): Pipeline => {
  const read = readPipeline({ id, name: id, is_enabled: true, filter: { query }, processors });
  if (!read.pipeline) throw new Error(JSON.stringify(read.problems));
  return read.pipeline;
};
/** A remapper to the time of the event, which columns do not follow: times are read once, at the end. */
const toTime = { type: "attribute-remapper", is_enabled: true, sources: ["never"], target: "timestamp" };
/** A remapper that columns follow, and a text built of parts beside what they do not. */
const easy = pipeline("easy", "source:easy", [{ type: "attribute-remapper", is_enabled: true, sources: ["who"], target: "usr.id", preserve_source: true }]);
const hard = pipeline("hard", "source:(hard OR hard.*)", [{ type: "string-builder-processor", is_enabled: true, template: "%{first} %{last}", target: "usr.id" }, toTime]);
const byAttribute = pipeline("odd", "@odd:yes", [{ type: "string-builder-processor", is_enabled: true, template: "%{first}", target: "usr.id" }, toTime]);
const moving = pipeline("moving", "source:moving", [
  { type: "category-processor", is_enabled: true, target: "source", categories: [{ name: "hard", filter: { query: "@kind:x" } }] },
]);

const lines = (...events: readonly Record<string, unknown>[]): Buffer => Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(""));

async function found(pipelines: readonly Pipeline[], query: string, batch: Buffer): Promise<{ readonly hits: number; readonly slow: number }> {
  const matcher = await createMatcher({ queries: [queryOf(query), queryOf("source:*")], pipelines });
  const hits = await matcher.match(batch, { format: "intake", arrivalMs: 1_772_440_800_000 });
  const { slowRows } = matcher;
  await matcher.close();
  return { hits: hits.filter(({ queries }) => queries.includes(0)).length, slow: slowRows };
}

const ann = { ddsource: "easy", who: "ann" };
const bob = { ddsource: "hard", first: "bob", last: "b" };

describe("pipelines that columns cannot follow", () => {
  test("cost those batches alone that hold an event of theirs", async () => {
    expect(await found([easy, hard], "@usr.id:ann", lines(ann, ann, { ddsource: "other", usr: { id: "ann" } }))).toEqual({ hits: 3, slow: 0 });
    expect(await found([easy, hard], '@usr.id:("bob b" OR ann)', lines(ann, bob))).toEqual({ hits: 2, slow: 2 });
    expect(await found([easy, hard], '@usr.id:"x y"', lines({ ddsource: "hard.sub", first: "x", last: "y" }))).toEqual({ hits: 1, slow: 1 });
  });

  test("make every batch slow where more than the source decides who passes them, or where the source may change", async () => {
    expect(await found([easy, byAttribute], "@usr.id:(ann OR zoe)", lines(ann, { ddsource: "other", odd: "yes", first: "zoe" }))).toEqual({ hits: 2, slow: 2 });
    expect(await found([moving, hard], '@usr.id:"c d"', lines({ ddsource: "moving", kind: "x", first: "c", last: "d" }))).toEqual({ hits: 1, slow: 1 });
    expect((await found([moving, hard], "@usr.id:ann", lines({ ddsource: "quiet", usr: { id: "ann" } }))).hits).toBe(1);
  });

  test("of the packs that come along do not keep other sources from their columns, whatever rules ask", async () => {
    const packs = await readPacks("content");
    const pipelines = packs.flatMap(({ pipelines: all }) => all);
    for (const source of ["okta", "github", "myapp", "nginx"]) {
      const { hits, slow } = await found(pipelines, "(@usr.id:* OR @requestParameters.policyDocument.Statement:* OR @process.executable.path:* OR @azure.request:* OR @http.url:*) source:*", lines({ ddsource: source, usr: { id: "ann" }, http: { url: "/a" } }, { ddsource: source, usr: { id: "bob" } }));
      expect([source, hits, slow]).toEqual([source, 2, 0]);
    }
  });
});
