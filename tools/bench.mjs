import { spawnSync } from "node:child_process";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

build();
const done = spawnSync(pinnedNode(), ["bench/run.ts", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exit(done.status ?? 1);
