import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./problems.ts";

/** Longest line that is taken for a password. */
const MOST_CHARS = 4096;

/**
 * A new password: asked for twice where somebody sits at a terminal, without showing it; else the first line of standard input.
 * Never an argument: those stand in lists of processes and in the shell's history.
 */
export async function readNewPassword(): Promise<string> {
  if (process.stdin.isTTY !== true) return await firstLine();
  const first = await asked("Password: ");
  if (first !== (await asked("Once more: "))) throw new UsageError("the two differ; nothing was changed");
  return first;
}

async function asked(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  const line = createInterface({ input: process.stdin, output: new Writable({ write: (_part, _encoding, done) => done() }), terminal: true });
  try {
    return await line.question("");
  } finally {
    line.close();
    process.stderr.write("\n");
  }
}

async function firstLine(): Promise<string> {
  let text = "";
  for await (const part of process.stdin.setEncoding("utf8")) {
    text += String(part);
    if (text.includes("\n") || text.length > MOST_CHARS) break;
  }
  const [line = ""] = text.split("\n", 1);
  if (line === "") throw new UsageError("no password came on standard input");
  return line.replace(/\r$/, "");
}
