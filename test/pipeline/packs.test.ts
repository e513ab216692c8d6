import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { readSyslog } from "../../host/event/syslog.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { readPack } from "../../host/event/pipeline/packs.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { loadPacks, packPipelines } from "../../host/packs.ts";
import { matches } from "../../host/query/matches.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { readRuleDocument } from "../../host/rule/document.ts";

const root = join(import.meta.dirname, "..", "..");
const data = join(root, "..", "shared", "data");
const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);
const packs = await loadPacks();

function packNamed(name: string) {
  return packs.find((pack) => pack.name === name)!;
}

const readers: Readonly<Record<string, (line: string) => LogEvent>> = {
  "linux-auth": (line) => normalizeEvent(readSyslog(line), { format: "intake", source: line.startsWith("<46>") || line.startsWith("<78>") ? "syslog" : "auth" }),
  "web-access": (line) => normalizeEvent(line, { format: "text", source: "apache" }),
  cloudtrail: (line) => normalizeEvent(JSON.parse(line), { format: "raw", source: "cloudtrail" }),
};

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
}

function eventsOf(pack: string, file: string): LogEvent[] {
  return linesOf(join(root, "content", pack, "tests", file)).map((line) => runPipelines(readers[pack]!(line), packNamed(pack).pipelines, ARRIVAL_MS));
}

const samples = [["linux-auth", "auth.txt"], ["web-access", "access.txt"], ["cloudtrail", "records.ndjson"]] as const;

describe("packs", () => {
  test.each(packs.map((pack) => [pack.name, pack] as const))("%s is whole: manifest, pipelines, samples and rules", (name, pack) => {
    expect(pack.problems).toEqual([]);
    expect(pack.folder.endsWith(name)).toBe(true);
    expect(pack).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/), title: expect.stringMatching(/./) });
    // Rules over signals, over what other packs read, and over the audit trail need no pipeline.
    if (pack.format !== undefined) expect(pack.pipelines.length).toBeGreaterThan(0);
    for (const file of pack.ruleFiles) {
      const { rules, problems } = readRuleDocument(readFileSync(file, "utf8"), file, "yaml");
      expect(problems).toEqual([]);
      for (const rule of rules) {
        const wire = rule.wire as { readonly message: string; readonly tags: readonly string[]; readonly tests: ReadonlyArray<{ readonly expected?: boolean }> };
        expect(wire.message).toMatch(/^Goal: .*\n\nStrategy: .*\n\nTriage: .*$/m);
        expect(wire.tags).toContain(`content:${rule.id}`);
        // Those that play logs expect signals instead.
        expect(new Set(wire.tests.flatMap((each) => each.expected ?? []))).toEqual(new Set([true, false]));
      }
    }
  });

  test("pipelines are given by name, in the order asked for", async () => {
    expect((await packPipelines(["web-access", "linux-auth"])).map((pipeline) => pipeline.id)).toEqual(["web-access", "web-url", "linux-auth", "auditd"]);
    await expect(packPipelines(["nothing"])).rejects.toThrow("there is no pack nothing");
  });

  test("what is wrong in a manifest is told", () => {
    const codes = (text: string) => readPack(text, "p/manifest.yaml", () => undefined).problems.map((problem) => [problem.code, problem.message]);
    expect(codes("[1]")).toContainEqual(["pack/manifest", "the manifest is no object"]);
    expect(codes("name: [")).not.toEqual([]);
    expect(codes("name: a\nversion: 1\ntitle: t\nsources: x\npipelines: [gone.yaml]\nextra: 1")).toEqual([
      ["pack/manifest", "extra is not known here and does nothing"],
      ["pack/manifest", "there is no gone.yaml"],
      ["pack/manifest", "sources is no list of texts"],
    ]);
  });
});

describe("what lines become", () => {
  test.each(samples)("[IN-27] %s: %s becomes its golden events", (pack, file) => {
    const golden = join(root, "content", pack, "golden", `${file.replace(/\..*$/, "")}.json`);
    const events = eventsOf(pack, file);
    if (process.env.VESPID_WRITE_GOLDEN) writeFileSync(golden, `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
    expect(events).toEqual(JSON.parse(readFileSync(golden, "utf8")));
  });

  // What other sources and lists feed.
  const elsewhere = new Set(["linux-reverse-shell/rsh", "linux-download-and-run/pipe", "linux-credential-file-read/reader", "linux-preload-changed/preload", "linux-kernel-module/mod", "linux-kernel-module/insmod", "linux-firewall-off/switched_off", "linux-command-unlike-history/cmd", "linux-history-tamper/hist", "linux-log-cleared/cleared", "linux-cron-or-unit-written/written", "web-app-auth-stuffing/users", "web-app-auth-stuffing/ok", "web-threat-intel-success/ti"]);
  test.each(samples.slice(0, 2))("%s: each rule's query finds one of the lines of %s", (pack, file) => {
    const events = eventsOf(pack, file);
    const blind = packNamed(pack).ruleFiles.flatMap((path) => readRuleDocument(readFileSync(path, "utf8"), path, "yaml").rules).flatMap((rule) => {
      const { queries } = rule.wire as { readonly queries: ReadonlyArray<{ readonly name: string; readonly query: string }> };
      return queries.filter(({ query }) => {
        const parsed = parseQuery(query);
        return !parsed.ok || !events.some((event) => matches(parsed.node, event));
      }).map(({ name }) => `${rule.id}/${name}`);
    });
    expect(blind.filter((query) => !elsewhere.has(query))).toEqual([]);
  });
});

type Parsed = { readonly timestamp: number; readonly evt?: { readonly outcome: string }; readonly usr?: { readonly name: string }; readonly network?: { readonly client: { readonly ip: string; readonly port?: number }; readonly bytes_written?: number }; readonly http?: { readonly [name: string]: unknown } };

function zipped(file: string): string[] {
  return gunzipSync(readFileSync(file)).toString("utf8").split("\n").filter((line) => line !== "");
}

describe("real logs", () => {
  const auth = join(data, "linux-auth-elastic");
  test.skipIf(!existsSync(auth))("sign-ins of a public host, field by field (skipped where the data is not there)", () => {
    const want = zipped(join(auth, "parsed.jsonl.gz")).map((line) => JSON.parse(line) as Parsed);
    const counts = new Map<unknown, number>();
    zipped(join(auth, "auth.log.gz")).forEach((line, i) => {
      const event = runPipelines(readers["linux-auth"]!(line), packNamed("linux-auth").pipelines, Date.UTC(2017, 4, 1));
      const got = event.attributes as unknown as Parsed;
      const outcome = got.evt?.outcome;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      expect(outcome, line).toBe(want[i]!.evt?.outcome);
      if (outcome !== undefined) expect([got.usr?.name, got.network?.client], line).toEqual([want[i]!.usr?.name, want[i]!.network?.client]);
    });
    expect([counts.get("failure"), counts.get("success")]).toEqual([318, 217]);
  });

  const web = join(data, "web-access-apache");
  test.skipIf(!existsSync(web))("visits of a public site, field by field (skipped where the data is not there)", () => {
    const want = zipped(join(web, "parsed.jsonl.gz")).map((line) => JSON.parse(line) as Parsed);
    zipped(join(web, "access.log.gz")).forEach((line, i) => {
      const event = runPipelines(readers["web-access"]!(line), packNamed("web-access").pipelines);
      const got = event.attributes as unknown as Parsed;
      expect([event.timestamp, got.network], line).toEqual([want[i]!.timestamp, want[i]!.network]);
      expect(got.http, line).toMatchObject(want[i]!.http!);
    });
  });
});
