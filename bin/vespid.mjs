#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = [22, 15];
const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The Node of this package, which an older one on the path hands over to. */
function pinnedNode() {
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const executable = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  const folders = [join(root, "node_modules", name)];
  try {
    folders.push(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)));
  } catch {
    // not installed
  }
  return folders.map((folder) => join(folder, executable)).find(existsSync);
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  const node = process.env.VESPID_NODE_HANDED_OVER ? undefined : pinnedNode();
  if (!node) {
    process.stderr.write(`vespid needs Node ${OLDEST_NODE.join(".")} or newer, and this is ${process.versions.node}; install a newer Node, or run "npm ci" in the clone, which brings one\n`);
    process.exit(2);
  }
  const run = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit", env: { ...process.env, VESPID_NODE_HANDED_OVER: "1" } });
  process.exit(run.status ?? 2);
}

// Compiled code is kept between runs: a small run is over before its own code is compiled anew.
module.enableCompileCache?.();

const built = join(root, "dist", "bundle", "main.js");
const source = join(root, "host", "cli", "main.ts");
if (existsSync(built)) await import(built);
else if (existsSync(source)) await import(source);
else {
  process.stderr.write('vespid is not built: run "npm run build"\n');
  process.exit(2);
}
