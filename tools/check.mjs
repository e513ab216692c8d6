import { spawnSync } from "node:child_process";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

build();
const steps = [
  ["types", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"]],
  ["types of the pages", ["node_modules/typescript/bin/tsc", "-p", "web"]],
  ["types of their tests", ["node_modules/typescript/bin/tsc", "-p", "test/web"]],
  ["lint", ["node_modules/oxlint/bin/oxlint", "host", "test", "bench", "tools", "web"]],
  ["tests", ["node_modules/vitest/vitest.mjs", "run"]],
  ["bench", ["bench/run.ts", "--short"]],
];
for (const [name, args] of steps) {
  process.stderr.write(`${name}\n`);
  const done = spawnSync(pinnedNode(), args, { cwd: root, stdio: "inherit" });
  if (done.status !== 0) process.exit(done.status ?? 1);
}
