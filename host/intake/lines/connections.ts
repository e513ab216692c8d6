import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { IntakeKeys } from "../contract.ts";
import type { Batching } from "./batching.ts";
import { MessageFraming } from "./framing.ts";
import { MessageReader } from "./message.ts";
import { type LineCounts, reject, type StreamOptions, takeMessage } from "./stream.ts";

const HANDSHAKE_MS = 10_000;

/** PEM files, or PEM text itself. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  /** Authorities of senders' certificates; senders without one are refused. */
  readonly clientCa?: string;
}

export interface ConnectionOptions extends StreamOptions {
  readonly tls?: TlsOptions;
  readonly maxConnections: number;
  /** A connection that has been silent this long is closed; pauses of our own do not count. */
  readonly idleMs: number;
  readonly limitBytes: number;
}

/** Takes lines over TCP, or over TLS when there are certificates. A socket is paused while the batching is full. */
export class LineConnections {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: ConnectionOptions;
  readonly #batching: Batching;
  readonly #keys: IntakeKeys;
  readonly #counts: LineCounts;

  constructor(options: ConnectionOptions, batching: Batching, keys: IntakeKeys, counts: LineCounts) {
    this.#options = options;
    this.#batching = batching;
    this.#keys = keys;
    this.#counts = counts;
    const take = (socket: Socket): void => this.#take(socket);
    this.#server = options.tls ? createTlsServer({ ...tlsSettings(options.tls), handshakeTimeout: HANDSHAKE_MS, pauseOnConnect: false }, take) : createServer(take);
    this.#server.maxConnections = options.maxConnections;
    this.#server.on("drop", () => reject(counts, "too-many-connections"));
    this.#server.on("tlsClientError", (_error, socket) => {
      reject(counts, "tls-handshake");
      socket.destroy();
    });
  }

  /** @returns the port listened on. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, refuse) => {
      this.#server.once("error", refuse);
      this.#server.listen(port, host, () => {
        this.#server.off("error", refuse);
        // A fault of one accept, such as too many open files, ends nothing.
        this.#server.on("error", () => reject(this.#counts, "accept-failed"));
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** No further connections; open ones are told so, and cut after `graceMs`. What they had sent until then is taken. */
  async close(graceMs: number): Promise<void> {
    // The server counts a connection as closed before the connection itself has said so.
    const closed = Promise.all([
      new Promise<void>((resolve) => void this.#server.close(() => resolve())),
      ...[...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()))),
    ]);
    for (const socket of this.#sockets) socket.end();
    const cut = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), graceMs);
    await closed;
    clearTimeout(cut);
  }

  #take(socket: Socket): void {
    const { partition, needsKey, limitBytes, idleMs } = this.#options;
    this.#sockets.add(socket);
    this.#counts.requests++;
    const stream = partition(socket.remoteAddress ?? "");
    const reader = new MessageReader(this.#keys, needsKey);
    let isRefused = false;
    const framing = new MessageFraming(limitBytes, (bytes, truncated) => {
      if (isRefused) return;
      // Who has no key gets no second guess over the same connection.
      if (!takeMessage(bytes, truncated, reader, stream, this.#options, this.#batching, this.#counts)) {
        isRefused = true;
        socket.destroy();
      }
    });
    socket.on("data", (chunk: Buffer) => {
      this.#counts.bytes += chunk.length;
      this.#counts.unpackedBytes += chunk.length;
      framing.push(chunk);
      if (!this.#batching.isFull || socket.destroyed) return;
      socket.pause();
      this.#counts.pauses++;
      this.#batching.whenRoom(() => socket.resume());
    });
    socket.setTimeout(idleMs, () => {
      if (socket.isPaused()) return;
      reject(this.#counts, "idle-connection");
      socket.destroy();
    });
    socket.on("error", () => reject(this.#counts, "connection-failed"));
    socket.on("close", () => {
      framing.end();
      this.#sockets.delete(socket);
    });
  }
}

function tlsSettings({ cert, key, clientCa }: TlsOptions): object {
  const pem = (value: string): string | Buffer => (value.includes("-----BEGIN") ? value : readFileSync(value));
  return { cert: pem(cert), key: pem(key), minVersion: "TLSv1.2", ...(clientCa ? { ca: pem(clientCa), requestCert: true, rejectUnauthorized: true } : {}) };
}
