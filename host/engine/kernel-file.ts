import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Variant } from "./kernel.ts";

const compiled = new Map<Variant, WebAssembly.Module>();

/** The kernel module of a variant, compiled once a process; a module may be handed to worker threads. */
export function compileKernel(variant: Variant): Promise<WebAssembly.Module> {
  // A quarter of a megabyte: read and compiled here, as its functions are when they are called, it is there before another thread had begun.
  return new Promise((resolve) => resolve(compileKernelNow(variant)));
}

/** The same for callers that cannot wait. */
export function compileKernelNow(variant: Variant): WebAssembly.Module {
  let module = compiled.get(variant);
  if (!module) compiled.set(variant, (module = new WebAssembly.Module(new Uint8Array(readFileSync(kernelFile(variant))))));
  return module;
}

function kernelFile(variant: Variant): string {
  const name = `vespid.${variant}.wasm`;
  // Beside the built host (`dist/`), or where a clone builds it.
  for (const place of [`../../${name}`, `../../build/${name}`, `../../../build/${name}`]) {
    const file = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new Error(`${name} is not built; run "npm run build"`);
}
