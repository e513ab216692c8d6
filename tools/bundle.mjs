// The command line as one file, with the code V8 has made of it: finding, reading and compiling a hundred small ones takes longer
// than a small run. The library keeps its own files.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const packages = ["apache-arrow", "csv-parse", "csv-parse/sync", "fastify", "fflate", "jose", "mmdb-lib", "piscina", "re2js", "typebox", "typebox/compile", "yaml"];

const worker = await rolldown({ input: { worker: at("dist/host/engine/worker.js"), "history-worker": at("dist/host/history/history-worker.js"), "feeds-worker": at("dist/host/enrich/feeds-worker.js"), "geoip-worker": at("dist/host/enrich/geoip-worker.js"), "signal-worker": at("dist/host/signal-search/signal-worker.js") }, platform: "node", external: packages });
await worker.write({ dir: at("dist/bundle"), format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" });

/** Under names that nothing else has, so that they are found again in what comes out. */
const apart = {
  name: "apart",
  resolveId: (id) => (id.startsWith("node:") || packages.includes(id) ? { id: `apart-${id}`, external: true } : null),
};
const main = await rolldown({ input: at("dist/host/cli/main.js"), platform: "node", plugins: [apart] });
const { output: [{ code }] } = await main.generate({ format: "cjs", codeSplitting: false, comments: false });
// Text of one byte a character is read without being looked through.
writeFileSync(at("dist/bundle/main.cjs"), lazily(code).replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`));

// What a run needs is compiled once, here; `bin/vespid.mjs` keeps what V8 made of it beside the bundle.
const run = spawnSync(process.execPath, [at("bin/vespid.mjs"), "run", "--json", "--rules", at("fixtures/demo/rules"), at("fixtures/demo/logs")], { encoding: "utf8" });
if (run.status !== 0) throw new Error(`the bundle does not run: ${run.stderr}`);

/** Modules are loaded when they are first used: most runs need few of them, and some take milliseconds. */
function lazily(text) {
  const modules = [];
  let body = text.replace(/^let (apart_\w+) = require\("apart-([^"]+)"\);\n(?:\1 = __toESM\(\1(?:, 1)?\);\n)?/gm, (_, name, from) => {
    modules.push(`let ${name}$; const ${name} = () => ${name}$ ??= require(${JSON.stringify(from)});`);
    return "";
  });
  // The brackets keep a class from being taken for what its module is called with.
  body = body.replace(/\bnew (apart_\w+)(?:\.default\b|(\.\w+))/g, "new ($1()$2)").replace(/\b(apart_\w+)(?:\.default\b|(?=\.))/g, "$1()").replaceAll('require("url").pathToFileURL(__filename).href', "$here()");
  const unknown = body.match(/.*\bapart_\w+\b(?!\(\)).*|.*\brequire\(.*/);
  if (unknown) throw new Error(`a module is used in a way the bundle does not know: ${unknown[0].trim()}`);
  return ['let $place; const $here = () => $place ??= require("node:url").pathToFileURL(__filename).href;', ...modules, body].join("\n");
}
