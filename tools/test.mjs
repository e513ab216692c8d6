import { spawnSync } from "node:child_process";
import { ensureBrowser } from "./browser.mjs";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

build();
ensureBrowser();
const done = spawnSync(pinnedNode(), ["node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exit(done.status ?? 1);
