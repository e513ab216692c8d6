import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readLineRule } from "../../host/intake/tail/rules.ts";
import { MemorySink, until } from "./lines-support.ts";
import { follow, newFolder } from "./tail-support.ts";

const LINE = "Mar  2 08:41:00 web1 sshd[411]: Failed password for deploy from 192.0.2.7 port 4022 ssh2";

describe("a followed file", () => {
  test("[IN-07] is read from its end on, with source, service and tags", async () => {
    const path = join(newFolder(), "auth.log");
    writeFileSync(path, "old\n");
    const sink = new MemorySink();
    await follow(sink, { sources: [{ path, textFormat: "syslog", defaults: { source: "auth", service: "linux-auth", tags: ["env:production", "security:authentication"] } }] });
    appendFileSync(path, `${LINE}\n`);
    await until("the line", () => sink.lines().length > 0);
    expect(sink.events()).toMatchObject([{ source: "auth", service: "linux-auth", host: "web1", tags: ["env:production", "security:authentication"], message: "Failed password for deploy from 192.0.2.7 port 4022 ssh2", attributes: { syslog: { appname: "sshd" } } }]);
    expect(sink.batches[0]).toMatchObject({ partition: `file:${path}` });
  });

  test("[IN-07] whose first line is syslog is read as syslog; another is text, whatever times it holds", async () => {
    const folder = newFolder();
    const sink = new MemorySink();
    writeFileSync(join(folder, "auth.log"), `${LINE}\nno header\n`);
    writeFileSync(join(folder, "app.log"), '2026-03-02T08:41:00Z INFO starting up\n{"message":"ready","status":"warn"}\n2026-03-02T08:41:01Z INFO {odd} words}\n');
    await follow(sink, { sources: [{ path: join(folder, "*.log"), startPosition: "beginning", defaults: { service: "s" } }] });
    await until("five lines", () => sink.lines().length === 5);
    const events = sink.events().sort((a, b) => (a.message ?? "").localeCompare(b.message ?? ""));
    expect(events.map(({ message, host, service, source, status }) => [message, host, service, source, status])).toEqual([
      ["2026-03-02T08:41:00Z INFO starting up", undefined, "s", undefined, "info"],
      ["2026-03-02T08:41:01Z INFO {odd} words}", undefined, "s", undefined, "info"],
      ["Failed password for deploy from 192.0.2.7 port 4022 ssh2", "web1", "s", "syslog", "info"],
      ["no header", undefined, "s", "syslog", "info"],
      ["ready", undefined, "s", undefined, "warn"],
    ]);
  });

  test("waits for the end of its last line", async () => {
    const path = join(newFolder(), "a.log");
    writeFileSync(path, "one\ntw");
    const sink = new MemorySink();
    await follow(sink, { sources: [{ path, startPosition: "beginning" }] });
    await until("one line", () => sink.lines().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(sink.lines()).toEqual(["one"]);
    appendFileSync(path, "o\n");
    await until("two lines", () => sink.lines().length === 2);
    expect(sink.lines()).toEqual(["one", "two"]);
  });

  test("that ends inside a line when it is found gives no part of that line", async () => {
    const path = join(newFolder(), "a.log");
    writeFileSync(path, "one\nhalf");
    const sink = new MemorySink();
    await follow(sink, { sources: [{ path }] });
    appendFileSync(path, " and half\nwhole\n");
    await until("a line", () => sink.lines().length === 1);
    expect(sink.lines()).toEqual(["whole"]);
  });

  test("goes on where it was after a restart, also with what came meanwhile", async () => {
    const folder = newFolder();
    const [path, positionsPath] = [join(folder, "a.log"), join(folder, "state", "positions.json")];
    writeFileSync(path, "old\n");
    const sink = new MemorySink();
    const options = { sources: [{ path: join(folder, "*.log") }], positionsPath };
    const first = await follow(sink, options);
    appendFileSync(path, "one\ntwo\n");
    await until("two lines", () => sink.lines().length === 2);
    await first.stop();
    appendFileSync(path, "three\n");
    writeFileSync(join(folder, "b.log"), "new file\n");
    await follow(sink, options);
    appendFileSync(path, "four\n");
    await until("five lines", () => sink.lines().length === 5);
    expect(sink.lines().filter((line) => line !== "new file")).toEqual(["one", "two", "three", "four"]);
  });

  test("positions that cannot be read stop the start, with the way out", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "positions.json"), "{");
    await expect(follow(new MemorySink(), { sources: [], positionsPath: join(folder, "positions.json") })).rejects.toThrow("move it away");
  });

  test("is not moved forward before the sink has its records", async () => {
    const folder = newFolder();
    const [path, positionsPath] = [join(folder, "a.log"), join(folder, "positions.json")];
    writeFileSync(path, "one\n");
    const sink = new MemorySink();
    sink.refusal = { reason: "full", retryAfterS: 1 };
    const tail = await follow(sink, { sources: [{ path, startPosition: "beginning" }], positionsPath });
    await until("refusals", () => tail.counts.refused > 2);
    await tail.stop();
    expect(JSON.parse(readFileSync(positionsPath, "utf8"))).toMatchObject({ streams: { [path]: { generations: [{ offset: 0 }] } } });
    sink.refusal = undefined;
    await follow(sink, { sources: [{ path, startPosition: "beginning" }], positionsPath });
    await until("the line", () => sink.lines().length === 1);
    expect(tail.counts.refusals.get("full")).toBeGreaterThan(2);
  });

  test("says in its batches' marks how far it is, which go before the file of positions", async () => {
    const folder = newFolder();
    const [path, positionsPath] = [join(folder, "a.log"), join(folder, "positions.json")];
    writeFileSync(path, "one\n");
    const sink = new MemorySink();
    const options = { sources: [{ path, startPosition: "beginning" as const }], positionsPath };
    const first = await follow(sink, options);
    await until("one line", () => sink.lines().length === 1);
    const before = readFileSync(positionsPath);
    appendFileSync(path, "two\n");
    await until("two lines", () => sink.lines().length === 2);
    await first.stop();
    // As a kill would leave it: the sink has the second line, the file of positions does not know.
    writeFileSync(positionsPath, before);
    await follow(sink, { ...options, marks: new Map(sink.batches.map(({ partition, mark }) => [partition, mark!])) });
    appendFileSync(path, "three\n");
    await until("three lines", () => sink.lines().length >= 3);
    expect(sink.lines()).toEqual(["one", "two", "three"]);
  });
});

