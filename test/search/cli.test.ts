import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Journal } from "../../host/journal/journal.ts";
import { loadKernel } from "../support/wasm.ts";
import { entry, folders, lines, startMs } from "./support.ts";

const folder = folders();
const data = folder("data");

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function vespid(...args: readonly string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "../../host/cli/main.ts"), ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
  return { code: status, out: stdout, error: stderr };
}

const search = (...args: readonly string[]): Run => vespid("search", "--data", data, "--pack", "none", ...args);

beforeAll(async () => {
  loadKernel("simd");
  const { mkdirSync } = await import("node:fs");
  mkdirSync(data, { recursive: true });
  const journal = await Journal.open(join(data, "journal"), { reserveBytes: 0 });
  for (let i = 0; i < 6; i++) {
    await journal.append([entry(lines(...Array.from({ length: 5 }, (_, k) => ({ timestamp: startMs + (i * 5 + k) * 60_000, ddsource: k % 2 ? "app" : "nginx", hostname: `web-${i}`, message: `log ${i * 5 + k} \u001b[31m`, evt: { name: `e${k}` } }))))]);
  }
  await journal.close();
}, 240_000);

describe("vespid search", () => {
  test("shows a table, newest first, that no log can drive a terminal with; and says how to go on", () => {
    const { code, out, error } = search("source:app", "--limit", "3");
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["time", "id", "status", "source", "host", "service", "message"],
      ["2026-03-01 10:28:00Z", "1-5-3", "info", "app", "web-5", "log 28 \\u001b[31m"], ["2026-03-01 10:26:00Z", "1-5-1", "info", "app", "web-5", "log 26 \\u001b[31m"], ["2026-03-01 10:23:00Z", "1-4-3", "info", "app", "web-4", "log 23 \\u001b[31m"], [""],
    ]);
    const cursor = /--cursor (\S+)/.exec(error)![1]!;
    expect(search("source:app", "--limit", "1", "--cursor", cursor).out).toContain("log 21");
  });

  test("counts, by fields and over time", () => {
    expect(search("source:app", "--count").out).toBe("12\n");
    const { out } = search("--limit", "0", "--facet", "source", "--facet", "@evt.name", "--histogram", "10m", "--json");
    expect(JSON.parse(out)).toEqual({
      histogram: [0, 10, 20].map((minute) => ({ time: `2026-03-01T10:${String(minute).padStart(2, "0")}:00.000Z`, count: 10 })),
      facets: [{ facet: "source", values: [{ value: "nginx", count: 18 }, { value: "app", count: 12 }], missing: 0 }, { facet: "@evt.name", values: [0, 1, 2, 3, 4].map((k) => ({ value: `e${k}`, count: 6 })), missing: 0 }],
    });
    expect(search("--limit", "0", "--facet", "source").out).toBe("logs  source\n  18  nginx\n  12  app\n");
  });

  test("keeps to its bounds and order", () => {
    const { out } = search("--from", "2026-03-01T10:10:00Z", "--to", String(startMs + 13 * 60_000), "--sort", "oldest", "--json");
    expect(out.trim().split("\n").map((line) => (JSON.parse(line) as { attributes: { message: string } }).attributes.message)).toEqual([10, 11, 12].map((i) => `log ${i} \u001b[31m`));
  });

  test("makes an index when told, and passes over what cannot match", () => {
    // One segment that still grows and is short has none; the search says what it read.
    const { error, code } = search("nowhere", "--index", "--stats");
    expect([code, error]).toEqual([1, expect.stringMatching(/indexed 0 segments.*\n.*read .* \(30 events\)/)]);
  });

  test("gives one log as a unit test takes it", () => {
    expect(JSON.parse(search("--id", "1-2-3").out)).toEqual({ timestamp: startMs + 13 * 60_000, ddsource: "app", hostname: "web-2", message: "log 13 \u001b[31m", evt: { name: "e3" }, status: "info" });
    expect(search("--id", "1-2-9").code).toBe(1);
  });

  test.each([[["\"x"], "unclosed-quote"], [["--from", "soon"], "search/bad-time"], [["--limit", "x"], "--limit x"], [["--limit", "5000"], "0 to 1000"], [["--cursor", "abc"], "search/bad-cursor"], [["--histogram", "soon"], "search/bad-interval"], [["--sort", "size"], "newest"]])("%j is refused with a way out", (args, hint) => {
    const { code, error } = search(...args);
    expect([code, error]).toEqual([2, expect.stringContaining(hint)]);
  });

  test("a folder that is not there", () => {
    expect(vespid("search", "--data", folder("nowhere"), "x")).toMatchObject({ code: 2, error: expect.stringContaining("there is no such folder") as string });
  });
});
