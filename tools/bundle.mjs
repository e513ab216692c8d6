// The command line in few files: finding and reading a hundred small ones takes longer than a small run. The library keeps its own.
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const at = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));
const packages = ["apache-arrow", "piscina", "re2js", "yaml"];
const bundle = await rolldown({ input: { main: at("host/cli/main.js"), worker: at("host/engine/worker.js") }, platform: "node", external: packages });
await bundle.write({ dir: at("bundle"), format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" });
