import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Variant = "simd" | "scalar";
export const variants: readonly Variant[] = ["simd", "scalar"];

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const LOCK_STALE_MS = 180_000;

function newestMs(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith(".ts")) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

function isFresh(outFile: string): boolean {
  return existsSync(outFile) && statSync(outFile).mtimeMs > newestMs(join(root, "assembly"));
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Runs `work` while holding a lock file, so that parallel test workers compile once. */
function withLock(lockFile: string, work: () => void): void {
  for (;;) {
    try {
      closeSync(openSync(lockFile, "wx"));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      try {
        if (Date.now() - statSync(lockFile).mtimeMs > LOCK_STALE_MS) rmSync(lockFile, { force: true });
      } catch {
        // The holder has just released it.
      }
      sleep(50);
    }
  }
  try {
    work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function compile(entry: string, variant: Variant, outFile: string): void {
  const started = new Date();
  const temporary = `${outFile}.${process.pid}.tmp`;
  const features = variant === "simd"
    ? ["--enable", "simd", "--enable", "threads", "--enable", "bulk-memory"]
    : ["--disable", "simd", "--enable", "threads", "--enable", "bulk-memory"];
  execFileSync(process.execPath, [
    join(root, "node_modules/assemblyscript/bin/asc.js"), join("..", entry), "-o", temporary, "-O3", "--noAssert", "--runtime", "stub",
    "--importMemory", "--noExportMemory", "--sharedMemory", "--initialMemory", "4", "--maximumMemory", "65536", "--use", "abort=",
    ...features,
    // Away from asconfig.json, whose entry would be compiled in as well.
  ], { cwd: join(root, "assembly"), stdio: ["ignore", "pipe", "pipe"] });
  // A source edited while the compiler ran is newer than this build.
  utimesSync(temporary, started, started);
  renameSync(temporary, outFile);
}

const modules = new Map<string, WebAssembly.Module>();

/**
 * The compiled kernel of one variant; built into `build/` first when a source under `assembly/` is newer.
 *
 * A room whose neighbours are broken gives its own `entry`, such as `assembly/extract/index.ts`.
 */
export function loadKernel(variant: Variant, entry = "assembly/index.ts"): WebAssembly.Module {
  const name = entry === "assembly/index.ts" ? "vespid" : `vespid-${entry.replace(/^assembly\//, "").replace(/(\/index)?\.ts$/, "").replaceAll("/", "-")}`;
  const outFile = join(root, "build", `${name}.${variant}.wasm`);
  const known = modules.get(outFile);
  if (known) return known;
  mkdirSync(dirname(outFile), { recursive: true });
  if (!isFresh(outFile)) {
    withLock(`${outFile}.lock`, () => {
      if (!isFresh(outFile)) compile(entry, variant, outFile);
    });
  }
  const module = new WebAssembly.Module(readFileSync(outFile));
  modules.set(outFile, module);
  return module;
}
