import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "./package-folder.ts";
import { UsageError } from "./problems.ts";

/** `vespid bench`: the numbers of the README. The programs that make them stand in a clone, not in the package. */
export async function bench(rest: readonly string[], options: { readonly peers?: boolean }): Promise<number> {
  const script = ["bench/run.mjs", "bench/run.ts", "tools/bench.mjs"].map((file) => join(packageFolder(), file)).find(existsSync);
  if (!script) throw new UsageError("bench runs in a clone of the repository: git clone it, npm ci, npm run build, then npm run bench");
  const child = spawn(process.execPath, [script, ...(options.peers ? ["--peers"] : []), ...rest], { stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 2));
  });
}
