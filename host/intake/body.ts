import type { IncomingMessage } from "node:http";
import { Refused } from "./exchange.ts";
import { tooLarge } from "./unpack.ts";

/** Bytes of all bodies in memory. What does not fit is told to come again, so memory has a bound at any load. */
export class ByteBudget {
  readonly #most: number;
  #used = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Throws `full` when there is no room. */
  take(bytes: number): void {
    if (this.#used + bytes > this.#most) throw new Refused("full", "more bodies are being read than fit");
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }

  get used(): number {
    return this.#used;
  }
}

/** The other end went away; there is nobody to answer. */
export class Gone extends Error {}

export interface BodyLimits {
  /** Of the body as it comes, packed or not. */
  readonly bytes: number;
  /** From now to its last byte. */
  readonly timeMs: number;
  readonly budget: ByteBudget;
}

/** Length the sender promised; undefined when it sends in chunks. */
export function declaredLength(request: IncomingMessage): number | undefined {
  const text = request.headers["content-length"];
  if (text !== undefined) return Number(text);
  return request.headers["transfer-encoding"] === undefined ? 0 : undefined;
}

/**
 * Reads a body to its end. What it took from the budget is given back by the caller, who knows when the bytes are done with.
 *
 * Throws `too-large`, `timeout`, `full`, or `Gone`; then the rest has not been read.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits, taken: (bytes: number) => void): Promise<Buffer> {
  const declared = declaredLength(request);
  if (declared !== undefined && declared > limits.bytes) throw tooLarge(limits.bytes);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Refused("timeout", "the body did not come in time")), limits.timeMs);
    const stop = (): void => {
      clearTimeout(timer);
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
      request.off("error", onClose);
      // A late fault of the socket is nobody's business any more.
      request.on("error", () => {});
    };
    const fail = (error: Error): void => {
      stop();
      request.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      if (size + chunk.length > limits.bytes) return fail(tooLarge(limits.bytes));
      try {
        limits.budget.take(chunk.length);
      } catch (error) {
        return fail(error as Error);
      }
      taken(chunk.length);
      size += chunk.length;
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      // Always a copy of our own: decoders write into it.
      resolve(Buffer.concat(chunks, size));
    };
    const onClose = (): void => fail(new Gone("the connection was closed before the body had come"));
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onClose);
    request.on("error", onClose);
  });
}
