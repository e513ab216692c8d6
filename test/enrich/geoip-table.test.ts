import { describe, expect, test } from "vitest";
import { checkMmdb } from "../../host/enrich/geoip-check.ts";
import { GeoipTable } from "../../host/event/enrichment/geoip-table.ts";
import { asnTable, cityTable, geoipData, tinyGeoip } from "../support/geoip.ts";
import { type MmdbOptions, mmdb } from "../support/mmdb.ts";

describe("what is known of an address", () => {
  const table = new GeoipTable(tinyGeoip());

  test("[GE-01] country, continent, subdivision, city, location and time zone", () => {
    expect(table.find("4.1.2.3")).toEqual({
      address: "4.1.2.3",
      record: {
        place: {
          country: { name: "Portugal", iso_code: "PT" }, continent: { name: "Europe", code: "EU" }, subdivision: { name: "Lisbon District", iso_code: "11" }, city: { name: "Lisbon" },
          location: { latitude: 38.72, longitude: -9.14 }, timezone: "Europe/Lisbon",
        },
        as: { number: 64501, name: "Tagus Net", domain: "tagus.example", type: "isp" },
      },
    });
  });

  test("[GE-02] name, number, domain and type of the network", () => {
    expect(table.find("4.2.0.1")!.record.as).toEqual({ number: 64502, name: "Pacific Cloud", domain: "pacific.example", type: "hosting" });
    expect(table.find("4.5.0.1")!.record).toEqual({ as: { number: 64505, name: "Only A Network" } });
  });

  test.each([
    ["4.2.7.9", "Kobe"], ["4.2.8.0", "Osaka"], ["4.2.6.255", "Osaka"], ["4.3.0.0", "Denver"], ["2a00:4:5:0:1::9", "Oslo"], ["2A00:0004:0005::", "Oslo"], ["::ffff:4.2.7.1", "Kobe"], ["::FFFF:402:0701", "Kobe"],
  ])("[GE-01] %s is in %s", (address, name) => expect(table.find(address)!.record.place!.city).toEqual({ name }));

  test.each(["4.9.0.1", "2a00:4:6::1", "::1", "fe80::1", "10.1.2.3", "192.168.0.9", "172.20.0.1", "127.0.0.1", "100.64.3.4", "169.254.169.254", "192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "4.1.2", "4.1.2.3:443", "04.1.2.3", "", "somewhere"])(
    "%s is nowhere", (address) => {
      const everywhere = new GeoipTable(geoipData([{ "10.0.0.0/8": cityTable["4.1.0.0/16"]!, "192.0.0.0/8": cityTable["4.1.0.0/16"]!, "127.0.0.0/8": cityTable["4.1.0.0/16"]!, ...cityTable }]));
      expect([table.find(address), address.startsWith("192.1") ? undefined : everywhere.find(address)]).toEqual([undefined, undefined]);
    });

  test.each<MmdbOptions>([{ recordBits: 24 }, { recordBits: 28 }, { recordBits: 32 }, { recordBits: 24, ipVersion: 4 }, { recordBits: 32, ipVersion: 4 }])("a database with %o says the same", (options) => {
    const own = new GeoipTable(geoipData([Object.fromEntries(Object.entries(cityTable).filter(([block]) => options.ipVersion !== 4 || !block.includes(":"))), options]));
    for (const address of ["4.1.0.0", "4.2.7.255", "4.2.8.1", "4.4.1.1", "4.9.9.9"]) expect(own.find(address)?.record.place).toEqual(table.find(address)?.record.place);
    if (options.ipVersion === 4) expect(own.find("2a00:4:5::1")).toBe(undefined);
  });

  test("[GE-02] of flat members, as others than MaxMind have them", () => {
    const flat = new GeoipTable(geoipData([{
      "4.1.0.0/16": { city: "Lisbon", region: "Lisbon", region_code: "11", country: "PT", country_name: "Portugal", continent: "EU", continent_name: "Europe", lat: "38.72", lng: "-9.14", timezone: "Europe/Lisbon", asn: "AS64501", as_name: "Tagus Net", as_domain: "tagus.example", as_type: "ISP" },
      "4.2.0.0/16": { country: "Japan", country_code: "JP", continent: "Asia", continent_code: "AS", asn: "AS64502", as_name: "Pacific Cloud", as_domain: "pacific.example" },
      "4.3.0.0/16": { traits: { autonomous_system_number: 64503, autonomous_system_organization: "Mile High", user_type: "residential", domain: "mile.example" }, location: { latitude: 91, longitude: 0 } },
    }]));
    expect(flat.find("4.1.0.1")!.record).toEqual({
      place: { country: { name: "Portugal", iso_code: "PT" }, continent: { name: "Europe", code: "EU" }, subdivision: { name: "Lisbon", iso_code: "11" }, city: { name: "Lisbon" }, location: { latitude: 38.72, longitude: -9.14 }, timezone: "Europe/Lisbon" },
      as: { number: 64501, name: "Tagus Net", domain: "tagus.example", type: "isp" },
    });
    expect(flat.find("4.2.0.1")!.record).toEqual({ place: { country: { name: "Japan", iso_code: "JP" }, continent: { name: "Asia", code: "AS" } }, as: { number: 64502, name: "Pacific Cloud", domain: "pacific.example" } });
    expect(flat.find("4.3.0.1")!.record).toEqual({ as: { number: 64503, name: "Mile High", type: "isp", domain: "mile.example" } });
  });

  test("more addresses than are remembered get the same answers again", () => {
    const addresses = Array.from({ length: 150_000 }, (_, i) => 0x04010000 + i * 3);
    const first = addresses.map((address) => table.find4(address)?.place?.city);
    expect(addresses.map((address) => table.find4(address)?.place?.city)).toEqual(first);
    expect(new Set(first.map((each) => JSON.stringify(each))).size).toBe(5);
  });
});

describe("files that are damaged", () => {
  const sound = mmdb(cityTable);
  const code = (content: Buffer): string => {
    const checked = checkMmdb(content);
    return "problem" in checked ? checked.problem.code : "sound";
  };

  test.each<[string, Buffer, string]>([
    ["a sound one", sound, "sound"],
    ["nothing", Buffer.alloc(0), "geoip/not-mmdb"],
    ["a text", Buffer.from("address,country\n4.1.0.0/16,PT\n"), "geoip/not-mmdb"],
    ["the first half", sound.subarray(0, sound.length >> 1), "geoip/not-mmdb"],
    ["the last half", sound.subarray(sound.length >> 1), "geoip/damaged"],
    ["a head that is cut off", sound.subarray(0, sound.length - 20), "geoip/damaged"],
    ["a byte that is missing in the tree", Buffer.concat([sound.subarray(0, 50), sound.subarray(51)]), "geoip/damaged"],
    ["a tree of ones", Buffer.concat([Buffer.alloc(56, 0xff), sound.subarray(56)]), "geoip/damaged"],
    ["a record that holds itself", ofRecord([0xe1, 0x41, 0x61, 0x20, 0x00]), "geoip/damaged"],
    ["pointers in a circle", ofRecord([0xe1, 0x41, 0x61, 0x20, 0x05, 0xe1, 0x41, 0x62, 0x20, 0x00]), "geoip/damaged"],
    ["a pointer to a pointer", ofRecord([0x20, 0x02, 0x20, 0x04, 0x41, 0x61]), "geoip/damaged"],
    ["a pointer out of the file", ofRecord([0x20, 0xff]), "geoip/damaged"],
    ["a map of more members than there are bytes", ofRecord([0xff, 0xff, 0xff, 0xff]), "geoip/damaged"],
    ["an array of 16 million arrays", ofRecord([0x1f, 0x04, 0xff, 0xff, 0xff]), "geoip/damaged"],
    ["a member whose name is a number", ofRecord([0xe1, 0xc1, 0x01, 0x41, 0x61]), "geoip/damaged"],
    ["a double of two bytes", ofRecord([0xe1, 0x41, 0x61, 0x62, 0x00, 0x00]), "geoip/damaged"],
    ["a type that is none", ofRecord([0x01, 0x20]), "geoip/damaged"],
    ["texts that double at each of thirty levels", ofRecord(doubling(30)), "geoip/damaged"],
    ["a record as deep as the stack", ofRecord(Array.from({ length: 60_000 }, (_, i) => (i % 2 ? 0x04 : 0x01))), "geoip/damaged"],
  ])("%s", (_, content, expected) => expect(code(content)).toBe(expected));

  test("every byte of one changed, all lookups end, and nothing but a place comes of them", () => {
    const small = mmdb({ "4.1.0.0/16": cityTable["4.1.0.0/16"]!, "2a00::/16": asnTable["4.1.0.0/16"]! }, { recordBits: 24 });
    let refused = 0;
    for (let at = 0; at < small.length; at++) {
      for (const change of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(small);
        changed[at]! ^= change;
        if (code(changed) !== "sound") {
          refused++;
          continue;
        }
        const bytes = new SharedArrayBuffer(changed.length);
        new Uint8Array(bytes).set(changed);
        const table = new GeoipTable({ version: `${at} ${change}`, files: [{ name: "changed", type: "", builtMs: 0, bytes }] });
        for (const address of ["4.1.0.1", "9.9.9.9", "2a00::1", "a000::"]) {
          const found = table.find(address);
          expect(found === undefined || found.record.place !== undefined || found.record.as !== undefined).toBe(true);
        }
      }
    }
    expect(refused).toBeGreaterThan(small.length);
  });
});

/** A database whose one record is of these bytes. */
function ofRecord(bytes: readonly number[]): Buffer {
  const plain = mmdb({ "0.0.0.0/1": "x" }, { ipVersion: 4, recordBits: 24 });
  const data = 6 + 16;
  return Buffer.concat([plain.subarray(0, data), Buffer.from(bytes), plain.subarray(plain.indexOf("\xab\xcd\xefMaxMind", 0, "latin1"))]);
}

/** Maps that hold the next one twice. */
function doubling(levels: number): number[] {
  const bytes: number[] = [];
  for (let level = 0; level < levels; level++) {
    const next = (level + 1) * 9;
    bytes.push(0xe2, 0x41, 0x61, 0x20 | (next >> 8), next & 255, 0x41, 0x62, 0x20 | (next >> 8), next & 255);
  }
  return [...bytes, 0x41, 0x61];
}
