import { spawnSync } from "node:child_process";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

build();
const options = process.argv.slice(2);
const program = options.includes("--all-rules") ? "bench/all-rules.ts" : options.includes("--process") ? "bench/process.ts" : options.includes("--pipelines") ? "bench/pipelines.ts" : options.includes("--methods") ? "bench/methods.ts" : options.includes("--intake") ? "bench/intake.ts" : options.includes("--history") ? "bench/history.ts" : options.includes("--serve") ? "bench/serve.ts" : options.includes("--signals") ? "bench/signals.ts" : "bench/run.ts";
const done = spawnSync(pinnedNode(), [program, ...options], { cwd: root, stdio: "inherit" });
process.exit(done.status ?? 1);
