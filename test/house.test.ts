import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.split(/[\\/]/).includes("node_modules"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) => relative(root, join(root, file, "..", match[1]!)).replaceAll("\\", "/"));
}

/** What each room may import beside itself and the words. Type-only needs count too: a name is a dependency. */
const doors: Readonly<Record<string, readonly string[]>> = {
  event: ["query"],
  query: ["event"],
  rule: ["query", "event"],
  enrich: ["query", "event", "rule"],
  engine: ["rule", "query", "event", "batch", "assembly/layout.ts"],
  batch: ["event", "engine", "signal"],
  detect: ["rule", "query", "event", "batch", "assembly/layout.ts"],
  signal: ["detect", "rule", "query", "event"],
  sigma: ["rule", "query", "event"],
  mitre: [],
  compliance: [],
  "signal-model": ["signal", "rule", "query", "event"],
  journal: ["engine", "event", "batch"],
  intake: ["engine", "event", "batch", "journal"],
  store: ["signal-model", "signal", "rule", "event"],
  search: ["journal", "engine", "batch", "event", "query", "host"],
  "signal-search": ["store", "signal-model", "rule", "query", "event", "signal", "search", "host"],
  history: ["search", "journal", "engine", "batch", "rule", "query", "event", "signal", "host"],
  insight: ["mitre", "signal-search", "signal-model", "store", "rule", "query", "event", "signal"],
  control: ["insight", "enrich", "mitre", "history", "signal-search", "signal-model", "search", "store", "journal", "engine", "batch", "rule", "query", "event", "signal", "host"],
  serve: ["compliance", "enrich", "control", "signal-search", "search", "store", "intake", "journal", "engine", "batch", "rule", "query", "event", "signal", "host"],
  cli: ["compliance", "enrich", "engine", "batch", "rule", "query", "event", "signal", "detect", "journal", "intake", "store", "search", "history", "control", "signal-search", "signal-model", "sigma", "mitre", "serve", "host", "assembly/layout.ts"],
};
const words = ["host/problem.ts", "host/problem-codes.ts", "host/duration.ts", "host/clock.ts"];

function roomOf(path: string): string {
  if (path.startsWith("assembly/")) return path;
  const [, second = "", third] = path.split("/");
  return third === undefined ? "host" : second;
}

describe("the walls", () => {
  test.each(Object.keys(doors))("room %s imports only what its door lets in", (room) => {
    const wrong = sources(`host/${room}`).flatMap((file) =>
      importsOf(file)
        .filter((target) => !words.includes(target) && roomOf(target) !== room && !doors[room]!.includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`));
    expect(wrong).toEqual([]);
  });

  test("assembly imports only assembly", () => {
    expect(sources("assembly").flatMap((file) => importsOf(file).filter((target) => !target.startsWith("assembly/")).map((target) => `${file} imports ${target}`))).toEqual([]);
  });

  test.each(["event", "query", "rule", "detect", "signal", "signal-model"])("room %s opens no file or socket and reads no clock", (room) => {
    const forbidden = /from "node:(?:fs|net|http|https|dgram|child_process|worker_threads)[/"]|\bDate\.now\(|\bperformance\.now\(|new Date\(\)/;
    expect(sources(`host/${room}`).filter((file) => forbidden.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });

  test("only engine touches WebAssembly", () => {
    expect(sources("host").filter((file) => !file.startsWith("host/engine/") && /\bWebAssembly\./.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });

  test("web knows of the host only how a query is read, what the kernels' worker is asked, and where it and they lie", () => {
    const known = /^host\/(?:query\/|insight\/overview-model|engine\/browser\/contract\.ts$|engine\/browser\/worker\.ts\?worker&url$)|^build\/vespid\.(?:simd|scalar)\.wasm\?url$/;
    expect(sources("web").flatMap((file) => importsOf(file).filter((target) => !target.startsWith("web/") && !known.test(target)).map((target) => `${file} imports ${target}`))).toEqual([]);
  });

  test("what a page's worker runs asks nothing of Node but what stands in for it there", () => {
    const standIns = /^node:(?:buffer|crypto|module)$/;
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      const text = readFileSync(join(root, file), "utf8").replace(/^import type .*$|^import \{(?: type [^,}]+,?)+ \} from .*$/gm, "");
      for (const [, target] of text.matchAll(/from "([^"]+)"/g)) {
        if (target!.startsWith(".")) reach(relative(root, join(root, file, "..", target!)).replaceAll("\\", "/"));
        else if (!standIns.test(target!)) wrong.push(`${file} imports ${target}`);
      }
    };
    const wrong: string[] = [];
    reach("host/engine/browser/worker.ts");
    expect(wrong).toEqual([]);
    expect(reached.size).toBeGreaterThan(50);
  });

  test("the product imports nothing from the tests", () => {
    expect(sources("host").filter((file) => importsOf(file).some((target) => target.startsWith("test/")))).toEqual([]);
  });

  test("files are small rooms", () => {
    const big = [...sources("host"), ...sources("assembly"), ...sources("test"), ...sources("web")].filter((file) => file !== "assembly/layout.ts" && readFileSync(join(root, file), "utf8").split("\n").length > 500);
    expect(big).toEqual([]);
  });

  test("no file names a path of somebody's machine", () => {
    const own = /\/(?:home|root|Users)\/[a-z]+\/|\/tmp\/bash/;
    const files = [...sources("host"), ...sources("assembly"), ...sources("web"), "README.md", "ARCHITECTURE.md", "package.json"];
    expect(files.filter((file) => own.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });
});
