import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
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
  if (!compiled.size) keepWrappers();
  if (!module) compiled.set(variant, (module = new WebAssembly.Module(new Uint8Array(readFileSync(kernelFile(variant))))));
  return module;
}

/**
 * Says that no call between the kernels and JavaScript is worth code of its own. The V8 of Node 24 ends the process now and then when
 * several threads have just given the same import such code: one frees what another's list does not know (WasmImportWrapperCache::Free).
 * Kernels ask the host in rare cases only, and exports are called for batches, so that the twenty nanoseconds more a call do not show.
 */
function keepWrappers(): void {
  setFlagsFromString("--wasm-wrapper-tiering-budget=1000000000");
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
