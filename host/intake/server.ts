import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import { type AddressInfo, type Socket, isIPv4 } from "node:net";
import { declaredLength, readBody } from "./body.ts";
import type { IntakeCounts } from "./contract.ts";
import { type DeskOptions, IntakeDesk } from "./desk.ts";
import { type Answer, Refused, type RequestHead } from "./exchange.ts";
import { FastLane, canReadDirectly } from "./fast.ts";
import { ProblemError } from "../problem.ts";

export interface IntakeOptions extends DeskOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** 0 for any free one. */
  readonly port?: number;
  readonly tls?: TlsOptions;
  /** Allows plain HTTP on addresses that others can reach. */
  readonly plainBeyondLoopback?: boolean;
  /** Default true: plain POSTs of logs over plain HTTP are read straight into memory, and only the rest is node:http's. */
  readonly lane?: boolean;
  readonly nowMs?: () => number;
  /** Another server on the same port, for the paths that are its own. */
  readonly behind?: { owns(path: string, accept: string): boolean; handle(request: IncomingMessage, response: ServerResponse): void };
}

/** Rest of a refused body that is read and thrown away, so that the sender gets to read the answer. */
const LINGER_BYTES = 32 * 1024 * 1024;
const LINGER_MS = 3000;
/** Longer heads are node:http's. */
const LANE_HEAD_BYTES = 8 * 1024;

