// Everything a clone needs before it can run: packages, both kernels, the host's JavaScript. Each step only when stale.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { pinnedNode } from "./node/locate.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((latest, entry) => Math.max(latest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs), 0);
}

function step(name, outputs, sources, work) {
  const made = Math.min(...outputs.map((path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0));
  if (made && made >= Math.max(...sources.map((path) => newest(join(root, path))))) return;
  const start = Date.now();
  process.stderr.write(`${name} ... `);
  work();
  process.stderr.write(`${((Date.now() - start) / 1000).toFixed(1)} s\n`);
}

function must(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", shell: process.platform === "win32" && command === "npm" });
  if (done.status === 0) return;
  process.stderr.write(`failed\n${done.stdout ?? ""}${done.stderr ?? ""}${done.error ? `${done.error.message}\n` : ""}`);
  process.exit(done.status ?? 1);
}

export function build() {
  // A link leads to the packages of another clone, which are not ours to take away.
  if (!lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) step("installing packages", ["node_modules/.package-lock.json"], ["package-lock.json"], () => {
    must("npm", ["ci", "--no-audit", "--no-fund"]);
    const now = new Date();
    utimesSync(join(root, "node_modules/.package-lock.json"), now, now);
  });
  for (const variant of ["simd", "scalar"]) {
    step(`compiling the ${variant} kernel`, [`build/vespid.${variant}.wasm`], ["assembly", "asconfig.json"], () => {
      mkdirSync(join(root, "build"), { recursive: true });
      must(pinnedNode(), ["node_modules/assemblyscript/bin/asc.js", "--config", "asconfig.json", "--target", variant]);
    });
  }
  step("compiling the host", ["dist/.built"], ["host", "content", "CHANGELOG.md", "test/reference", "assembly/layout.ts", "tsconfig.json"], () => {
    // The pages stay: they are made by a step of their own.
    for (const name of existsSync(join(root, "dist")) ? readdirSync(join(root, "dist")) : []) if (name !== "web") rmSync(join(root, "dist", name), { recursive: true, force: true });
    const compiler = ["node_modules/typescript/bin/tsc", "node_modules/typescript/lib/tsc.js"].find((path) => existsSync(join(root, path)));
    must(pinnedNode(), [compiler, "-p", "tsconfig.json"]);
    must(pinnedNode(), ["tools/read-packs.mjs"]);
    must(pinnedNode(), ["tools/read-releases.mjs"]);
    must(pinnedNode(), ["tools/bundle.mjs"]);
    writeFileSync(join(root, "dist/.built"), "");
  });
  step("building the pages", ["dist/web/.built"], ["web", "assembly", ...["batch", "engine", "event", "query", "rule"].map((room) => `host/${room}`), "package-lock.json"], () => must(pinnedNode(), ["tools/build-web.mjs"]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) build();
