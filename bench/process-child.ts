import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** What a program of its own process said and took. */
export interface Measured {
  readonly stdout: string;
  readonly stderr: string;
  /** User and system time of all its threads, starting and ending included. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

const usage = join(import.meta.dirname, "process-usage.mjs");

/** Runs a Node program to its end; throws with what it said when it fails. */
export async function runProgram(args: readonly string[], stdin?: Iterable<string>): Promise<Measured> {
  const child = spawn(process.execPath, ["--import", usage, ...args], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
  const texts = [child.stdout, child.stderr, child.stdio[3] as Readable].map(collect);
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  child.stdin.on("error", () => {}); // it may end before it has read all; its code tells
  for (const chunk of stdin ?? []) if (!child.stdin.write(chunk)) await roomIn(child.stdin);
  child.stdin.end();
  const code = await ended;
  const [stdout = "", stderr = "", taken = ""] = await Promise.all(texts);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
  return { stdout, stderr, ...(JSON.parse(taken) as { cpuMs: number; rssBytes: number }) };
}

/** Resolves when a stream takes more, or will take no more at all. */
function roomIn(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
