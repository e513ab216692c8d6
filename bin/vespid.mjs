#!/usr/bin/env node
// Modules of Node are asked for by `getBuiltinModule`: an `import` of them would load all that they can do.
const OLDEST_NODE = [22, 15];
/** A longer run forgets code that it needed at its start. */
const SHORT_RUN_SECONDS = 5;

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) await handOver();
await start();

/** Runs the Node of this package instead of an older one on the path. */
async function handOver() {
  const { spawnSync } = await import("node:child_process");
  const { existsSync } = await import("node:fs");
  const { createRequire } = await import("node:module");
  const { dirname, join } = await import("node:path");
  const { fileURLToPath } = await import("node:url");
  const self = fileURLToPath(import.meta.url);
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const folders = [join(dirname(self), "..", "node_modules", name)];
  try {
    folders.push(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)));
  } catch {
    // not installed
  }
  const node = process.env.VESPID_NODE_HANDED_OVER ? undefined : folders.map((folder) => join(folder, process.platform === "win32" ? "bin/node.exe" : "bin/node")).find(existsSync);
  if (!node) {
    process.stderr.write(`vespid needs Node ${OLDEST_NODE.join(".")} or newer, and this is ${process.versions.node}; install a newer Node, or run "npm ci" in the clone, which brings one\n`);
    process.exit(2);
  }
  const run = spawnSync(node, [self, ...process.argv.slice(2)], { stdio: "inherit", env: { ...process.env, VESPID_NODE_HANDED_OVER: "1" } });
  process.exit(run.status ?? 2);
}

async function start() {
  const { existsSync, readFileSync } = process.getBuiltinModule("fs");
  const { join } = process.getBuiltinModule("path");
  const root = join(import.meta.dirname, "..");
  const built = join(root, "dist", "bundle", "main.cjs");
  if (existsSync(built)) return runBuilt(built, readFileSync(built, "latin1"));
  const source = join(root, "host", "cli", "main.ts");
  if (existsSync(source)) return await import(source);
  process.stderr.write('vespid is not built: run "npm run build"\n');
  process.exit(2);
}

/** A small run is over before its own code is compiled anew, so compiled code is kept beside the bundle, for each V8 its own. */
function runBuilt(file, text) {
  const { Script } = process.getBuiltinModule("vm");
  const kept = `${file.slice(0, -"cjs".length)}${process.versions.v8}-${process.arch}.code`;
  const script = new Script(`(function (require, __filename) {${text}\n})`, { filename: file, cachedData: codeIn(kept) });
  if (script.cachedDataRejected !== false && process.argv[2] === "run") process.on("exit", (code) => code === 0 && process.uptime() < SHORT_RUN_SECONDS && keep(kept, script));
  script.runInThisContext()(process.getBuiltinModule("module").createRequire(file), file);
}

function codeIn(file) {
  try {
    return process.getBuiltinModule("fs").readFileSync(file);
  } catch {
    return undefined;
  }
}

function keep(file, script) {
  const { renameSync, writeFileSync } = process.getBuiltinModule("fs");
  try {
    // Written beside and renamed: whoever starts meanwhile never reads half of it.
    writeFileSync(`${file}.${process.pid}`, script.createCachedData());
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A folder of somebody else: it works without.
  }
}
