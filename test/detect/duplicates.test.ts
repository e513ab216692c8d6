import { beforeAll, describe, expect, test } from "vitest";
import { ID_SPAN_MS } from "../../host/detect/recent-ids.ts";
import { type EngineOptions, type EngineStats, type EventFormat, type Signal, createEngine, readPipelines, signalJson } from "../../host/index.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => {
  loadKernel("simd");
  loadKernel("scalar");
});

const startMs = Date.parse("2026-03-01T10:00:00Z");

/** A signal for every value of `@n`, that counts its events. */
function ruleOf(id: string, query = "*", more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "log_detection", isEnabled: true, tags: [], id, name: id, message: "m", options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 7200 },
    queries: [{ name: "a", query, aggregation: "count", groupByFields: ["@n"], distinctFields: [], ...more }], cases: [{ name: "", status: "low", condition: "a > 0", notifications: [] }],
  };
}
const rules = [ruleOf("each")];

type Event = Readonly<Record<string, unknown>>;
/** `at` seconds after the start; other members are the shipper's, and attributes of the event. */
interface Sent {
  readonly at: number;
  readonly [name: string]: unknown;
}

function lineOf({ at, ...members }: Sent, n: number, format: EventFormat): string {
  const timestamp = startMs + at * 1000;
  if (format !== "log") return JSON.stringify({ timestamp, n, ...members });
  const { attributes, ...own } = members;
  return JSON.stringify({ timestamp, source: "app", ...own, attributes: { n, ...(attributes as Event | undefined) } });
}

interface Played {
  /** Numbers of the events that were judged. */
  readonly judged: number[];
  readonly signals: readonly Signal[];
  readonly stats: EngineStats;
}

async function play(lines: readonly string[], format: EventFormat, options: Partial<EngineOptions> = {}, cuts: ReadonlySet<number> = new Set()): Promise<Played> {
  const engine = await createEngine({ rules, deduplicate: true, ...options });
  for (let from = 0; from < lines.length; ) {
    let to = from + 1;
    while (to < lines.length && !cuts.has(to)) to++;
    await engine.push(new TextEncoder().encode(`${lines.slice(from, to).join("\n")}\n`), { format, arrivalMs: startMs });
    from = to;
  }
  const stats = await engine.close();
  const signals = engine.finalSignals();
  return { judged: [...new Set(signals.map(({ group }) => Number(group["@n"])))].sort((a, b) => a - b), signals, stats };
}

const lines = (sent: readonly Sent[], format: EventFormat): string[] => sent.map((each, n) => lineOf(each, n, format));
/** Records that a pipeline without an operation on columns passes over: events are made of them one by one. */
const { pipelines: made } = readPipelines(JSON.stringify({
  name: "made", is_enabled: true, filter: { query: "*" },
  processors: [{ type: "string-builder-processor", name: "n", is_enabled: true, template: "%{n}", target: "n", is_replace_missing: true }],
}), "made.json");

