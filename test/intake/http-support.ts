import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { EventReader } from "../../host/event/made.ts";
import type { IntakeBatch, IntakeSink, Refusal, RejectedRecord } from "../../host/intake/contract.ts";
import { objectsSideBySide } from "../../host/intake/json-scan.ts";
import { hashKey, intakeKeys } from "../../host/intake/keys.ts";
import { type IntakeOptions, IntakeServer } from "../../host/intake/server.ts";

/** Keeps what it was given, copied, as a journal would. */
export class CollectingSink implements IntakeSink {
  readonly batches: IntakeBatch[] = [];
  refusal: Refusal | undefined;
  /** Refuses these before it takes any. */
  readonly refuseNext: Refusal[] = [];
  calls = 0;

  async accept(batches: readonly IntakeBatch[]): Promise<Refusal | undefined> {
    this.calls++;
    await Promise.resolve();
    const refusal = this.refuseNext.shift();
    if (refusal) return refusal;
    this.batches.push(...batches.map((batch) => ({ ...batch, bytes: Uint8Array.from(batch.bytes) })));
    return undefined;
  }

  /** Events as detection would see them, in order. */
  get events(): LogEvent[] {
    return this.batches.flatMap(eventsOf);
  }
}

export function eventsOf({ profile, bytes, arrivalMs }: IntakeBatch): LogEvent[] {
  const reader = new EventReader();
  const body = Buffer.from(bytes);
  if (profile.format === "text" || profile.format === "syslog") {
    return body.toString().split("\n").filter((line) => line.trim() !== "").map((line) => reader.event(Buffer.from(line.replace(/\r$/, "")), profile, arrivalMs));
  }
  return body.toString().split("\n").flatMap((line) => {
    const bytesOfLine = Buffer.from(line);
    const { spans, after } = objectsSideBySide(bytesOfLine, 0, bytesOfLine.length);
    if (after < bytesOfLine.length) throw new Error(`not a record: ${line}`);
    return Array.from({ length: spans.count }, (_, i) => reader.event(bytesOfLine.subarray(spans.start(i), spans.end(i)), profile, arrivalMs));
  });
}

/** 2026-03-01T10:00:00Z */
export const ARRIVAL_MS = 1_772_359_200_000;
export const KEY = "k-test";

export interface Running {
  readonly server: IntakeServer;
  readonly sink: CollectingSink;
  readonly rejected: Array<{ readonly input: string; readonly record: RejectedRecord }>;
  readonly faults: unknown[];
  readonly port: number;
}

/** An intake on a free port, closed when the test is over. */
export async function startIntake(options: Partial<IntakeOptions> = {}): Promise<Running> {
  const sink = new CollectingSink();
  const rejected: Running["rejected"] = [];
  const faults: unknown[] = [];
  const server = new IntakeServer({
    sink,
    keys: intakeKeys([hashKey(KEY)]),
    nowMs: () => ARRIVAL_MS,
    onRejected: (input, record) => void rejected.push({ input, record }),
    onFault: (_, error) => void faults.push(error),
    ...options,
    limits: { drainMs: 200, ...options.limits },
  });
  const { port } = await server.start();
  onTestFinished(() => server.close());
  return { server, sink, rejected, faults, port };
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  readonly json: any;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Of this machine's loopback addresses. */
  readonly from?: string;
}

/** One request on a connection of its own. */
export async function send(port: number, path: string, { method, headers, body, from }: Sent = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", localAddress: from, path, method: method ?? (body === undefined ? "GET" : "POST"), headers: { ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }), ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve(answered(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function answered(status: number, headers: IncomingHttpHeaders, body: Buffer): Answered {
  const text = body.toString();
  return {
    status, headers, body, text,
    get json() {
      return JSON.parse(text) as unknown;
    },
  };
}

/** Bytes on a socket as they are, and all that came back until the other side closed or `until` was in it. */
export async function sendRaw(port: number, parts: ReadonlyArray<string | Uint8Array>, until?: string | RegExp, pauseMs = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const done = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (until !== undefined && (typeof until === "string" ? text.includes(until) : until.test(text))) done();
    });
    socket.on("close", done);
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" || error.code === "EPIPE" ? done() : reject(error)));
    socket.on("connect", async () => {
      for (const part of parts) {
        if (socket.destroyed) return;
        socket.write(part);
        if (pauseMs) await new Promise((next) => setTimeout(next, pauseMs));
      }
    });
  });
}

export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
