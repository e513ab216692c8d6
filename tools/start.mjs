import { spawnSync } from "node:child_process";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

build();
process.stdout.write("\nSearching the bundled logs (two hours of sign-ins, web requests and cloud calls) with the bundled rules:\n\n");
const done = spawnSync(pinnedNode(), ["bin/vespid.mjs", "run", "--rules", "fixtures/demo/rules", "fixtures/demo/logs"], { cwd: root, stdio: "inherit" });
if (done.status !== 0) process.exit(done.status ?? 1);
process.stdout.write(`
What to do next:
  your own logs      npm run -s vespid -- run --rules fixtures/demo/rules YOUR.ndjson
  why a rule runs    npm run -s vespid -- rules explain fixtures/demo/rules
  check rules        npm run -s vespid -- rules test fixtures/demo/rules
  search like grep   npm run -s vespid -- match 'source:auth @evt.outcome:failure' fixtures/demo/logs/auth.ndjson --count
  the proof          npm test
`);
