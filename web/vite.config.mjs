import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // Pages have addresses of many depths, so files are asked for from one place.
  base: "/web/",
  build: { outDir: "../dist/web", emptyOutDir: true, assetsDir: ".", target: "es2023", modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 1000 },
});