describe("a file that is replaced", () => {
  test("by renaming is read to its end, also what its writer adds late, and the new one from its start", async () => {
    const path = join(newFolder(), "a.log");
    writeFileSync(path, "");
    const sink = new MemorySink();
    const tail = await follow(sink, { sources: [{ path }], graceMs: 300 });
    const expected: string[] = [];
    for (let round = 0; round < 5; round++) {
      const writer = openSync(path, "a");
      const write = (line: string): void => {
        writeSync(writer, `${line}\n`);
        expected.push(line);
      };
      write(`${round} first`);
      renameSync(path, `${path}.${round}`);
      write(`${round} after the rename`);
      appendFileSync(path, `${round} in the new file\n`);
      expected.push(`${round} in the new file`);
      await new Promise((resolve) => setTimeout(resolve, 60));
      write(`${round} late`);
      closeSync(writer);
      await until(`round ${round}`, () => sink.lines().length === expected.length);
    }
    expect(sink.lines().sort()).toEqual(expected.sort());
    expect(tail.counts).toMatchObject({ rotations: 5, rewrites: 0, lost: 0 });
    await until("the old ones closed", () => tail.openFiles === 1);
  });

  test("is not read again under its new name, however often it is renamed", async () => {
    const folder = newFolder();
    const sink = new MemorySink();
    const expected: string[] = [];
    const positionsPath = join(folder, "positions.json");
    const options = { sources: [{ path: join(folder, "a.log*"), startPosition: "beginning" as const }], positionsPath, maxOpen: 1 };
    let tail = await follow(sink, options);
    for (let round = 0; round < 4; round++) {
      for (let i = 3; i >= 1; i--) if (readdirSync(folder).includes(`a.log.${i}`)) renameSync(join(folder, `a.log.${i}`), join(folder, `a.log.${i + 1}`));
      if (round > 0) renameSync(join(folder, "a.log"), join(folder, "a.log.1"));
      writeFileSync(join(folder, "a.log"), `the first line of round ${round}\nmore\n`);
      expected.push(`the first line of round ${round}`, "more");
      await until(`round ${round}`, () => sink.lines().length >= expected.length);
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (round === 2) {
        await tail.stop();
        tail = await follow(sink, options);
      }
    }
    // An old one grows again: its writer held on to it.
    appendFileSync(join(folder, "a.log.2"), "late\n");
    expected.push("late");
    await until("the late line", () => sink.lines().length >= expected.length);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(sink.lines()).toEqual(expected);
  });

  test("while nobody followed it is found under its new name and read to its end", async () => {
    const folder = newFolder();
    const [path, positionsPath] = [join(folder, "a.log"), join(folder, "positions.json")];
    const sink = new MemorySink();
    const options = { sources: [{ path }], positionsPath };
    writeFileSync(path, "old\n");
    const first = await follow(sink, options);
    appendFileSync(path, "one\n");
    await until("one line", () => sink.lines().length === 1);
    await first.stop();
    appendFileSync(path, "two\nthree without newline");
    renameSync(path, `${path}.1`);
    const second = await follow(sink, options);
    await until("three lines", () => sink.lines().length === 3);
    writeFileSync(path, "four\n");
    await until("four lines", () => sink.lines().length === 4);
    expect(sink.lines()).toEqual(["one", "two", "three without newline", "four"]);
    expect(second.counts.lost).toBe(0);
  });

  test("by copying and emptying, or by writing it anew, is read from its start", async () => {
    const path = join(newFolder(), "a.log");
    writeFileSync(path, "the first content\nof two lines\n");
    const sink = new MemorySink();
    const tail = await follow(sink, { sources: [{ path, startPosition: "beginning" }] });
    await until("two lines", () => sink.lines().length === 2);
    truncateSync(path, 0);
    appendFileSync(path, "short\n");
    await until("three lines", () => sink.lines().length === 3);
    // Longer than it was: only its first bytes tell.
    writeFileSync(path, "other content, and more of it than there was before\nanother\n");
    await until("five lines", () => sink.lines().length === 5);
    expect(sink.lines().slice(2)).toEqual(["short", "other content, and more of it than there was before", "another"]);
    expect(tail.counts.rewrites).toBe(2);
  });

  test("by another of the same number is another file", async () => {
    const folder = newFolder();
    const path = join(folder, "a.log");
    const sink = new MemorySink();
    await follow(sink, { sources: [{ path: join(folder, "*.log"), startPosition: "beginning" }], maxOpen: 1 });
    const expected: string[] = [];
    for (let round = 0; round < 10; round++) {
      rmSync(path, { force: true });
      writeFileSync(path, `content of round ${round}\n`);
      expected.push(`content of round ${round}`);
      await until(`round ${round}`, () => sink.lines().length >= expected.length);
    }
    expect(sink.lines()).toEqual(expected);
  });
});

