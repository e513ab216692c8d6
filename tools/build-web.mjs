// The web pages as files that the server hands out: bundled, then packed once, here, as hard as it goes. Prints what each kind weighs.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import { root } from "./build.mjs";

const folder = join(root, "dist/web");
await build({ configFile: join(root, "web/vite.config.mjs"), logLevel: "warn" });
const sizes = {};
for (const name of readdirSync(folder, { recursive: true }).filter((each) => /\.(?:html|js|css|svg|json|wasm)$/.test(each))) {
  const bytes = readFileSync(join(folder, name));
  const gzip = gzipSync(bytes, { level: 9 });
  writeFileSync(join(folder, `${name}.gz`), gzip);
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
  sizes[name] = { bytes: bytes.length, gzip: gzip.length };
}
writeFileSync(join(folder, "sizes.json"), `${JSON.stringify(sizes, undefined, 1)}\n`);
writeFileSync(join(folder, ".built"), "");
