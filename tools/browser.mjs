// The browser that tests of the pages drive: one that is there, or Debian's, installed where that can be done.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Undefined where there is none. VESPID_CHROMIUM names another one. */
export function chromiumPath() {
  return [process.env.VESPID_CHROMIUM, ...PLACES].find((path) => path && existsSync(path));
}

/** Debian's packages are only installed by root, and not where somebody asked for no browser (VESPID_CHROMIUM=none). */
export function ensureBrowser() {
  if (chromiumPath() || process.env.VESPID_CHROMIUM || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const start = Date.now();
  process.stderr.write("installing Chromium for the tests of the pages ... ");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"], { env, encoding: "utf8" });
  let done = install();
  if (done.status !== 0) {
    spawnSync("apt-get", ["update"], { env, encoding: "utf8" });
    done = install();
  }
  process.stderr.write(chromiumPath() ? `${((Date.now() - start) / 1000).toFixed(1)} s\n` : `failed: ${done.stderr.trim().split("\n").at(-1)}\ntests of the pages are left out\n`);
}
