import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { EventReader } from "../../host/event/made.ts";
import type { InputProfile } from "../../host/index.ts";
import { geoipData, located, tinyGeoip } from "../support/geoip.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { bothWays } from "./support.ts";

const arrivalMs = Date.parse("2026-03-01T00:00:00Z");
const parser = { type: "geo-ip-parser" };
const from = (ip: unknown, more: object = {}): object => ({ network: { client: { ip, ...more } } });

beforeAll(() => variants.forEach((variant) => void loadKernel(variant)));

describe.each(variants)("events with places, %s", (variant) => {
  const matched = async (query: string, lines: readonly unknown[], { pipelines = located([parser], tinyGeoip()), input = { format: "intake" } as InputProfile } = {}): Promise<number[]> => {
    const { kernel, reference } = await bothWays([query], lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))), { ...input, arrivalMs }, pipelines, variant);
    expect([query, kernel]).toEqual([query, reference]);
    return kernel[0]!;
  };

  test("[GE-01] [GE-02] every attribute of the place and of the network is asked for", async () => {
    const lines = [from("4.1.0.9"), from("4.2.7.1"), from("4.2.9.1"), from("4.3.1.1"), from("4.4.1.1"), from("4.5.1.1"), from("10.0.0.1"), from("2a00:4:5::1"), { message: "none" }];
    const asked: ReadonlyArray<readonly [string, number[]]> = [
      ["@network.client.geoip.country.iso_code:JP", [1, 2]], ["@network.client.geoip.country.name:\"United States\"", [3]], ["@network.client.geoip.continent.code:EU", [0, 7]],
      ["@network.client.geoip.continent.name:A*", [1, 2]], ["@network.client.geoip.subdivision.iso_code:28", [1]], ["@network.client.geoip.subdivision.name:O*", [2, 7]],
      ["@network.client.geoip.city.name:(Kobe OR Lisbon)", [0, 1]], ["@network.client.geoip.location.latitude:>39", [3, 7]], ["@network.client.geoip.location.longitude:[-10 TO 11]", [0, 7]],
      ["@network.client.geoip.timezone:Asia/Tokyo", [1, 2]], ["@network.client.geoip.ipAddress:4.2.*", [1, 2]], ["@network.client.geoip.as.name:\"Pacific Cloud\"", [1, 2, 3]], ["@network.client.geoip.as.number:64501", [0]],
      ["@network.client.geoip.as.number:>64501", [1, 2, 3, 5]], ["@network.client.geoip.as.domain:*.example", [0, 1, 2, 3]], ["@network.client.geoip.as.type:hosting", [1, 2, 3]], ["@network.client.geoip.as.route:*", []],
      ["@network.client.geoip:*", [0, 1, 2, 3, 4, 5, 7]], ["-@network.client.geoip.city:*", [4, 5, 6, 8]], ["@network.client.geoip.as:*", [0, 1, 2, 3, 5]], ["@network.client:*", [0, 1, 2, 3, 4, 5, 6, 7]],
      ["CIDR(@network.client.geoip.ipAddress, 4.2.7.0/24)", [1]], ["@network.ip.list:4.1.0.0", []], ["*:Kobe", [1]],
    ];
    for (const [query, expected] of asked) expect([query, await matched(query, lines)]).toEqual([query, expected]);
  });

  test("[GE-01] the address may be spelled otherwise, stand in a list or in another attribute", async () => {
    const lines = [from("::ffff:4.1.0.9"), from("2A00:4:5:0::1"), from(["4.2.7.1", "4.1.0.9"]), from(["not one", "4.2.7.1"]), from(4.1), from("4.1.0.9:443"), from(""), from("4.01.0.9"), from(null), { network: { client: [{ ip: "4.3.0.1" }] } }, { "network.client.ip": "4.4.0.1" }];
    expect(await matched("@network.client.geoip.country.iso_code:*", lines)).toEqual([0, 1, 2, 9, 10]);
    expect(await matched("@network.client.geoip.ipAddress:(4.1.0.9 OR 2a00\\:4\\:5\\:\\:1)", lines)).toEqual([0, 1]);
    const pipelines = located([{ type: "geo-ip-parser", sources: ["peer", "fallback.ip"], target: "where" }], tinyGeoip());
    const others = [{ peer: "4.1.0.9", fallback: { ip: "4.2.7.1" } }, { fallback: { ip: "4.2.7.1" } }, { peer: "unknown", fallback: { ip: "4.2.7.1" } }, from("4.1.0.9")];
    expect(await matched("@where.city.name:*", others, { pipelines })).toEqual([0, 1]);
    expect(await matched("@where.city.name:Kobe", others, { pipelines })).toEqual([1]);
  });

  test("what the event says itself gives way to the databases, each half as a whole, and stays where they know nothing", async () => {
    const own = { geoip: { country: { iso_code: "FR", name: "France" }, city: { name: "Nice" }, as: { name: "Mine", domain: "mine.example", other: 1 }, note: "kept" } };
    const lines = [from("4.4.0.1", own), from("4.5.0.1", own), from("4.1.0.1", own), from("9.9.9.9", own), from("4.1.0.1", { geoip: "text" }), { "network.client.geoip.city.name": "Nice", ...from("4.4.0.1") }, { network: { "client.geoip": { city: { name: "Nice" } }, client: { ip: "4.4.0.1" } } }];
    expect(await matched("@network.client.geoip.country.iso_code:FR", lines)).toEqual([1, 3]);
    expect(await matched("@network.client.geoip.city.name:Nice", lines)).toEqual([1, 3]);
    expect(await matched("@network.client.geoip.as.domain:mine.example", lines)).toEqual([0, 3]);
    expect(await matched("@network.client.geoip.as.other:1", lines)).toEqual([0, 3]);
    expect(await matched("@network.client.geoip.as.name:\"Only A Network\"", lines)).toEqual([1]);
    expect(await matched("@network.client.geoip.note:kept", lines)).toEqual([0, 1, 2, 3]);
    expect(await matched("@network.client.geoip:text", lines)).toEqual([]);
    expect(await matched("@network.client.geoip.country.name:Sweden", lines)).toEqual([0, 5, 6]);
  });

  test("only events that the pipeline's filter lets in, and what comes behind it sees the place", async () => {
    const pipelines = located([parser, { type: "category-processor", target: "zone", categories: [{ name: "asia", filter: { query: "@network.client.geoip.continent.code:AS" } }] }, { type: "attribute-remapper", sources: ["network.client.geoip.as.domain"], target: "owner", preserve_source: true }, { type: "pipeline", name: "inner", filter: { query: "@zone:asia" }, processors: [{ type: "geo-ip-parser", sources: ["peer"], target: "peer_at" }] }], tinyGeoip(), "service:web");
    const lines = [{ service: "web", peer: "4.1.0.1", ...from("4.2.7.1") }, { service: "db", peer: "4.1.0.1", ...from("4.2.7.1") }, { service: "web", peer: "4.1.0.1", ...from("4.1.0.1") }];
    expect(await matched("@zone:asia", lines, { pipelines })).toEqual([0]);
    expect(await matched("@owner:*", lines, { pipelines })).toEqual([0, 2]);
    expect(await matched("@peer_at.city.name:Lisbon", lines, { pipelines })).toEqual([0]);
  });

  test("without a database nothing is looked up, and the event keeps what it says", async () => {
    const lines = [from("4.1.0.1"), from("4.1.0.1", { geoip: { city: { name: "Nice" } } })];
    for (const pipelines of [located([parser], undefined), located([parser], { version: "", files: [] })]) expect(await matched("@network.client.geoip.city.name:*", lines, { pipelines })).toEqual([1]);
  });

  test("lines of text", async () => {
    const pipelines = located([{ type: "grok-parser", source: "message", grok: { match_rules: "line from %{ip:network.client.ip} .*" } }, parser], tinyGeoip());
    expect(await matched("@network.client.geoip.city.name:Kobe", ["from 4.2.7.1 port 22", "from 4.1.0.1 port 22", "from nowhere at all"], { pipelines, input: { format: "text", source: "x" } })).toEqual([0]);
  });

  test("random addresses, spelled as they may be, with more records than a step has room for", async () => {
    const random = new Random(11);
    const table = Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`5.${i >> 8}.${i & 255}.0/24`, { city: { names: { en: `City ${i} ${"x".repeat(random.below(80))}` } }, location: { latitude: (i % 180) - 90, longitude: i % 170 }, autonomous_system_number: i }]));
    const pipelines = located([parser], geoipData([table, { ipVersion: 4, recordBits: 32 }]));
    const lines = Array.from({ length: 9000 }, () => {
      const ip = `5.${random.below(30)}.${random.below(256)}.${random.below(256)}`;
      return from([ip, ip, `::ffff:${ip}`, `${ip} `][random.below(4)], random.below(9) === 0 ? { geoip: { city: { name: "City 7 own" }, as: { number: 7 } } } : {});
    });
    for (const query of ["@network.client.geoip.city.name:City*7*", "@network.client.geoip.location.latitude:>50 @network.client.geoip.as.number:<3000", "@network.client.geoip.ipAddress:*.7?", "-@network.client.geoip.city:*"]) {
      expect((await matched(query, lines, { pipelines })).length).toBeGreaterThan(20);
    }
  });
});

test("an event as it is shown to rules has the place beside what it came with", () => {
  const reader = new EventReader(located([parser], tinyGeoip()));
  const event = reader.event(Buffer.from(JSON.stringify({ ...from("::ffff:4.2.7.1", { geoip: { note: 1, city: { name: "Nice", code: 5 } } }), x: 1 })), { format: "intake" }, arrivalMs);
  expect(event.attributes).toEqual({
    network: { client: { ip: "::ffff:4.2.7.1", geoip: {
      note: 1, ipAddress: "4.2.7.1", country: { name: "Japan", iso_code: "JP" }, continent: { name: "Asia", code: "AS" }, subdivision: { name: "Hyogo", iso_code: "28" }, city: { name: "Kobe" },
      location: { latitude: 34.69, longitude: 135.19 }, timezone: "Asia/Tokyo", as: { number: 64502, name: "Pacific Cloud", domain: "pacific.example", type: "hosting" },
    } } },
    x: 1,
  });
});