/** Every HTTP input on one port, over node:http, with a fast lane in front of it where nothing is encrypted. */
export class IntakeServer {
  /** What is done with requests; other servers may bring it theirs. */
  readonly desk: IntakeDesk;
  /** For a server that listens in front of it and hands it connections. */
  readonly http: Server;
  readonly #options: IntakeOptions;
  readonly #nowMs: () => number;
  #lane: FastLane | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.desk = new IntakeDesk(options);
    this.#nowMs = options.nowMs ?? Date.now;
    this.http = this.#create();
  }

  /** Counts by input since start. */
  get counts(): ReadonlyMap<string, IntakeCounts> {
    return this.desk.counts;
  }

  /** Bytes of bodies in memory. */
  get inFlightBytes(): number {
    return this.desk.bodyBytes;
  }

  /** Throws a ProblemError where plain HTTP would go beyond loopback without being asked to. */
  checkAddress(): string {
    const host = this.#options.host ?? "127.0.0.1";
    if (!this.#options.tls && !this.#options.plainBeyondLoopback && !isLoopback(host)) {
      throw new ProblemError([{ code: "intake/plain-beyond-loopback", message: `${host} can be reached by others, and keys and logs would go over the network in plain text`, hint: "give a certificate, listen on 127.0.0.1, or allow plain HTTP" }]);
    }
    return host;
  }

  /** Listens; gives the address. Throws a ProblemError for plain HTTP beyond loopback, or what the system says of the port. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const host = this.checkAddress();
    const port = this.#options.port ?? 0;
    const { lane = true, tls } = this.#options;
    if (lane && !tls && canReadDirectly()) {
      this.#lane = this.#createLane();
      return { host, port: await this.#lane.listen(port, host) };
    }
    this.http.prependListener("connection", (socket: Socket) => this.#admit(socket));
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", reject);
      this.http.listen(port, host, () => {
        this.http.off("error", reject);
        resolve();
      });
    });
    return { host, port: (this.http.address() as AddressInfo).port };
  }

  /** Takes no more connections, finishes the requests it has, and breaks off what is left after `drainMs`. */
  async close(): Promise<void> {
    this.desk.isClosing = true;
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.http.closeAllConnections();
    }, this.desk.limits.drainMs);
    // An error only says that it did not listen itself.
    const closed = Promise.all([this.#lane?.close(this.desk.limits.drainMs), new Promise<void>((resolve) => void this.http.close(() => resolve()))]);
    this.http.closeIdleConnections();
    await closed;
    // Connections that another server handed over are not among those it waited for.
    while (this.desk.active > 0 && !isOver) await new Promise((next) => setTimeout(next, 5));
    clearTimeout(timer);
  }

  /** Closes a connection of an address that has enough of them. */
  #admit(socket: Socket): void {
    const closed = this.desk.connections.open(socket.remoteAddress);
    if (closed) {
      socket.once("close", closed);
      return;
    }
    this.desk.countRefused("http", "connections-of-address");
    socket.destroy();
  }

  #createLane(): FastLane {
    const { desk } = this;
    const { limits } = desk;
    const lane = new FastLane({
      server: this.http,
      visit: (head, length) => desk.open(head, length),
      memory: desk.framer.memory,
      bodyBytes: limits.bodyBytes, headBytes: Math.min(LANE_HEAD_BYTES, limits.headerBytes), connections: limits.connections,
      headMs: limits.headersMs, bodyMs: limits.bodyMs, idleMs: limits.idleMs, sweepMs: Math.max(20, Math.min(1000, limits.headersMs / 4, limits.bodyMs / 4, limits.idleMs / 4)), nowMs: this.#nowMs,
    });
    lane.server.on("drop", () => desk.countRefused("http", "connections"));
    lane.server.prependListener("connection", (socket: Socket) => this.#admit(socket));
    return lane;
  }

  #create(): Server {
    const { limits } = this.desk;
    const options = {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      // Beyond the time of a body, which is answered in the protocol's words.
      requestTimeout: limits.headersMs + limits.bodyMs + LINGER_MS,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.max(100, Math.min(5000, limits.headersMs / 2)),
      insecureHTTPParser: false,
    };
    const { tls } = this.#options;
    const server = tls ? createTlsServer({ minVersion: "TLSv1.2", ...tls, ...options }) : createServer(options);
    server.maxConnections = limits.connections;
    server.maxHeadersCount = 200;
    server.setTimeout(limits.idleMs + limits.bodyMs);
    server.on("request", (request, response) => void this.#serve(request, response, false));
    server.on("checkContinue", (request, response) => void this.#serve(request, response, true));
    server.on("clientError", (error, socket) => this.#clientError(error, socket as Socket));
    server.on("drop", () => this.desk.countRefused("http", "connections"));
    return server;
  }

  /** Bytes that are no request: told so, where anybody still listens. */
  #clientError(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const [status, reason] = error.code === "HPE_HEADER_OVERFLOW" ? ["431 Request Header Fields Too Large", "headers"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? ["408 Request Timeout", "timeout"]
      : ["400 Bad Request", "not-http"];
    this.desk.countRefused("http", reason!);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    response.on("error", () => {});
    const { desk } = this;
    const head = headOf(request, this.#nowMs());
    const { behind } = this.#options;
    if (behind?.owns(head.path, String(request.headers.accept ?? ""))) {
      if (awaitsContinue) response.writeContinue();
      return behind.handle(request, response);
    }
    const operation = desk.operation(head);
    if (operation) return send(request, response, operation, desk.isClosing);
    const visit = desk.visit(head);
    try {
      visit.check(declaredLength(request));
      if (awaitsContinue) response.writeContinue();
      const packed = await readBody(request, { bytes: visit.bodyBytes, timeMs: desk.limits.bodyMs, budget: desk.budget }, (bytes) => visit.hold(bytes));
      send(request, response, await visit.take(packed), desk.isClosing);
    } catch (error) {
      const answer = visit.refused(error);
      if (answer) refuse(request, response, answer, desk.isClosing || awaitsContinue || (error instanceof Refused && error.kind === "timeout"));
    } finally {
      visit.leave();
    }
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function headOf(request: IncomingMessage, arrivalMs: number): RequestHead {
  const url = request.url ?? "/";
  // A proxy may be asked in absolute form.
  const target = url.startsWith("/") ? url : url.replace(/^[a-z]+:\/\/[^/?]*/i, "") || "/";
  const mark = target.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers: request.headers,
    peer: request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "",
    arrivalMs,
  };
}

function headersOf(request: IncomingMessage, answer: Answer, closes: boolean): Record<string, string | number> {
  const length = answer.body === undefined ? 0 : Buffer.byteLength(answer.body);
  return {
    ...(answer.status === 204 ? {} : { "content-type": answer.type ?? "application/json", "content-length": length }),
    ...answer.headers,
    ...(closes ? { connection: "close" } : {}),
    ...(request.method === "GET" ? { "cache-control": "no-store" } : {}),
  };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer, closes: boolean): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, headersOf(request, answer, closes));
  response.end(request.method === "HEAD" || answer.status === 204 ? undefined : answer.body);
}

/** An answer to a request whose body may still be coming: what is left of it is read and thrown away. */
function refuse(request: IncomingMessage, response: ServerResponse, answer: Answer, closes: boolean): void {
  if (response.destroyed || response.headersSent) return;
  const declared = declaredLength(request);
  if (request.complete || declared === 0) return send(request, response, answer, closes);
  response.writeHead(answer.status, headersOf(request, answer, closes || declared === undefined || declared > LINGER_BYTES));
  if (answer.body !== undefined) response.write(answer.body);
  else response.flushHeaders();
  // Closing at once would reset the connection under a sender that still writes, and it would never see the answer.
  let left = LINGER_BYTES;
  const stop = (): void => {
    clearTimeout(timer);
    request.removeAllListeners("data");
    response.end();
  };
  const cut = (): void => {
    stop();
    if (!request.complete) request.socket.destroySoon();
  };
  const timer = setTimeout(cut, LINGER_MS);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.on("end", stop);
  request.on("close", stop);
  request.on("error", () => {});
  request.resume();
}