describe.each<readonly [string, EventFormat, Partial<EngineOptions>]>([
  ["envelopes", "log", {}], ["envelopes, scalar kernel", "log", { variant: "scalar" }], ["intake", "intake", {}], ["raw", "raw", {}],
  ["intake made one by one", "intake", { pipelines: made }], ["raw made one by one", "raw", { pipelines: made }],
])("%s", (_, format, options) => {
  const eventId = (value: unknown): Event => (format === "log" ? { attributes: { event_id: value } } : { event_id: value });
  const cases: ReadonlyArray<readonly [what: string, sent: readonly Sent[], judged: readonly number[]]> = [
    ["a repeat within ten minutes is left out, one after them is judged", [{ at: 0, id: "a" }, { at: 599.999, id: "a" }, { at: 600, id: "a" }], [0, 2]],
    ["a repeat does not prolong the ten minutes, what was judged does", [{ at: 0, id: "a" }, { at: 500, id: "a" }, { at: 700, id: "a" }, { at: 1250, id: "a" }, { at: 1300, id: "a" }], [0, 2, 4]],
    ["a repeat that comes late, with an earlier time", [{ at: 300, id: "a" }, { at: 100, id: "a" }, { at: 900, id: "b" }, { at: 601, id: "b" }], [0, 2]],
    ["without an id nothing is guessed", [{ at: 0 }, { at: 0 }, { at: 0, trace_id: "t" }, { at: 0, trace_id: "t" }], [0, 1, 2, 3]],
    ["id", [{ at: 0, id: "x" }, { at: 1, id: "x" }, { at: 2, id: "y" }], [0, 2]],
    ["_id", [{ at: 0, _id: "x" }, { at: 1, _id: "x" }, { at: 2, _id: "y" }], [0, 2]],
    ["event_id", [{ at: 0, ...eventId("x") }, { at: 1, ...eventId("x") }, { at: 2, ...eventId("y") }], [0, 2]],
    ["an id is the same under any name", [{ at: 0, id: "x" }, { at: 1, _id: "x" }, { at: 2, ...eventId("x") }], [0]],
    ["the first that is there counts", [{ at: 0, id: "x", _id: "p", ...eventId("q") }, { at: 1, id: "x", _id: "r" }, { at: 2, id: "z", _id: "p" }, { at: 3, _id: "p", ...eventId("x") }, { at: 4, _id: "p" }], [0, 2, 3]],
    ["null, an empty text, true and an object are no ids", [{ at: 0, id: null, _id: "p" }, { at: 1, id: "", _id: "p" }, { at: 2, id: true, _id: "p" }, { at: 3, id: { a: 1 }, _id: "p" }, { at: 4, id: "" }, { at: 5, id: "" }, { at: 6, id: false }, { at: 7, id: false }], [0, 4, 5, 6, 7]],
    ["of a list the first", [{ at: 0, id: ["a", "b"] }, { at: 1, id: "a" }, { at: 2, id: "b" }, { at: 3, id: [null, "b"] }], [0, 2]],
    ["a number is an id, another than its text", [{ at: 0, id: 7 }, { at: 1, id: "7" }, { at: 2, id: 7 }, { at: 3, id: "7" }, { at: 4, id: -7 }], [0, 1, 4]],
    ["upper and lower case differ, escapes and letters do not", [{ at: 0, id: "ä/A" }, { at: 1, id: "ä/a" }, { at: 2, id: "ä/A" }], [0, 1]],
    ["an id of any length", [{ at: 0, id: "k".repeat(5000) }, { at: 1, id: `${"k".repeat(4999)}l` }, { at: 2, id: "k".repeat(5000) }], [0, 1]],
  ];

  test.each(cases)("%s", async (_what, sent, judged) => {
    const { judged: found, stats } = await play(lines(sent, format), format, options);
    expect(found).toEqual(judged);
    expect(stats).toMatchObject({ events: sent.length, duplicates: sent.length - judged.length, idsForgotten: 0 });
  });

  test("spelt with escapes", async () => {
    const sent = lines([{ at: 0, id: "ab/c" }, { at: 1, id: "ab/c" }], format);
    expect((await play([sent[0]!, sent[1]!.replace("ab/c", "\\u0061b\\/c")], format, options)).judged).toEqual([0]);
  });

  test("nobody asked: all are judged", async () => {
    const { judged, stats } = await play(lines([{ at: 0, id: "a" }, { at: 1, id: "a" }], format), format, { ...options, deduplicate: false });
    expect(judged).toEqual([0, 1]);
    expect(stats.duplicates).toBe(0);
  });

  test.each([["8999999999999999", true], ["-8999999999999999", true], ["9000000000000000", false], ["9007199254740993", false], ["-9007199254740993", false], ["1e15", true], ["7.0", true], ["1.5", false], ["0.1000000000000000055", false], ["1e300", false]])("the number %s: is it an id? %s", async (id, isOne) => {
    const sent = lines([{ at: 0, id: "@" }, { at: 1, id: "@" }], format).map((line) => line.replace('"@"', id));
    expect((await play(sent, format, options)).judged).toEqual(isOne ? [0] : [0, 1]);
  });

  test("numbers of nineteen digits are never mixed up", async () => {
    const sent = lines(Array.from({ length: 50 }, (_none, i) => ({ at: i, id: `@1234567890123456${100 + i}@` })), format).map((line) => line.replace(/"@(\d+)@"/, "$1"));
    expect((await play(sent, format, options)).judged).toEqual(Array.from(sent, (_line, i) => i));
  });
});

test("an envelope's id stands at its top: an attribute of that name is none", async () => {
  expect((await play(lines([{ at: 0, attributes: { id: "a" } }, { at: 1, attributes: { id: "a" } }, { at: 2, event_id: "a" }, { at: 3, event_id: "a" }], "log"), "log")).judged).toEqual([0, 1, 2, 3]);
});

test("the id inside a message of JSON is the event's, unless the record has one", async () => {
  const message = (id: string): string => JSON.stringify({ id, msg: "m" });
  const sent = lines([{ at: 0, message: message("a") }, { at: 1, message: message("a") }, { at: 2, message: message("a"), id: "b" }, { at: 3, message: message("c"), id: "b" }], "intake");
  expect((await play(sent, "intake")).judged).toEqual([0, 2]);
  expect((await play(sent, "intake", { pipelines: made })).judged).toEqual([0, 2]);
});

test("pipelines may make an id of what the shipper calls otherwise, and take one away that names something else", async () => {
  const remap = (source: string, target: string): unknown => ({ type: "attribute-remapper", name: "r", is_enabled: true, sources: [source], source_type: "attribute", target, target_type: "attribute", preserve_source: false, override_on_conflict: false });
  const { pipelines, problems } = readPipelines(JSON.stringify({ name: "p", is_enabled: true, filter: { query: "*" }, processors: [remap("id", "user.id"), remap("uuid", "event_id")] }), "p.json");
  expect(problems).toEqual([]);
  const sent = lines([{ at: 0, id: 1, uuid: "u" }, { at: 1, id: 1, uuid: "v" }, { at: 2, id: 1, uuid: "u" }, { at: 3, id: 1 }], "intake");
  expect((await play(sent, "intake", { pipelines })).judged).toEqual([0, 1, 3]);
  expect((await play(sent, "intake", { pipelines: [...pipelines, ...made] })).judged).toEqual([0, 1, 3]);
});

