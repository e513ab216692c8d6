import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import { type AddressInfo, type Socket, isIPv4 } from "node:net";
import { ByteBudget, Gone, declaredLength, readBody } from "./body.ts";
import type { IntakeBatch, IntakeCounts, IntakeKeys, IntakeSink, Refusal, RejectedRecord } from "./contract.ts";
import { type Answer, type Decoded, type Endpoint, Refused, type RequestHead, type Router, jsonAnswer, refusedStatus } from "./exchange.ts";
import { METRICS_TYPE, type Metric, countOne, emptyCounts, intakeMetrics, metricsText } from "./metrics.ts";
import { type IntakeLimits, intakeLimits } from "./limits.ts";
import { Profiles } from "./profiles.ts";
import { type RouteOptions, intakeRoutes } from "./routes.ts";
import { ProblemError } from "../problem.ts";
import { tooLarge, unpack } from "./unpack.ts";

export interface IntakeOptions extends RouteOptions {
  readonly sink: IntakeSink;
  readonly keys: IntakeKeys;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** 0 for any free one. */
  readonly port?: number;
  readonly tls?: TlsOptions;
  /** Allows plain HTTP on addresses that others can reach. */
  readonly plainBeyondLoopback?: boolean;
  readonly limits?: Partial<IntakeLimits>;
  /** Instead of all inputs. */
  readonly routes?: Router;
  /** The stream that a request's events belong to; its input's name by default. */
  readonly partitionOf?: (input: string, head: RequestHead) => string;
  readonly onRejected?: (input: string, record: RejectedRecord) => void;
  /** A fault of ours, with the input it happened in; no body and no key is in it. */
  readonly onFault?: (input: string, error: unknown) => void;
  /** Shown beside our own. */
  readonly metrics?: () => readonly Metric[];
  readonly nowMs?: () => number;
}

/** Answers without an own protocol: nothing is there, or nothing was meant. */
const nowhere: Endpoint["refuse"] = (refused) => jsonAnswer(refusedStatus(refused.kind), { errors: [refused.message] });

/** A body this small is read even when there is no room: it may be a question whether anybody is there. */
const PROBE_BYTES = 256;
/** Rest of a refused body that is read and thrown away, so that the sender gets to read the answer. */
const LINGER_BYTES = 32 * 1024 * 1024;
const LINGER_MS = 3000;

/**
 * Every HTTP input on one port, over node:http.
 *
 * A request is acknowledged once the sink has its events; refused before its body is read where that can be known.
 */
