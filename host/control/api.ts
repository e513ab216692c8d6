import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ApiError, type ErrorForm, asApiError, badRequest } from "./api-error.ts";
import type { AuditTrail } from "./audit-trail.ts";
import { type Doorkeeper, isStranger } from "./authenticate.ts";
import { BodyRoom } from "./body-room.ts";
import { Checked } from "./checked.ts";
import { readJsonBody } from "./json-body.ts";
import { openApi } from "./openapi.ts";
import { openApiPage } from "./openapi-page.ts";
import type { Pages } from "./pages/pages.ts";
import type { Principal } from "./principal.ts";
import { RateLimit, rateHeaders } from "./rate.ts";
import type { Call, CallHead, Route, RouteAnswer } from "./route.ts";

export interface ControlOptions {
  readonly routes: readonly Route[];
  readonly doorkeeper: Doorkeeper;
  readonly audit: AuditTrail;
  readonly nowMs: () => number;
  readonly version: string;
  /** Requests of one key or session in a minute. */
  readonly perMinute?: number;
  /** The web pages; none when absent. */
  readonly pages?: Pages;
  readonly onFault: (where: string, error: unknown) => void;
  /** Other servers' paths before ours, such as a proxy's; none by default. */
  readonly bodyBytes?: number;
}

const PER_MINUTE = 3000;
/** Of addresses that show no good key. */
const STRANGERS_PER_MINUTE = 120;
/** A part of a path: an entity's name is a value of a log, which is 2 KiB at most. */
const PARAM_UNITS = 3000;
const BODY_BYTES = 5 * 1024 * 1024;
/** Of those who have shown no key: a name and a password. */
const STRANGERS_BODY_BYTES = 64 * 1024;
/** Searches at a time, of everybody together: they shall not keep the thread that takes logs. */
const MOST_SEARCHES = 8;

const unzip = promisify(gunzip);
const inflated = promisify(inflate);

/**
 * The API: routes as data, so that one table says who may what, what is checked and what the document tells. Whatever a room
 * leaves out is refused: a route without a permission does not compile, and a path without a route is nobody's.
 */
export class ControlApi {
  readonly routes: readonly Route[];
  readonly #options: ControlOptions;
  readonly #app: FastifyInstance;
  readonly #prefixes: readonly string[];
  readonly #firsts: ReadonlySet<string>;
  readonly #rates: RateLimit;
  readonly #strangers = new RateLimit(STRANGERS_PER_MINUTE);
  readonly #bodies = new BodyRoom();
  #searches = 0;

  private constructor(options: ControlOptions) {
    this.#options = options;
    this.routes = options.routes;
    this.#rates = new RateLimit(options.perMinute ?? PER_MINUTE);
    this.#prefixes = [...new Set([...options.routes.map(({ path }) => path.replace(/:.*$/, "")), "/openapi.json", "/docs"])];
    this.#firsts = new Set(this.#prefixes.map(firstParts));
    // The listener is the intake's: it hands over what is not a shipper's.
    this.#app = fastify({ serverFactory: (handler) => createServer(handler as RequestListener), bodyLimit: options.bodyBytes ?? BODY_BYTES, logger: false, routerOptions: { maxParamLength: PARAM_UNITS }, exposeHeadRoutes: false, genReqId: () => randomUUID() });
    this.#app.removeAllContentTypeParsers();
    this.#app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    this.#app.setNotFoundHandler((_request, reply) => this.#refuse(reply, new ApiError(404, "Not found"), "texts"));
    this.#app.setErrorHandler((error, request, reply) => this.#fault(error, request, reply, "texts"));
    for (const each of options.routes) this.#add(each);
    this.#app.get("/openapi.json", (_request, reply) => void reply.header("cache-control", "no-store").send(openApi(options.routes, options.version)));
    this.#app.get("/docs", (_request, reply) => void reply.headers({ "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'", "x-content-type-options": "nosniff" }).send(openApiPage(options.routes, options.version)));
  }

  static async create(options: ControlOptions): Promise<ControlApi> {
    const api = new ControlApi(options);
    await api.#app.ready();
    return api;
  }

  /** Is a path one of ours? */
  owns(path: string, accept = ""): boolean {
    return this.#options.pages?.owns(path, accept) || this.#firsts.has(firstParts(path)) && this.#prefixes.some((prefix) => path.startsWith(prefix));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { pages } = this.#options;
    if (pages?.owns((request.url ?? "/").split("?", 1)[0]!, String(request.headers.accept ?? ""))) return pages.handle(request, response);
    this.#app.routing(request, response);
  }