describe("lines and rules", () => {
  const rule = (type: string, pattern: string, more = {}) => readLineRule({ type, name: type, pattern, ...more });

  test("lines that a pattern does not begin belong to the one before", async () => {
    const path = join(newFolder(), "java.log");
    const sink = new MemorySink();
    writeFileSync(path, "2026-03-02 one\n  at a\n  at b\n2026-03-02 two\n2026-03-02 three\n");
    await follow(sink, { sources: [{ path, startPosition: "beginning", rules: [rule("multi_line", "\\d{4}-\\d\\d-\\d\\d")] }], quietMs: 200 });
    await until("two events", () => sink.events().length >= 2);
    expect(sink.events().map(({ message }) => message).sort()).toEqual(["2026-03-02 one\n  at a\n  at b", "2026-03-02 two"]);
    appendFileSync(path, "  at c\n");
    await until("the third, after some silence", () => sink.events().length === 3);
    expect(sink.events().map(({ message }) => message)).toContain("2026-03-02 three\n  at c");
  });

  test("lines are left out, kept and masked", async () => {
    const path = join(newFolder(), "a.log");
    const sink = new MemorySink();
    writeFileSync(path, "login ok card=4111111111111111\nlogin debug\nother\nlogin é 4111111111111112\n");
    const rules = [rule("include_at_match", "^login"), rule("exclude_at_match", "debug$"), rule("mask_sequences", "(card=)?\\d{16}", { replace_placeholder: "${1}[card]" })];
    const tail = await follow(sink, { sources: [{ path, startPosition: "beginning", rules }] });
    await until("two lines", () => sink.lines().length === 2);
    expect(sink.lines()).toEqual(["login ok card=[card]", "login é [card]"]);
    expect(tail.counts.rejected.get("excluded")).toBe(2);
    expect(() => rule("mask", "x")).toThrow("mask");
    expect(() => rule("multi_line", "(")).toThrow();
  });

  test("a line longer than a log may be loses its end", async () => {
    const path = join(newFolder(), "a.log");
    const sink = new MemorySink();
    writeFileSync(path, `before\n${"x".repeat(2_500_000)}\nafter\n`);
    const tail = await follow(sink, { sources: [{ path, startPosition: "beginning" }] });
    await until("three lines", () => sink.lines().length === 3);
    expect(sink.lines().map(({ length }) => length)).toEqual([6, 1024 * 1024, 5]);
    expect(tail.counts).toMatchObject({ truncated: 1, events: 3 });
  });

  test("UTF-16 with its mark is read, so are carriage returns and what an emptied file leaves before its first byte", async () => {
    const folder = newFolder();
    const sink = new MemorySink();
    writeFileSync(join(folder, "wide.log"), Buffer.from("\ufeffönë\r\ntwo \u{1f600}\r\nlast", "utf16le"));
    writeFileSync(join(folder, "hole.log"), "\0\0\0\0line\r\n\r\n\ufeff");
    await follow(sink, { sources: [{ path: join(folder, "*.log"), startPosition: "beginning" }] });
    await until("three lines", () => sink.lines().length === 3);
    expect(sink.events().map(({ message }) => message!.replace(/\r$/, "")).sort()).toEqual(["line", "two \u{1f600}", "önë"].sort());
    appendFileSync(join(folder, "wide.log"), Buffer.from(" one\n", "utf16le"));
    await until("the last", () => sink.lines().length === 4);
    expect(sink.lines().at(-1)).toBe("last one");
  });
});

