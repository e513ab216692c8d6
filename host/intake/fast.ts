import type { Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Answer, RequestHead } from "./exchange.ts";
import { type Handle, LaneConnection, type LaneContext, type LaneVisit } from "./fast/connection.ts";
import { readHead } from "./fast/head.ts";
import { type BodyMemory, BodyPool } from "./fast/memory.ts";

export type { Abandoned, LaneVisit } from "./fast/connection.ts";
export { type BodyMemory, BodyPool } from "./fast/memory.ts";

export interface FastLaneOptions {
  /** Takes every connection that asks for anything else, with all that came over it. It need not listen itself. */
  readonly server: HttpServer;
  /** Asked when a head is there. */
  readonly visit: (head: RequestHead, length: number) => LaneVisit;
  /** Default `/api/v2/logs`. */
  readonly path?: string;
  /** Where bodies are read to; default a pool of 256 MiB. */
  readonly memory?: BodyMemory;
  /** Longest body; longer ones are the full server's to refuse. Default 5 MiB. */
  readonly bodyBytes?: number;
  /** Longest head; default 8 KiB. */
  readonly headBytes?: number;
  readonly connections?: number;
  readonly headMs?: number;
  readonly bodyMs?: number;
  readonly idleMs?: number;
  /** How often the three times above are looked at; default 1000. */
  readonly sweepMs?: number;
  /** Epoch milliseconds of arrival, for events; default Date.now. */
  readonly nowMs?: () => number;
}

const noRoom: Answer = { status: 429, body: '{"errors":[{"status":"429","title":"Too Many Requests","detail":"more bodies are being read than fit"}]}', headers: { "retry-after": "1" } };

/**
 * Listens in front of a node:http server. A plain POST of logs with Content-Length is read by the system straight into the memory
 * it is handed on in; everything else, at any point of a connection, goes to the server behind.
 */
export class FastLane {
  readonly #options: FastLaneOptions;
  readonly #server: Server;
  readonly #lanes = new Set<LaneConnection>();
  readonly #others = new Set<Socket>();
  readonly #context: LaneContext;
  #sweep: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** Connections that were the full server's from their first request, and that became so later. */
  handedOver = 0;

  constructor(options: FastLaneOptions) {
    this.#options = options;
    this.#context = {
      path: options.path ?? "/api/v2/logs",
      memory: options.memory ?? new BodyPool(256 * 1024 * 1024),
      headBytes: options.headBytes ?? 8 * 1024,
      bodyBytes: options.bodyBytes ?? 5 * 1024 * 1024,
      headMs: options.headMs ?? 10_000,
      bodyMs: options.bodyMs ?? 30_000,
      idleMs: options.idleMs ?? 75_000,
      nowMs: options.nowMs ?? Date.now,
      clockMs: () => performance.now(),
      visit: options.visit,
      noRoom,
      handOver: (stream) => {
        this.handedOver++;
        options.server.emit("connection", stream);
      },
      onClose: () => {},
      isClosing: () => this.#isClosing,
    };
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket));
    this.#server.maxConnections = options.connections ?? 4096;
  }

  /** The listening server, for its events. */
  get server(): Server {
    return this.#server;
  }

  get connections(): number {
    return this.#lanes.size;
  }

  /** @returns the port listened on. Throws what the system says when it cannot. */
  listen(port: number, host: string): Promise<number> {
    // The server behind watches over slow senders once it believes to listen.
    if (!this.#options.server.listening) this.#options.server.emit("listening");
    this.#sweep = setInterval(() => this.#sweepLanes(), this.#options.sweepMs ?? 1000).unref();
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no more connections, lets requests under way be answered, and cuts what is left after `withinMs`. The server behind is its owner's to close. */
  async close(withinMs = 10_000): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#sweep);
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const lane of this.#lanes) if (lane.isIdle) lane.destroy();
    const cut = setTimeout(() => {
      for (const each of [...this.#lanes, ...this.#others]) each.destroy();
    }, withinMs);
    this.#options.server.closeIdleConnections();
    await closed;
    clearTimeout(cut);
  }

  /** The first bytes say which server it is for. Until then it is a connection as any other. */
  #take(socket: Socket): void {
    if (socket.destroyed) return;
    socket.setTimeout(this.#context.headMs, () => socket.destroy());
    socket.on("error", () => {});
    socket.once("data", (first: Buffer) => {
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      const head = readHead(first);
      if (!canReadDirectly() || head === "other" || first.length > this.#context.headBytes + this.#context.bodyBytes || (typeof head === "object" && head.path !== this.#context.path)) {
        this.#pass(socket, first);
        return;
      }
      const peer = socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
      const lane: LaneConnection = new LaneConnection(detach(socket), first, peer, {
        ...this.#context,
        onClose: () => {
          this.#lanes.delete(lane);
          // Only now is the connection one less for the server that counts it.
          socket.destroy();
        },
      });
      this.#lanes.add(lane);
    });
  }

  #pass(socket: Socket, first: Buffer): void {
    this.handedOver++;
    this.#others.add(socket);
    socket.on("close", () => this.#others.delete(socket));
    socket.pause();
    socket.unshift(first);
    this.#options.server.emit("connection", socket);
    socket.resume();
  }

  #sweepLanes(): void {
    const now = this.#context.clockMs();
    for (const lane of this.#lanes) if (lane.deadlineMs < now) lane.late();
  }
}

type Inner = { _handle: Handle | null };

/** Takes what a socket stands on away from it. */
function detach(socket: Socket): Handle {
  const inner = socket as unknown as Inner;
  const handle = inner._handle!;
  handle.readStop();
  handle.reading = false;
  inner._handle = null;
  return handle;
}

/**
 * Can a socket that was accepted be made to read into memory of ours? Node documents that for sockets that connect, and leaves the
 * others out: it is known to work in these versions, and elsewhere the full server takes everything.
 */
export function canReadDirectly(): boolean {
  const [major = 0] = process.versions.node.split(".").map(Number);
  return major >= 22 && major <= 24;
}
