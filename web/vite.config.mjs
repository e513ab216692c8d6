import { join } from "node:path";
import { defineConfig } from "vite";

/** What the engine asks of Node, where a page's worker runs it. */
const withoutNode = { name: "without-node", enforce: "pre", resolveId: (id) => (/^node:(?:buffer|crypto|module)$/.test(id) ? join(import.meta.dirname, "../host/engine/browser/node.ts") : null) };

export default defineConfig({
  root: import.meta.dirname,
  // Pages have addresses of many depths, so files are asked for from one place.
  base: "/web/",
  worker: { format: "es", plugins: () => [withoutNode] },
  build: { outDir: "../dist/web", emptyOutDir: true, assetsDir: ".", target: "es2023", modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 1000 },
});