describe("files read once", () => {
  test("are read to their end, packed ones too, and not again", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "a.log"), `${LINE}\nlast without newline`);
    const many = Array.from({ length: 60_000 }, (_, i) => `line ${i} of the packed file`);
    writeFileSync(join(folder, "b.log.gz"), Buffer.concat([gzipSync(`${many.slice(0, 30_000).join("\n")}\n`), gzipSync(many.slice(30_000).join("\n"))]));
    writeFileSync(join(folder, "c.log.zst"), zstdCompressSync("zstd\n"));
    writeFileSync(join(folder, "d.log.gz"), gzipSync("x\n".repeat(100)).subarray(0, 20));
    const positionsPath = join(folder, "positions.json");
    const sink = new MemorySink();
    const sources = [{ path: join(folder, "*.log*"), startPosition: "beginning" as const }];
    const tail = await follow(sink, { sources, isOnce: true, positionsPath });
    await tail.finished();
    expect(sink.lines().filter((line) => line !== "x").sort()).toEqual([LINE, "last without newline", "zstd", ...many].sort());
    expect(tail.files().find(({ path }) => path.endsWith("d.log.gz"))!.problem).toMatch(/unexpected end/);
    expect(sink.events().find(({ service }) => service === "sshd")).toBeDefined();
    const again = await follow(sink, { sources, isOnce: true, positionsPath });
    await again.finished();
    expect(again.counts.events).toBe(0);
  });
});

describe("many files", () => {
  const open = (): number => readdirSync("/proc/self/fd").length;

  test.skipIf(process.platform !== "linux")("are followed with few descriptors", async () => {
    const folder = newFolder();
    const paths = Array.from({ length: 3000 }, (_, i) => join(folder, `${i}.log`));
    for (const path of paths) writeFileSync(path, "old\n");
    const sink = new MemorySink();
    const before = open();
    const tail = await follow(sink, { sources: [{ path: join(folder, "*.log") }], maxOpen: 40 });
    let most = 0;
    for (const round of [1, 2]) {
      for (const path of paths) appendFileSync(path, `${round} ${path}\n`);
      await until(`round ${round}`, () => {
        most = Math.max(most, open() - before);
        return sink.lines().length >= round * paths.length;
      }, 60_000);
    }
    expect(sink.lines().sort()).toEqual([1, 2].flatMap((round) => paths.map((path) => `${round} ${path}`)).sort());
    expect(most).toBeLessThan(70);
    expect(tail.openFiles).toBeLessThanOrEqual(40);
    expect(tail.files()).toHaveLength(3000);
  });
});
