import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { IntakeSink } from "../../host/intake/contract.ts";
import { Tail, type TailOptions } from "../../host/intake/tail.ts";

const running: Tail[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const tail of running.splice(0)) await tail.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vespid-tail-"));
  folders.push(folder);
  return folder;
}

/** A tail that is stopped when the test ends; quick to look, for tests. */
export async function follow(sink: IntakeSink, options: TailOptions): Promise<Tail> {
  const tail = new Tail({ pollMs: 30, graceMs: 60, quietMs: 60, onError: (error) => { throw error; }, ...options }, sink);
  running.push(tail);
  await tail.start();
  return tail;
}
