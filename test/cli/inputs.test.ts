import { mkdirSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Int64, List, Field, Struct, Table, TimestampMillisecond, Utf8, tableToIPC, vectorFromArray } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { burst, lines, login, vespid, workFolder } from "./support.ts";

const folder = workFolder();
const events = burst.slice(0, 5);
const text = lines(events);

async function matched(...args: string[]): Promise<unknown[]> {
  const ran = await vespid(["match", "--json", "*", ...args], { cwd: folder.path });
  expect(ran.stderr).toBe("");
  expect(ran.code).toBe(0);
  return ran.stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown);
}

function utf16(content: string, big: boolean): Buffer {
  const bytes = Buffer.from(`\ufeff${content}`, "utf16le");
  return big ? bytes.swap16() : bytes;
}

describe("inputs", () => {
  test.each<[string, string | Uint8Array]>([
    ["plain.jsonl", text],
    ["no-last-newline.jsonl", text.trimEnd()],
    ["windows-lines.jsonl", text.replaceAll("\n", "\r\n")],
    ["blank-lines.jsonl", `\n\n${text.replaceAll("\n", "\n\n")}`],
    ["byte-order-mark.jsonl", `\ufeff${text}`],
    ["utf16-little.jsonl", utf16(text, false)],
    ["utf16-big.jsonl", utf16(text, true)],
    ["packed.jsonl.gz", gzipSync(text)],
    ["many-members.jsonl.gz", Buffer.concat(events.map((event) => gzipSync(lines([event]))))],
    ["packed.jsonl.zst", zstdCompressSync(text)],
    ["many-frames.jsonl.zst", Buffer.concat(events.map((event) => zstdCompressSync(lines([event]))))],
    ["twice.jsonl.gz.zst", zstdCompressSync(gzipSync(text))],
    ["misnamed.log", gzipSync(text)],
    ["array.json", JSON.stringify(events)],
    ["pretty-array.json", JSON.stringify(events, null, 2)],
    ["pretty-objects.json", events.map((event) => JSON.stringify(event, null, 2)).join("\n")],
    ["packed-array.json.gz", gzipSync(JSON.stringify(events, null, 1))],
  ])("%s gives the same five events", async (name, content) => {
    folder.write(name, content);
    expect(await matched("--format", "log", name)).toEqual(events);
    expect(await matched(name)).toHaveLength(5);
  });

  test("[IN-15] a CloudTrail delivery is split into its records", async () => {
    const records = Array.from({ length: 2000 }, (_, i) => ({ eventVersion: "1.08", eventSource: "iam.amazonaws.com", eventName: "CreateUser", eventTime: "2026-03-01T10:00:00Z", requestID: String(i) }));
    folder.write("delivery.json.gz", gzipSync(JSON.stringify({ Records: records })));
    folder.write("delivery.json", JSON.stringify({ Records: records.slice(0, 3) }));
    for (const [name, count] of [["delivery.json.gz", "2000\n"], ["delivery.json", "3\n"]] as const) {
      const ran = await vespid(["match", "--count", "source:cloudtrail @eventName:CreateUser", name], { cwd: folder.path });
      expect(ran).toEqual({ code: 0, stdout: count, stderr: "" });
    }
  });

  test("an Arrow file's rows are events, nested columns and long integers whole", async () => {
    const table = new Table({
      message: vectorFromArray(["first", "second \u001b[31m"], new Utf8()),
      usr: vectorFromArray([{ id: "admin" }, { id: "carol" }], new Struct([new Field("id", new Utf8())])),
      bytes: vectorFromArray([9007199254740993n, null], new Int64()),
      roles: vectorFromArray([["a", "b"], []], new List(new Field("item", new Utf8()))),
      timestamp: vectorFromArray([Date.parse("2026-03-01T10:00:00Z"), Date.parse("2026-03-01T10:00:01Z")], new TimestampMillisecond()),
    });
    for (const kind of ["file", "stream"] as const) {
      folder.write(`rows-${kind}.arrow`, tableToIPC(table, kind));
      const ran = await vespid(["match", "@usr.id:*", `rows-${kind}.arrow`], { cwd: folder.path });
      expect(ran.code).toBe(0);
      const [first, second] = ran.stdout.trim().split("\n");
      expect(first).toBe('{"message":"first","usr":{"id":"admin"},"bytes":9007199254740993,"roles":["a","b"],"timestamp":1772359200000}');
      expect(JSON.parse(second!)).toEqual({ message: "second \u001b[31m", usr: { id: "carol" }, roles: [], timestamp: 1772359201000 });
    }
  });

  test("folders and globs give their files in order, hidden ones left out", async () => {
    folder.write("logs/b/2.jsonl", lines([login(2, "u2", "failure")]));
    folder.write("logs/a/1.jsonl.gz", gzipSync(lines([login(1, "u1", "failure")])));
    folder.write("logs/.hidden.jsonl", lines([login(3, "u3", "failure")]));
    const users = async (...args: string[]): Promise<string> => (await vespid(["match", "--fields", "@usr.id", "*", ...args], { cwd: folder.path })).stdout;
    expect(await users("logs")).toBe("u1\nu2\n");
    expect(await users("logs/**/*.jsonl*")).toBe("u1\nu2\n");
    expect(await users("logs/b/*.jsonl", "logs/a")).toBe("u2\nu1\n");
  });

  test("standard input, plain and packed, with and without its dash", async () => {
    for (const stdin of [text, gzipSync(text), zstdCompressSync(text)]) {
      expect((await vespid(["match", "--count", "*", "-"], { stdin })).stdout).toBe("5\n");
      expect((await vespid(["match", "--count", "*"], { stdin })).stdout).toBe("5\n");
    }
  });

  test("text lines are messages, and come out as they came in", async () => {
    const log = "Mar  1 10:00:00 bastion sshd[9]: Failed password for admin from 192.0.2.44 port 22\nMar  1 10:00:01 bastion sshd[9]: Accepted password for carol\n";
    const ran = await vespid(["match", '"failed password"'], { stdin: log });
    expect(ran).toEqual({ code: 0, stdout: `${log.split("\n")[0]}\n`, stderr: "" });
  });

  test("[PL-07] a syslog file's lines have their own host, service and time", async () => {
    const ran = await vespid(["match", "--json", '"invalid user"', "--source", "auth"], { stdin: "Mar  1 10:00:00 bastion sshd[9]: Invalid user oracle from 192.0.2.44\nMar  1 10:00:01 bastion CRON[9]: ok\n" });
    expect(JSON.parse(ran.stdout)).toMatchObject({ message: "Invalid user oracle from 192.0.2.44", host: "bastion", service: "sshd", source: "auth", status: "info" });
    const rule = { name: "probing", message: "", isEnabled: true, tags: [], options: { evaluationWindow: 60, keepAlive: 60 }, queries: [{ query: 'service:sshd "invalid user"', groupByFields: ["host"] }], cases: [{ status: "low", condition: "a > 2" }] };
    folder.write("probing.json", JSON.stringify(rule));
    folder.write("auth.log", Array.from({ length: 3 }, (_, i) => `Mar  1 10:0${i}:0${i} bastion sshd[9]: Invalid user oracle\n`).join(""));
    folder.write("auth-burst.log", Array.from({ length: 3 }, (_, i) => `Mar  1 10:00:0${i} bastion sshd[9]: Invalid user oracle\n`).join(""));
    const signals = async (name: string) => (await vespid(["run", "--rules", "probing.json", "--json", name], { cwd: folder.path })).stdout.split("\n").length - 1;
    expect(await signals("auth.log")).toBe(0);
    expect(await signals("auth-burst.log")).toBe(1);
  });

  test("options fill in what events do not say", async () => {
    const ran = await vespid(["match", "--count", "source:shop service:web host:h1 team:red env:prod", "--source", "shop", "--service", "web", "--host", "h1", "--tag", "team:red", "--tag", "env:prod"], { stdin: '{"message":"x"}\n' });
    expect(ran).toEqual({ code: 0, stdout: "1\n", stderr: "" });
  });

  test("a damaged input costs what lies behind the damage, is said, and ends in exit code 2", async () => {
    const many = lines(Array.from({ length: 40_000 }, (_, i) => login(i, `user-${(i * 2654435761) % 4294967296}`, "failure")));
    const gz = gzipSync(many);
    const zst = zstdCompressSync(many);
    folder.write("cut.jsonl.gz", gz.subarray(0, gz.length - 2000));
    folder.write("cut.jsonl.zst", zst.subarray(0, zst.length - 2000));
    folder.write("whole.jsonl", text);
    for (const name of ["cut.jsonl.gz", "cut.jsonl.zst"]) {
      const ran = await vespid(["match", "--count", "*", name, "whole.jsonl"], { cwd: folder.path });
      expect(ran.code).toBe(2);
      expect(Number(ran.stdout)).toBeGreaterThan(20_000);
      expect(ran.stderr).toContain(name);
      expect(ran.stderr).toContain("cut short");
    }
  });

  test.each<[string, Uint8Array]>([
    ["gzip", Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from("garbage")])],
    ["zstd", Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.from("garbage garbage")])],
    ["Arrow file", Buffer.from("ARROW1\0\0garbage garbage")],
    ["Arrow stream", Buffer.concat([Buffer.from([255, 255, 255, 255, 16, 0, 0, 0]), Buffer.from("garbage garbage")])],
  ])("what only begins like %s is said in one line", async (_name, stdin) => {
    const ran = await vespid(["match", "--count", "*", "-"], { stdin });
    expect([ran.code, ran.stdout]).toEqual([2, "0\n"]);
    expect(ran.stderr).toMatch(/^vespid: standard input: [^\n]+\n$/);
  });

  test("a line over 1 MB is counted and kept apart, and its neighbours live", async () => {
    const huge = JSON.stringify({ message: "x".repeat(1_500_000) });
    const rule = folder.write("rule.json", JSON.stringify({ name: "r", message: "", isEnabled: true, options: {}, tags: [], queries: [{ query: "*" }], cases: [{ status: "low", condition: "a > 0" }] }));
    folder.write("huge.jsonl", `${lines([events[0]])}${huge}\n${lines([events[1]])}not json\n`);
    const ran = await vespid(["run", "--rules", rule, "--malformed", "kept.txt", "--json", "huge.jsonl"], { cwd: folder.path });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/2 events.*unreadable: 1 not-json, 1 too-large/s);
    expect((await vespid(["match", "--count", "*", "--format", "text", "kept.txt"], { cwd: folder.path })).stdout).toBe("1\n");
  });

  test("what is no file is said in one line", async () => {
    mkdirSync(`${folder.path}/empty`, { recursive: true });
    for (const name of ["absent.jsonl", "absent/*.jsonl"]) {
      const ran = await vespid(["match", "*", name], { cwd: folder.path });
      expect(ran).toEqual({ code: 2, stdout: "", stderr: `${name}: no such file, folder or match\n` });
    }
  });
});
