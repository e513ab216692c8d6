import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runPipelinesOf } from "../../host/event/enrichment/enrichment.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { located, tinyGeoip } from "../support/geoip.ts";
import { explainPipelines } from "../../host/engine/pipelines/explain.ts";
import { readPipelines } from "../../host/event/pipeline/document.ts";
import { type LoadedPack, loadPacks, readPacks } from "../../host/packs.ts";
import { readPackSamples } from "../../host/cli/pack-samples.ts";
import { readRule } from "../../host/rule/wire.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import { vespid, workFolder } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "vespid-packs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
workFolder();
const packs = await loadPacks();

async function packOf(name: string, golden: unknown): Promise<LoadedPack> {
  for (const below of ["pipelines", "tests", "golden"]) mkdirSync(join(folder, name, below), { recursive: true });
  writeFileSync(join(folder, name, "manifest.yaml"), `name: ${name}\nversion: 1.0.0\ntitle: ${name}\nsources: [${name}]\nformat: raw\npipelines: [pipelines/p.yaml]\nrules: []\n`);
  writeFileSync(join(folder, name, "pipelines", "p.yaml"), `id: ${name}\nname: P\nis_enabled: true\nfilter: { query: "source:${name}" }\nprocessors:\n  - { type: attribute-remapper, name: user, is_enabled: true, sources: [who], target: usr.id, preserve_source: true }\n`);
  writeFileSync(join(folder, name, "tests", "a.ndjson"), '{"who":"mina"}\n');
  if (golden !== undefined) writeFileSync(join(folder, name, "golden", "a.json"), JSON.stringify(golden));
  return (await readPacks(folder)).find((pack) => pack.name === name)!;
}

describe("vespid pipeline test", () => {
  test.each(packs.map((pack) => [pack.name, pack] as const))("[IN-27] %s: every sample becomes its golden event", (_, pack) => {
    const { samples, faults } = readPackSamples(pack);
    expect(samples.filter(({ golden, isEqual }) => golden && !isEqual).map(({ file, line }) => `${file}:${line}`)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("an event that differs, golden events too many and none at all are faults", async () => {
    const event = (id: string) => ({ attributes: { who: "mina", usr: { id } }, source: "one", status: "info", tags: [] });
    const of = async (name: string, golden: unknown) => {
      const { samples, faults, unproved } = readPackSamples(await packOf(name, golden));
      return { equal: samples.map(({ isEqual }) => isEqual), faults: faults.length, unproved };
    };
    expect(await of("one", [event("mina")])).toEqual({ equal: [true], faults: 0, unproved: [] });
    expect(await of("one", [event("bob")])).toEqual({ equal: [false], faults: 0, unproved: [] });
    expect(await of("one", [event("mina"), event("mina")])).toEqual({ equal: [true], faults: 1, unproved: [] });
    expect(await of("two", undefined)).toEqual({ equal: [false], faults: 1, unproved: ["a.ndjson"] });
  });

  test("tells each pack, and which there are", async () => {
    const good = await vespid(["pipeline", "test", "web-access", "--json"]);
    expect([good.code, JSON.parse(good.stdout)]).toEqual([0, expect.objectContaining({ pack: "web-access", faults: [], differences: [] })]);
    const none = await vespid(["pipeline", "test", "nothing"]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no pack nothing")]);
  });
});

describe("vespid pipeline explain", () => {
  test("[IN-27] steps run in the kernel, are left out where nobody asks, or take the event to the host", () => {
    const { pipelines } = readPipelines(JSON.stringify([{
      id: "p", name: "P", is_enabled: true, filter: { query: "source:a" }, processors: [
        { type: "attribute-remapper", name: "user", is_enabled: true, sources: ["who"], target: "usr.id", preserve_source: true },
        { type: "attribute-remapper", name: "place", is_enabled: true, sources: ["where"], target: "place", preserve_source: true },
        { type: "pipeline", name: "inner", is_enabled: true, filter: { query: "@x:*" }, processors: [{ type: "url-parser", name: "parsed", is_enabled: true, sources: ["a", "b"], target: "joined" }] },
      ],
    }]), "p.json");
    const runs = (query: string) => {
      const rule = readRule({ id: "r", name: "r", message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }, queries: [{ name: "a", query, aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0" }] });
      return explainPipelines(pipelines, standingQueries([rule]), { source: "a" }).map((step) => step.runs);
    };
    expect(runs("@usr.id:mina")).toEqual(["kernel", "unneeded", "unneeded"]);
    expect(runs("@usr.id:mina @place:x")).toEqual(["kernel", "kernel", "unneeded"]);
    expect(runs("@joined:x @place:x")).toEqual(["unneeded", "kernel", "host"]);
  });

  test("[GE-01] a parser of addresses is left out without a database, and runs in the kernel with one", () => {
    const standing = standingQueries([readRule({ id: "r", name: "r", message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }, queries: [{ name: "a", query: "@network.client.geoip.city.name:x", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0" }] })]);
    const explained = (pipelines: readonly Pipeline[]) => explainPipelines(pipelines, standing, {}).map(({ runs, reason }) => [runs, reason]);
    expect(explained(located([{ type: "geo-ip-parser" }], undefined))).toEqual([["unneeded", "no GeoIP database is given"]]);
    expect(explained(runPipelinesOf(located([{ type: "geo-ip-parser" }], tinyGeoip())))).toEqual([["kernel", undefined]]);
  });

  test("tells steps and cost of a source", async () => {
    const { code, stdout } = await vespid(["pipeline", "explain", "nginx", "--json"]);
    const told = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(told).toMatchObject({ source: "nginx", packs: ["web-access"], cost: { samples: expect.any(Number) } });
    expect(told.steps[0]).toMatchObject({ pipeline: ["web-access"], kind: "grok-parser", runs: "kernel" });
    expect(told.cost.ns_per_event).toBeGreaterThan(0);
    const unknown = await vespid(["pipeline", "explain", "nothing"]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("no pack reads logs of nothing; sources are")]);
  });
});
