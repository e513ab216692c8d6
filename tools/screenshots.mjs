// Pictures of every page, dark and light, over a served Vespid with the bundled attacks: npm run screenshots -- FOLDER
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { ensureBrowser } from "./browser.mjs";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

const folder = resolve(process.argv[2] ?? "build/screenshots");
build();
ensureBrowser();
const done = spawnSync(pinnedNode(), ["node_modules/vitest/vitest.mjs", "run", "test/web/every-page.test.ts"], { cwd: root, stdio: "inherit", env: { ...process.env, VESPID_SCREENSHOTS: folder } });
process.stderr.write(`pictures in ${folder}\n`);
process.exit(done.status ?? 1);
