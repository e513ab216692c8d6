import { describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { readFeed } from "../../host/enrich/feed.ts";
import { IntelBuilder } from "../../host/enrich/intel-builder.ts";
import { inBlock, parseAddress, parseCidrBlock } from "../../host/event/address.ts";
import { findText } from "../../host/event/enrichment/intel-find.ts";
import { IntelTable } from "../../host/event/enrichment/intel-table.ts";
import type { Problem } from "../../host/problem.ts";
import { hasShared, readShared } from "../support/shared.ts";

const NOW = Date.parse("2026-03-01T00:00:00Z");

function tableOf(...feeds: ReadonlyArray<readonly [name: string, text: string]>): { table: IntelTable; problems: Problem[] } {
  const builder = new IntelBuilder();
  const problems: Problem[] = [];
  feeds.forEach(([name, text], i) => readFeed(builder, i, { name, category: `of ${name}` }, text, problems));
  return { table: new IntelTable(builder.finish("1")), problems };
}

/** Feeds that list a text, as `feed indicator`. */
function listed(table: IntelTable, text: string, timeMs = NOW): string[] {
  return findText(table, text, timeMs).map(({ indicator, source }) => `${source.name} ${indicator}`);
}

describe("a table of indicators", () => {
  test("[TI-09] finds addresses, blocks, domains, URLs and hashes, and nothing beside them", () => {
    const { table } = tableOf(["a", [
      "203.0.113.7", "198.51.100.0/24", "2001:DB8::1", "2001:db8:5::/48", "Evil.Example", "https://Bad.example/x?y=1", "d41d8cd98f00b204e9800998ecf8427e",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "0.0.0.0/0",
    ].join("\n")]);
    const found: ReadonlyArray<readonly [string, string[]]> = [
      ["203.0.113.7", ["a 203.0.113.7", "a 203.0.113.7"]], ["203.0.113.8", ["a 203.0.113.8"]], ["198.51.100.255", ["a 198.51.100.255", "a 198.51.100.255"]], ["::ffff:203.0.113.7", ["a 203.0.113.7", "a 203.0.113.7"]],
      ["2001:db8:0::1", ["a 2001:db8::1"]], ["2001:db8::2", []], ["2001:db8:5:ffff::", ["a 2001:db8:5:ffff::"]], ["2001:db8:6::", []],
      ["evil.example", ["a evil.example"]], ["www.EVIL.example.", ["a evil.example"]], ["notevil.example", []], ["example", []],
      ["http://bad.example/x?y=1#top", ["a http://bad.example/x?y=1#top"]], ["http://bad.example/x?y=2", []],
      ["D41D8CD98F00B204E9800998ECF8427E", ["a D41D8CD98F00B204E9800998ECF8427E"]], ["d41d8cd98f00b204e9800998ecf8427f", []],
    ];
    for (const [text, expected] of found) expect([text, listed(table, text)]).toEqual([text, expected]);
  });

  test("blocks within blocks are all told, those of several feeds in the feeds' order; a repeated row of one feed counts once", () => {
    const { table } = tableOf(["wide", "10.0.0.0/8\n10.1.0.0/16\n10.0.0.0/8"], ["narrow", "10.1.2.0/24\n10.1.0.0/16\n10.1.2.3"]);
    expect(listed(table, "10.1.2.3")).toEqual(["wide 10.1.2.3", "wide 10.1.2.3", "narrow 10.1.2.3", "narrow 10.1.2.3", "narrow 10.1.2.3"]);
    expect(listed(table, "10.1.3.0")).toEqual(["wide 10.1.3.0", "wide 10.1.3.0", "narrow 10.1.3.0"]);
    expect(listed(table, "10.2.0.0")).toEqual(["wide 10.2.0.0"]);
    expect(listed(table, "11.0.0.0")).toEqual([]);
    expect(table.size).toBe(5);
  });

  test("an indicator counts up to the time it is valid until", () => {
    const { table } = tableOf(["a", "domain,valid_until\nevil.example,2026-03-02T00:00:00Z\n"]);
    expect(listed(table, "evil.example", Date.parse("2026-03-01T23:59:59Z"))).toHaveLength(1);
    expect(listed(table, "evil.example", Date.parse("2026-03-02T00:00:00Z"))).toHaveLength(0);
  });

  test("random blocks and addresses agree with looking at each of them", () => {
    const numbers = new Random(7);
    const next = (): number => numbers.next();
    const six = (): string => `2001:db8:${Math.floor(next() * 4)}:${Math.floor(next() * 4)}::${Math.floor(next() * 3).toString(16)}`;
    const four = (): string => `10.${Math.floor(next() * 3)}.${Math.floor(next() * 6)}.${Math.floor(next() * 256)}`;
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 60 }, () => (next() < 0.5 ? (next() < 0.4 ? four() : `${four()}/${Math.floor(next() * 33)}`) : next() < 0.4 ? six() : `${six()}/${Math.floor(next() * 129)}`));
      const { table } = tableOf(["a", rows.join("\n")]);
      const blocks = new Map(rows.map((row) => {
        const block = parseCidrBlock(row.includes("/") ? row : `${row}/${row.includes(":") ? 128 : 32}`)!;
        return [`${block.bytes.join(".")}/${block.prefix}`, block];
      }));
      for (let i = 0; i < 200; i++) {
        const address = next() < 0.5 ? four() : six();
        const bytes = parseAddress(address)!;
        expect([address, listed(table, address).length]).toEqual([address, [...blocks.values()].filter((block) => inBlock(bytes, block)).length]);
      }
    }
  });

  test.skipIf(!hasShared("data/threat-intel"))("lists as they are published are read whole", () => {
    const files = [["datacenter-ipv4", 42566], ["ipsum-level3", 14217], ["tor-exits", 2277], ["vpn-ipv4", 10862]] as const;
    for (const [name, rows] of files) {
      const builder = new IntelBuilder();
      const problems: Problem[] = [];
      const counts = readFeed(builder, 0, { name }, Buffer.from(readShared(`data/threat-intel/${name}.csv.gz`)).toString("utf8"), problems);
      expect([name, counts.indicators + counts.repeated, counts.invalid, problems]).toEqual([name, rows, 0, []]);
    }
  });

  test("a million indicators of all kinds and 50,000 blocks take less than 64 MB", () => {
    const builder = new IntelBuilder();
    const detail = JSON.stringify({ category: "c", intention: "malicious", source: { name: "s" } });
    const numbers = new Random(3);
    const next = (): number => numbers.next();
    const hex = (length: number): string => Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join("");
    const make = [
      () => `${1 + Math.floor(next() * 223)}.${Math.floor(next() * 256)}.${Math.floor(next() * 256)}.${Math.floor(next() * 256)}`,
      (i: number) => `host-${i}.some-longer-name.example.org`, (i: number) => `https://site-${i}.example.com/download/of/some/file-${i}.exe?id=${i}`, () => hex(64),
    ];
    let last = "";
    for (let i = 0; builder.size < 1_000_000; i++) builder.add(0, undefined, (last = make[i % 4]!(i)), detail, undefined);
    for (let i = 0; i < 50_000; i++) builder.add(0, "ip", `${1 + (i % 223)}.${(i >> 8) & 255}.${i & 255}.0/24`, detail, undefined);
    const data = builder.finish("1");
    expect(data.bytes.byteLength).toBeLessThan(64 * 1024 * 1024);
    const table = new IntelTable(data);
    expect(table.size).toBeGreaterThan(1_000_000);
    expect(listed(table, last)).not.toEqual([]);
    expect(listed(table, "host-5.some-longer-name.example.org")).toHaveLength(1);
    expect(listed(table, "host-6.some-longer-name.example.org")).toHaveLength(0);
  }, 60_000);
});
