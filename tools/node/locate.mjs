import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Path of the pinned Node's binary; throws with a plain sentence when it is not installed. */
export function pinnedNode() {
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const file = process.platform === "win32" ? "node.exe" : "node";
  for (const folder of [join(root, "node_modules", name), join(root, "tools", "node", "node_modules", name)]) {
    const path = join(folder, "bin", file);
    if (existsSync(path)) return path;
  }
  const [major, minor] = process.versions.node.split(".").map(Number);
  // No package for this platform: a new enough Node of the host will do.
  if (major > 22 || (major === 22 && minor >= 15)) return process.execPath;
  throw new Error(`Node 22.15 or later is needed, and ${name} is not installed: run "npm ci"`);
}
