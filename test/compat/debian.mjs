// Debian's log daemons, taken from the machine or unpacked beside the build: nothing is installed on the machine.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "build", "compat");
const MINUTE_MS = 60_000;

/** Packages by the name of what they hold. */
export const daemons = {
  rsyslog: { packages: ["rsyslog", "rsyslog-elasticsearch"], program: "rsyslogd", modules: "rsyslog", needs: "omelasticsearch.so" },
  "syslog-ng": { packages: ["syslog-ng-core", "syslog-ng-mod-http"], program: "syslog-ng", modules: "syslog-ng", needs: "libhttp.so" },
};

function modulesBelow(root, { modules, needs }) {
  const top = join(root, "usr", "lib");
  if (!existsSync(top)) return undefined;
  const found = readdirSync(top, { recursive: true }).find((path) => path.endsWith(`/${needs}`) && path.includes(`${modules}/`));
  return found && join(top, dirname(found));
}

/** Where a daemon is, and what it needs to run from there; undefined when it is nowhere. */
export function debianProgram(name) {
  const daemon = daemons[name];
  const root = join(folder, name);
  const unpacked = join(root, "usr", "sbin", daemon.program);
  const own = existsSync(unpacked) && modulesBelow(root, daemon);
  if (own) {
    const libraries = readdirSync(root, { recursive: true }).filter((path) => /\.so(?:\.|$)/.test(path)).map((path) => join(root, dirname(path)));
    return { path: unpacked, modules: own, env: { LD_LIBRARY_PATH: [...new Set(libraries)].join(":") } };
  }
  const path = ["/usr/sbin", "/usr/bin"].map((place) => join(place, daemon.program)).find((each) => existsSync(each));
  return path && modulesBelow("/", daemon) ? { path, modules: undefined, env: {} } : undefined;
}

/** Unpacks a daemon's packages, and what they need beyond what is installed. @returns why it could not be. */
export function fetchDebian(name) {
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status !== 0) return "there is no apt-get";
  const root = join(folder, name);
  const archives = join(folder, `${name}-packages`);
  mkdirSync(join(archives, "partial"), { recursive: true });
  const quick = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"];
  const download = () => spawnSync("apt-get", ["install", "--yes", "--no-install-recommends", "--download-only", "-o", `Dir::Cache::archives=${archives}`, "-o", "Debug::NoLocking=1", ...quick, ...daemons[name].packages], { encoding: "utf8", timeout: 2 * MINUTE_MS });
  let fetched = download();
  if (fetched.status !== 0 && process.env.CI) {
    // A fresh machine knows no packages yet, or those of long ago. Nobody's own machine is told to look again.
    spawnSync("apt-get", ["update", ...quick], { stdio: "ignore", timeout: 2 * MINUTE_MS });
    fetched = download();
  }
  const archived = readdirSync(archives).filter((file) => file.endsWith(".deb"));
  if (fetched.status !== 0 || archived.length === 0) return (fetched.stderr || "no package came").trim().split("\n").at(-1);
  for (const file of archived) {
    const unpacked = spawnSync("dpkg-deb", ["--extract", join(archives, file), root], { encoding: "utf8" });
    if (unpacked.status === 0) continue;
    rmSync(root, { recursive: true, force: true });
    return unpacked.stderr?.trim() || "dpkg-deb is not there";
  }
  rmSync(archives, { recursive: true, force: true });
  return undefined;
}
