import { fstatSync, writeSync } from "node:fs";

const STDOUT = 1;
const STDERR = 2;
/** A pipe that others have made non-blocking says so when it is full. */
const FULL_MS = 2;

/** Standard output, without Node's streams: loading these takes longer than printing a few signals. Ends quietly when the reader has seen enough. */
export function print(text: string): void {
  write(STDOUT, text);
}

/** Standard error, likewise. */
export function tell(text: string): void {
  write(STDERR, text);
}

/** May standard error be a terminal? Told without loading what terminals need. */
export function mayBeTerminal(): boolean {
  try {
    return fstatSync(STDERR).isCharacterDevice();
  } catch {
    return false;
  }
}

function write(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
      else process.exit(code === "EPIPE" && descriptor === STDOUT ? 0 : 2);
    }
  }
}
