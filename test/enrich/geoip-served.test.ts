import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Problem } from "../../host/problem.ts";
import type { Signal } from "../../host/index.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { TestRules, send, serverFolder, until as within } from "../serve/support.ts";
import { asnTable, cityTable, located } from "../support/geoip.ts";
import { mmdb } from "../support/mmdb.ts";

const rule = {
  name: "where", message: "{{@network.client.geoip.city.name}}", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@network.client.geoip.country.iso_code:*", aggregation: "count", groupByFields: ["@network.client.geoip.city.name", "@network.client.ip"] }], cases: [{ name: "", status: "high", condition: "a > 0" }],
};
/** Files are looked at each second, and read in a thread that may have to wait for others. */
const until = (what: () => boolean | Promise<boolean>): Promise<void> => within(what, 60_000);
const pipelines: readonly Pipeline[] = located([{ type: "geo-ip-parser" }], undefined);

async function ready(server: VespidServer): Promise<{ readonly degraded?: readonly string[]; readonly geoip: ReadonlyArray<{ readonly name: string; readonly type?: string; readonly built?: string; readonly problem?: string }> }> {
  return (await (await fetch(`http://127.0.0.1:${server.address.port}/readyz`)).json()) as Awaited<ReturnType<typeof ready>>;
}

async function metric(server: VespidServer, name: string): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${server.address.port}/metrics`)).text();
  return text.split("\n").filter((line) => line.startsWith(`vespid_geoip_${name}`));
}

describe("a server with GeoIP databases", () => {
  const folder = serverFolder();
  const city = join(folder.path, "city.mmdb");
  const asn = join(folder.path, "asn.mmdb.gz");
  const put = (path: string, content: Uint8Array): void => {
    mkdirSync(folder.path, { recursive: true });
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  };
  const start = async (name: string, geoipFiles: readonly string[], signals: Map<string, Signal>, problems: Problem[]): Promise<VespidServer> =>
    folder.start(new TestRules([rule], { pipelines }), { data: join(folder.path, name), geoipFiles }, { onSignal: ({ signal }) => void signals.set(signal.id, signal), onProblems: (found) => void problems.push(...found) });
  const from = (ip: string): object => ({ message: "x", network: { client: { ip } } });
  const groups = async (server: VespidServer, signals: Map<string, Signal>): Promise<string[]> => {
    await server.detection.storeSignals();
    return [...signals.values()].map(({ group }) => Object.values(group).join(" ")).sort();
  };

  test("[GE-01] [GE-02] another file counts from the next batch on; a damaged one is told, and the one from before goes on", async () => {
    put(city, mmdb(cityTable, { type: "Tiny-City", built: Date.UTC(2026, 1, 20) / 1000 }));
    put(asn, gzipSync(mmdb(asnTable, { type: "Tiny-ASN", built: Date.UTC(2026, 1, 21) / 1000 })));
    const signals = new Map<string, Signal>();
    const problems: Problem[] = [];
    const server = await start("reload", [city, asn], signals, problems);
    expect(await send(server, [from("4.1.0.7"), from("4.9.0.7"), from("10.0.0.7")])).toBe(202);
    expect(await groups(server, signals)).toEqual(["Lisbon 4.1.0.7"]);
    const { geoip, degraded } = await ready(server);
    expect([degraded, geoip]).toMatchObject([undefined, [{ name: "city.mmdb", type: "Tiny-City", built: "2026-02-20" }, { name: "asn.mmdb", type: "Tiny-ASN", built: "2026-02-21" }]]);
    expect([await metric(server, "databases"), await metric(server, "unanswered_rules"), await metric(server, "built_seconds{name=\"city.mmdb\"}")]).toEqual([["vespid_geoip_databases 2"], ["vespid_geoip_unanswered_rules 0"], [`vespid_geoip_built_seconds{name="city.mmdb"} ${Date.UTC(2026, 1, 20) / 1000}`]]);

    put(city, mmdb({ ...cityTable, "4.9.0.0/16": cityTable["4.3.0.0/16"]! }, { type: "Tiny-City", built: Date.UTC(2026, 1, 27) / 1000 }));
    await until(async () => (await ready(server)).geoip[0]!.built === "2026-02-27");
    await until(async () => {
      await send(server, [from("4.9.0.7")]);
      return (await groups(server, signals)).length === 2;
    });
    expect(await groups(server, signals)).toEqual(["Denver 4.9.0.7", "Lisbon 4.1.0.7"]);

    put(city, mmdb(cityTable).subarray(0, 500));
    await until(async () => (await ready(server)).degraded?.includes("geoip") === true);
    expect((await ready(server)).geoip[0]).toMatchObject({ type: "Tiny-City", built: "2026-02-27", problem: expect.stringContaining("no MaxMind DB") });
    expect(problems).toMatchObject([{ code: "geoip/not-mmdb", file: city, hint: expect.stringContaining("the one from before goes on") }]);
    await send(server, [from("4.9.1.1")]);
    expect(await groups(server, signals)).toContain("Denver 4.9.1.1");
    rmSync(city);
    await until(async () => ((await ready(server)).geoip[0]!.problem ?? "").includes("no such file"));
    await send(server, [from("4.9.1.2")]);
    expect(await groups(server, signals)).toContain("Denver 4.9.1.2");
    expect(await metric(server, "refused_databases")).toEqual(["vespid_geoip_refused_databases 1"]);
    expect(folder.faults).toEqual([]);
  }, 180_000);

  test("a server starts without the file that it is told of, counts the rules that go unanswered, and takes the file when it comes", async () => {
    rmSync(city, { force: true });
    const signals = new Map<string, Signal>();
    const problems: Problem[] = [];
    const server = await start("late", [city], signals, problems);
    expect(problems).toMatchObject([{ code: "geoip/unreadable", file: city, level: "warning" }]);
    await send(server, [from("4.1.0.7")]);
    expect([await groups(server, signals), await metric(server, "unanswered_rules"), (await ready(server)).degraded]).toEqual([[], ["vespid_geoip_unanswered_rules 1"], ["geoip"]]);
    put(city, mmdb(cityTable));
    await until(async () => {
      await send(server, [from("4.1.0.8")]);
      return (await groups(server, signals)).length === 1;
    });
    expect([await groups(server, signals), await metric(server, "unanswered_rules"), (await ready(server)).degraded]).toEqual([["Lisbon 4.1.0.8"], ["vespid_geoip_unanswered_rules 0"], undefined]);
    expect(folder.faults).toEqual([]);
  }, 180_000);
});
