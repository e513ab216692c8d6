// Loaded before a server that is to die: node --import haste.ts host/cli/main.ts serve ...
// Whatever it does from time to time comes ten times as often, so that a kill finds checkpoints and stores under way; and with
// VESPID_DIE_AT=N:WHEN it kills itself at its Nth call to the disk or the database, before that call or after it, or in its midst.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";

const HASTE = 10;
const everyMs = globalThis.setInterval;
globalThis.setInterval = ((work: () => void, ms: number) => everyMs(work, ms / HASTE)) as typeof setInterval;

const [at = "0", when = "before"] = (process.env.VESPID_DIE_AT ?? "0").split(":");
let left = Number(at);

function die(): never {
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error("still alive");
}

type Call = (...args: unknown[]) => unknown;

/** Dies around a call whose turn it is; `half` does a part of it. */
function deadly(call: Call, half?: Call): Call {
  return function (this: unknown, ...args) {
    if (left === 0 || --left > 0) return call.apply(this, args);
    if (when === "before") return die();
    const done = when === "midst" && half ? half.apply(this, args) : call.apply(this, args);
    return done instanceof Promise ? done.then(die, die) : die();
  };
}

function replace(owner: object, name: string, half?: (call: Call) => Call): void {
  const methods = owner as Record<string, Call>;
  const call = methods[name]!;
  methods[name] = deadly(call, half?.(call));
}

if (left > 0) {
  for (const name of ["renameSync", "fsyncSync"]) replace(fs, name);
  replace(fs, "writeSync", (call) => (file, bytes) => call(file, (bytes as Uint8Array).subarray(0, (bytes as Uint8Array).length >> 1)));
  for (const name of ["rename", "unlink"]) replace(fs.promises, name);
  const probe = await fs.promises.open("/dev/null", "r");
  const handle = Object.getPrototypeOf(probe) as object;
  await probe.close();
  replace(handle, "write", (call) => function (this: unknown, bytes, offset, length, position) {
    return call.call(this, bytes, offset, (length as number) >> 1, position);
  });
  for (const name of ["datasync", "sync"]) replace(handle, name);
  replace(DatabaseSync.prototype, "exec");
  syncBuiltinESMExports();
}