  async close(): Promise<void> {
    await this.#app.close();
  }

  #add(each: Route): void {
    const form = each.errors ?? "texts";
    const checks = { params: each.params && new Checked(each.params, "path"), query: each.query && new Checked(each.query, "query"), body: each.body && new Checked(each.body, "") };
    this.#app.route({
      method: each.method, url: each.path,
      bodyLimit: this.#mostOf(each),
      onRequest: (request, reply, done) => {
        const refused = this.#admit(each, request, reply) ?? this.#receive(each, request, reply);
        if (!refused) return done();
        this.#refuse(reply, refused, form);
      },
      errorHandler: (error, request, reply) => this.#fault(error, request, reply, form),
      handler: async (request, reply) => {
        const { principal, head } = admitted.get(request)!;
        const nowMs = this.#options.nowMs();
        const body = await this.#bodyOf(each, request, checks.body);
        const call: Call = {
          principal, head, nowMs, body,
          params: (checks.params ? checks.params.convert(request.params as never) : request.params) as never,
          query: (checks.query ? checks.query.convert(request.query as never) : request.query) as never,
          audit: (entry) => this.#options.audit.record(principal, entry, head, nowMs),
          checkMatch: (version) => checkMatch(request, version),
        };
        return send(reply, await this.#run(each, call));
      },
    });
  }

  async #run(each: Route, call: Call): Promise<RouteAnswer> {
    if (!each.isSearch) return await each.handle(call as never);
    if (this.#searches >= MOST_SEARCHES) throw new ApiError(429, `${MOST_SEARCHES} searches are running; ask again in a second`, { headers: { "retry-after": "1", "x-ratelimit-reset": "1" } });
    this.#searches++;
    try {
      return await each.handle(call as never);
    } finally {
      this.#searches--;
    }
  }

  /** Who asks, and may they? */
  #admit(each: Route, request: FastifyRequest, reply: FastifyReply): ApiError | undefined {
    const head = headOf(request);
    const nowMs = this.#options.nowMs();
    reply.headers({ "x-request-id": head.requestId, "x-content-type-options": "nosniff", "cache-control": "no-store" });
    if (hasTwice(request.raw.rawHeaders)) return new ApiError(400, "a header that says who asks came twice");
    if (isCrossOrigin(request)) return new ApiError(403, "requests of other sites' pages are not taken");
    if (each.permission === "anyone") {
      const rate = this.#strangers.take(head.peer, nowMs);
      if (rate.isOver) return tooMany(rate.resetS);
      try {
        each.admits?.({ params: request.params as never, query: request.query as never, nowMs });
      } catch (error) {
        return asApiError(error) ?? badRequest("the address cannot be read");
      }
      admitted.set(request, { principal: nobody, head });
      return undefined;
    }
    const who = this.#options.doorkeeper.who(head, each.method !== "GET", nowMs);
    if (isStranger(who)) {
      const rate = this.#strangers.take(head.peer, nowMs);
      return rate.isOver ? tooMany(rate.resetS) : new ApiError(who.status, who.text);
    }
    const rate = this.#rates.take(who.applicationKeyId ?? who.userId, nowMs);
    reply.headers(rateHeaders(rate, "api"));
    if (rate.isOver) return tooMany(rate.resetS);
    if (each.permission !== "known" && ![each.permission].flat().some((one) => who.permissions.has(one))) return new ApiError(403, "Forbidden");
    admitted.set(request, { principal: who, head });
    return undefined;
  }

  #mostOf({ bytes, permission }: Route): number {
    return bytes?.most ?? (permission === "anyone" ? STRANGERS_BODY_BYTES : (this.#options.bodyBytes ?? BODY_BYTES));
  }

  /** Room for the body, until the answer is out. */
  #receive(each: Route, request: FastifyRequest, reply: FastifyReply): ApiError | undefined {
    const { headers } = request;
    if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return undefined;
    const isKnown = headers["content-length"] !== undefined && headers["content-encoding"] === undefined;
    const most = this.#mostOf(each);
    const { applicationKeyId, userId } = admitted.get(request)!.principal;
    // An address that lets in is as good as a key.
    const asker = each.admits ? request.url : applicationKeyId ?? (userId || undefined);
    const release = this.#bodies.take(asker, isKnown ? Math.min(most, Number(headers["content-length"])) : most);
    if (!release) return new ApiError(429, "bodies of other requests take the room; ask again in a second", { headers: { "retry-after": "1", "x-ratelimit-reset": "1", connection: "close" } });
    reply.raw.once("close", release);
    return undefined;
  }

  async #bodyOf(each: Route, request: FastifyRequest, check: Checked | undefined): Promise<unknown> {
    const bytes = await unpacked(request, this.#mostOf(each));
    if (each.bytes) return bytes;
    if (!check) return undefined;
    if (!bytes.length) {
      if (each.isBodyOptional) return undefined;
      throw new ApiError(400, "the body is missing");
    }
    // A page of another site can send forms and plain text without asking first, but not JSON.
    const type = String(request.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
    if (type !== "" && type !== "application/json" && !type.endsWith("+json")) throw new ApiError(415, `bodies are application/json, not ${type}`);
    return check.check(readJsonBody(bytes));
  }

  #refuse(reply: FastifyReply, error: ApiError, form: ErrorForm): void {
    void reply.code(error.status).headers(error.headers).header("content-type", "application/json").send(JSON.stringify(error.body(form)));
  }

  #fault(thrown: unknown, request: FastifyRequest, reply: FastifyReply, form: ErrorForm): void {
    const known = asApiError(thrown) ?? framework(thrown);
    if (known) return this.#refuse(reply, known, form);
    this.#options.onFault(`${request.method} ${request.routeOptions.url ?? "?"}`, thrown);
    this.#refuse(reply, new ApiError(500, `the server failed on this request; its log tells more under ${request.id}`), form);
  }
}