test("lines of text that hold an object have its id", async () => {
  const sent = lines([{ at: 0, id: "a" }, { at: 1, id: "a" }, { at: 2 }], "raw");
  expect((await play(sent, "text")).judged).toEqual([0, 2]);
});

test("an event of many records is one event; one that no rule asks about is not remembered", async () => {
  const twice = [ruleOf("first", "@k:1"), ruleOf("second", "@k:1", { groupByFields: ["@n", "@list"] })];
  const sent: readonly Sent[] = [{ at: 0, id: "a", k: 2 }, { at: 1, id: "a", k: 1, list: ["x", "y", "z"] }, { at: 2, id: "a", k: 1, list: ["x", "y"] }, { at: 3, id: "b", k: 1, list: ["x"] }];
  const { signals, stats } = await play(lines(sent, "raw"), "raw", { rules: twice });
  expect(signals.map(({ ruleId, group }) => `${ruleId} ${Object.values(group).join()}`).sort()).toEqual(["first 1", "first 3", "second 1,x", "second 1,y", "second 1,z", "second 3,x"]);
  expect(stats).toMatchObject({ duplicates: 1, matches: 9 });
});

/** Judged when no sighting that was judged lies within the span: all of it, in a list. */
function twin(events: readonly Sent[]): number[] {
  const sightings = new Map<unknown, number[]>();
  return events.flatMap(({ at, id }, n) => {
    if (id === undefined) return [n];
    const before = sightings.get(id) ?? [];
    if (before.some((each) => Math.abs(each - at) * 1000 < ID_SPAN_MS)) return [];
    sightings.set(id, [...before, at]);
    return [n];
  });
}

function streamOf(seed: number, count: number): Sent[] {
  const random = new Generator(seed);
  let at = 0;
  return Array.from({ length: count }, () => {
    at += random.chance(0.02) ? random.below(400) : random.below(3);
    const id = random.chance(0.1) ? undefined : random.chance(0.3) ? random.below(200) : `id-${random.below(400)}`;
    return { at: at - (random.chance(0.2) ? random.below(290) : 0), ...(id === undefined ? {} : { id }) };
  });
}

describe("random streams", () => {
  test.each([1, 2, 3, 4, 5, 6])("the exact twin judges the same events (%i)", async (seed) => {
    const events = streamOf(seed, 4000);
    const expected = twin(events);
    const { judged, stats } = await play(lines(events, "raw"), "raw");
    expect(judged).toEqual(expected);
    expect(stats.duplicates).toBe(events.length - expected.length);
    // Neither nearly all nor nearly none.
    expect(expected.length / events.length).toBeGreaterThan(0.15);
    expect(expected.length / events.length).toBeLessThan(0.9);
  });

  test.each([0, 1, 2, 3])("any cut gives the same bytes, %i workers", async (workers) => {
    const random = new Generator(workers);
    const sent = lines(streamOf(9, 3000), "intake");
    const whole = await play(sent, "intake");
    const cut = await play(sent, "intake", { workers }, new Set(Array.from({ length: 40 }, () => random.below(sent.length))));
    expect(cut.signals.map((signal) => JSON.stringify(signalJson(signal)))).toEqual(whole.signals.map((signal) => JSON.stringify(signalJson(signal))));
    // How many rows the exact parser read hangs on what each cut has learned.
    expect({ ...cut.stats, bytes: 0, slowRows: 0 }).toEqual({ ...whole.stats, bytes: 0, slowRows: 0 });
  });

  test.each([1, 2, 3])("stopped and gone on with anywhere, nothing is forgotten (%i)", async (seed) => {
    const sent = lines(streamOf(seed + 20, 2000), "raw");
    const whole = await play(sent, "raw");
    const random = new Generator(seed);
    const places = [...Array.from({ length: 4 }, () => random.below(sent.length)), sent.length].sort((a, b) => a - b);
    let engine = await createEngine({ rules, deduplicate: true });
    let at = 0;
    for (const place of places) {
      if (place > at) await engine.push(new TextEncoder().encode(`${sent.slice(at, place).join("\n")}\n`), { format: "raw", arrivalMs: startMs });
      at = place;
      const state = await engine.checkpoint();
      await engine.close({ goesOn: true });
      engine = await createEngine({ rules, deduplicate: true, state });
      // What was taken up is saved as it was.
      expect(Buffer.from(await engine.checkpoint()).equals(state)).toBe(true);
    }
    const stats = await engine.close();
    expect(engine.finalSignals().map((signal) => JSON.stringify(signalJson(signal)))).toEqual(whole.signals.map((signal) => JSON.stringify(signalJson(signal))));
    expect({ ...stats, bytes: 0, slowRows: 0, stateBytes: 0 }).toEqual({ ...whole.stats, bytes: 0, slowRows: 0, stateBytes: 0 });
  });
});