export class IntakeServer {
  readonly #options: IntakeOptions;
  readonly #limits: IntakeLimits;
  readonly #router: Router;
  readonly #profiles: Profiles;
  readonly #budget: ByteBudget;
  readonly #counts = new Map<string, IntakeCounts>();
  readonly #server: Server;
  readonly #nowMs: () => number;
  #active = 0;
  #closing = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#limits = intakeLimits(options.limits);
    this.#router = options.routes ?? intakeRoutes(options);
    this.#profiles = new Profiles(this.#limits.profiles);
    this.#budget = new ByteBudget(this.#limits.inFlightBytes);
    this.#nowMs = options.nowMs ?? Date.now;
    this.#server = this.#create();
  }

  /** Counts by input since start. */
  get counts(): ReadonlyMap<string, IntakeCounts> {
    return this.#counts;
  }

  /** Bytes of bodies in memory. */
  get inFlightBytes(): number {
    return this.#budget.used;
  }

  /** Listens; gives the address. Throws a ProblemError for plain HTTP beyond loopback, or what the system says of the port. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const host = this.#options.host ?? "127.0.0.1";
    if (!this.#options.tls && !this.#options.plainBeyondLoopback && !isLoopback(host)) {
      throw new ProblemError([{ code: "intake/plain-beyond-loopback", message: `${host} can be reached by others, and keys and logs would go over the network in plain text`, hint: "give a certificate, listen on 127.0.0.1, or allow plain HTTP" }]);
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port ?? 0, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return { host, port: (this.#server.address() as AddressInfo).port };
  }

  /** Takes no more connections, finishes the requests it has, and breaks off what is left after `drainMs`. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.#limits.drainMs);
    await closed;
    clearTimeout(timer);
  }

  #create(): Server {
    const limits = this.#limits;
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
    server.on("drop", () => this.#refused("http", "connections"));
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
    this.#refused("http", reason!);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  #countsOf(input: string): IntakeCounts {
    let counts = this.#counts.get(input);
    if (!counts) this.#counts.set(input, (counts = emptyCounts()));
    return counts;
  }

  #refused(input: string, reason: string): void {
    const counts = this.#countsOf(input);
    counts.refused++;
    countOne(counts.refusals, reason);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    this.#active++;
    response.on("error", () => {});
    const head = headOf(request, this.#nowMs());
    const operation = this.#operation(head);
    const endpoint = operation ? undefined : this.#router(head.method, head.path);
    const input = endpoint?.input ?? "http";
    let held = 0;
    const hold = (bytes: number): void => {
      held += bytes;
    };
    try {
      if (operation) return send(request, response, operation, this.#closing);
      if (!endpoint) throw new Refused("not-found", "there is nothing at this path");
      const counts = this.#countsOf(input);
      counts.requests++;
      this.#checkKey(endpoint, head);
      const answer = await this.#take(request, response, head, endpoint, counts, awaitsContinue, hold);
      send(request, response, answer, this.#closing);
    } catch (error) {
      if (error instanceof Gone) {
        this.#refused(input, "gone");
        return;
      }
      if (!(error instanceof Refused)) this.#options.onFault?.(input, error);
      const refused = error instanceof Refused ? error : new Refused("fault", "the server failed on this request");
      this.#refused(input, refused.kind);
      refuse(request, response, (endpoint?.refuse ?? nowhere)(refused, head), this.#closing || awaitsContinue || refused.kind === "timeout");
    } finally {
      this.#budget.give(held);
      this.#active--;
    }
  }

  /** `GET /healthz`, `/readyz`, `/metrics` and their other customary names; undefined for all else. */
  #operation({ method, path }: RequestHead): Answer | undefined {
    if (method !== "GET" && method !== "HEAD") return undefined;
    switch (path) {
      case "/healthz": case "/health": return jsonAnswer(200, { status: "ok" });
      case "/readyz": case "/ready": {
        const refusal = this.#closing ? "closing" : this.#options.sink.refusal?.reason;
        return jsonAnswer(refusal ? 503 : 200, refusal ? { status: "busy", reason: refusal } : { status: "ready" });
      }
      case "/metrics": return { status: 200, type: METRICS_TYPE, body: metricsText([...intakeMetrics(this.#counts), ...this.#gauges(), ...(this.#options.metrics?.() ?? [])]) };
      default: return undefined;
    }
  }

  #gauges(): Metric[] {
    return [
      { name: "vespid_intake_active_requests", help: "Requests being answered.", type: "gauge", samples: [[{}, this.#active]] },
      { name: "vespid_intake_body_bytes", help: "Bytes of bodies in memory.", type: "gauge", samples: [[{}, this.#budget.used]] },
    ];
  }

  #checkKey({ key }: Endpoint, head: RequestHead): void {
    const { keys } = this.#options;
    if (!key || !keys.required) return;
    const given = key(head);
    if (given === undefined || given === "") throw new Refused("no-key", "an API key is required");
    if (!keys.has(given)) throw new Refused("bad-key", "the API key is not known");
  }

  async #take(request: IncomingMessage, response: ServerResponse, head: RequestHead, endpoint: Endpoint, counts: IntakeCounts, awaitsContinue: boolean, hold: (bytes: number) => void): Promise<Answer> {
    const { sink } = this.#options;
    const limit = Math.min(endpoint.bodyBytes ?? this.#limits.bodyBytes, this.#limits.widestBodyBytes);
    const declared = declaredLength(request);
    if (declared !== undefined && declared > limit) throw tooLarge(limit);
    if (sink.refusal && (declared === undefined || declared > PROBE_BYTES)) throw refusalOf(sink.refusal);
    if (awaitsContinue) response.writeContinue();
    const packed = await readBody(request, { bytes: limit, timeMs: this.#limits.bodyMs, budget: this.#budget }, hold);
    counts.bytes += packed.length;
    const body = await unpack(packed, request.headers["content-encoding"], limit);
    if (body !== packed) {
      this.#budget.take(body.length);
      hold(body.length);
    }
    counts.unpackedBytes += body.length;
    const decoded = await endpoint.decode({ ...head, body }, { limits: this.#limits, profiles: this.#profiles });
    await this.#hand(decoded, endpoint.input, head);
    this.#account(decoded, endpoint.input, counts);
    return decoded.answer;
  }

  /** Throws the sink's refusal in the protocol's kind. */
  async #hand(decoded: Decoded, input: string, head: RequestHead): Promise<void> {
    const partition = this.#options.partitionOf?.(input, head) ?? input;
    const batches: IntakeBatch[] = decoded.batches.filter(({ bytes }) => bytes.length).map((draft) => ({ ...draft, arrivalMs: head.arrivalMs, partition }));
    if (!batches.length) return decoded.settled?.(true);
    let refusal: Refusal | undefined;
    let isTaken = false;
    try {
      refusal = this.#options.sink.refusal ?? (await this.#options.sink.accept(batches));
      isTaken = !refusal;
    } finally {
      decoded.settled?.(isTaken);
    }
    if (refusal) throw refusalOf(refusal);
  }

  #account({ events, truncated, rejected }: Decoded, input: string, counts: IntakeCounts): void {
    counts.events += events;
    counts.truncated += truncated ?? 0;
    for (const record of rejected ?? []) {
      countOne(counts.rejected, record.reason);
      this.#options.onRejected?.(input, record);
    }
  }
}

function refusalOf({ reason, retryAfterS }: Refusal): Refused {
  const words = { full: "the queue is full", disk: "the disk is full", closing: "the server is closing" };
  return new Refused(reason, words[reason], { retryAfterS });
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
