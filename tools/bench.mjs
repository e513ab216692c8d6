import { spawnSync } from "node:child_process";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

build();
const options = process.argv.slice(2);
const kinds = ["all-rules", "process", "pipelines", "intel", "methods", "intake", "history", "serve", "signals", "pages"];
const program = `bench/${kinds.find((kind) => options.includes(`--${kind}`)) ?? "run"}.ts`;
const done = spawnSync(pinnedNode(), [program, ...options], { cwd: root, stdio: "inherit" });
process.exit(done.status ?? 1);
