// `npm run test:compat`: logs from clients and log daemons as their makers ship them, through `vespid serve`, to signals.
// Clients come from this folder's own lock, daemons from Debian's packages; what cannot be had leaves its tests skipped, and is told.
import { spawnSync } from "node:child_process";
import { existsSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, root } from "../../tools/build.mjs";
import { pinnedNode } from "../../tools/node/locate.mjs";
import { daemons, debianProgram, fetchDebian } from "./debian.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const INSTALL_MS = 4 * 60_000;
const UNREACHABLE = /\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E5\d\d|E403|E407)\b/;

function tell(text) {
  process.stderr.write(text);
}

/** Runs a step that may lack the network. @returns nothing when it went well, else why it did not. */
function step(name, work) {
  const start = Date.now();
  tell(`${name} ... `);
  const why = work();
  tell(why === undefined ? `${((Date.now() - start) / 1000).toFixed(1)} s\n` : `not possible here: ${why}\n`);
  return why;
}

function installClients() {
  const mark = join(here, "node_modules", ".package-lock.json");
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(here, "package-lock.json")).mtimeMs) return;
  const why = step("installing the clients", () => {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"];
    const done = spawnSync("npm", ["ci", ...options], { cwd: here, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", timeout: INSTALL_MS, shell: process.platform === "win32" });
    if (done.status === 0) {
      const now = new Date();
      utimesSync(mark, now, now);
      return undefined;
    }
    if (done.error?.code === "ENOENT") return "there is no npm";
    if (done.error?.code === "ETIMEDOUT") return "it took too long";
    const unreachable = UNREACHABLE.exec(done.stderr);
    if (unreachable) return `the registry cannot be reached (${unreachable[0]})`;
    tell(`failed\n${done.stderr}${done.error?.message ?? ""}\n`);
    process.exit(1);
  });
  if (why !== undefined) tell("the tests of the clients are skipped\n");
}

function unpackDaemons() {
  if (process.platform !== "linux") return;
  for (const name of Object.keys(daemons)) {
    if (debianProgram(name)) continue;
    const why = step(`unpacking ${name}`, () => fetchDebian(name));
    if (why !== undefined) tell(`the tests of ${name} are skipped\n`);
  }
}

build();
installClients();
unpackDaemons();
const done = spawnSync(pinnedNode(), ["node_modules/vitest/vitest.mjs", "run", "--config", "test/compat/vitest.config.ts", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exit(done.status ?? 1);