const admitted = new WeakMap<FastifyRequest, { readonly principal: Principal; readonly head: CallHead }>();
const nobody: Principal = { userId: "", handle: "", name: "", email: "", authMethod: "NONE", permissions: new Set() };

function firstParts(path: string): string {
  return path.split("/", 4).slice(0, path.startsWith("/api/") ? 4 : 2).join("/");
}

function headOf(request: FastifyRequest): CallHead {
  const { url } = request;
  const mark = url.indexOf("?");
  return {
    method: request.method, path: mark < 0 ? url : url.slice(0, mark), peer: request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "",
    userAgent: String(request.headers["user-agent"] ?? "").slice(0, 300), requestId: request.id, headers: request.headers,
    origin: `${request.protocol}://${request.headers.host ?? "localhost"}`,
  };
}

const ONCE = new Set(["authorization", "dd-api-key", "dd-application-key", "x-csrf-token", "host", "origin"]);

/** Of two, a proxy before us may have judged the other one. @param raw names and values in turn */
function hasTwice(raw: readonly string[]): boolean {
  const names = raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()).filter((name) => ONCE.has(name));
  return new Set(names).size < names.length;
}

/** A browser says from which site's page a request comes. */
function isCrossOrigin({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  if (origin === undefined || origin === "null") return origin === "null";
  try {
    return new URL(origin).host !== host;
  } catch {
    return true;
  }
}

/** `If-Match` beside a version: a caller who read an older one is told so. */
function checkMatch(request: FastifyRequest, version: number): void {
  const asked = request.headers["if-match"];
  if (asked === undefined || asked === "*") return;
  const isHeld = asked.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${version}"`);
  if (!isHeld) throw new ApiError(412, `it is at version ${version} now; read it again`);
}

async function unpacked(request: FastifyRequest, most: number): Promise<Buffer> {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const encoding = String(request.headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity" || !bytes.length) return bytes;
  if (encoding !== "gzip" && encoding !== "deflate") throw new ApiError(415, `content-encoding ${encoding} is not taken; send gzip, deflate or none`);
  try {
    return await (encoding === "gzip" ? unzip : inflated)(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw new ApiError(413, `the body unpacks to more than ${most} bytes`);
    throw new ApiError(400, `the body is no ${encoding}`);
  }
}

function send(reply: FastifyReply, { status, body, type, headers, version }: RouteAnswer): FastifyReply {
  reply.code(status);
  if (headers) reply.headers(headers);
  if (version !== undefined) reply.header("etag", `"${version}"`);
  if (status === 204 || body === undefined) return reply.send();
  if (type !== undefined) return reply.header("content-type", type).send(body);
  return reply.header("content-type", "application/json").send(JSON.stringify(body));
}

function tooMany(resetS: number): ApiError {
  return new ApiError(429, "too many requests; x-ratelimit-reset says when to ask again", { headers: { "x-ratelimit-reset": String(resetS), "retry-after": String(resetS) } });
}

/** Refusals the framework makes itself: bodies too large, bad lengths. */
function framework(thrown: unknown): ApiError | undefined {
  const { statusCode, message } = thrown as { readonly statusCode?: number; readonly message?: string };
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? new ApiError(statusCode, message ?? "bad request") : undefined;
}
