import { BodyFramer } from "../engine/frame.ts";
import { OpenConnections, WrongKeys } from "./addresses.ts";
import { ByteBudget, Gone } from "./body.ts";
import type { IntakeBatch, IntakeCounts, IntakeKeys, IntakeSink, Refusal, RejectedRecord } from "./contract.ts";
import { type Answer, type Decoded, type Endpoint, Refused, type RequestHead, type Router, jsonAnswer, refusedStatus } from "./exchange.ts";
import { type IntakeLimits, intakeLimits } from "./limits.ts";
import { METRICS_TYPE, type Metric, countOne, emptyCounts, intakeMetrics, metricsText } from "./metrics.ts";
import { Profiles } from "./profiles.ts";
import { type RouteOptions, intakeRoutes } from "./routes.ts";
import { tooLarge, unpack } from "./unpack.ts";

export interface DeskOptions extends RouteOptions {
  readonly sink: IntakeSink;
  readonly keys: IntakeKeys;
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
  /** What stands behind the sink, for `/readyz`. */
  readonly readiness?: () => Readiness;
}

export interface Readiness {
  /** A word for why nothing should be sent here now; undefined when all is well. */
  readonly reason: string | undefined;
  /** Words for what somebody should look at, though logs are taken and judged. */
  readonly degraded?: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Answers without an own protocol: nothing is there, or nothing was meant. */
const nowhere: Endpoint["refuse"] = (refused) => jsonAnswer(refusedStatus(refused.kind), { errors: [refused.message] });

/** A request between its head and its answer. Just one of `serve` and `abandon` is to be called, once, unless it was refused. */
export interface OpenVisit {
  /** The answer, without its body. */
  readonly refused?: Answer;
  /** The answer to a body that is in memory as it came. It may be written into until then. */
  serve(packed: Buffer): Promise<Answer>;
  /** Its sender went away, or is too slow, or there is no memory for it; undefined where nobody listens any more. */
  abandon(why: "gone" | "timeout" | "full"): Answer | undefined;
}

const closedVisit = {
  serve: (): Promise<Answer> => Promise.reject(new Error("the request was refused")),
  abandon: (): undefined => undefined,
};

/** A body this small is read even when there is no room: it may be a question whether anybody is there. */
const PROBE_BYTES = 256;

/**
 * What intake does with a request, whichever server it came through: keys, limits, decoding, handing on, counting.
 *
 * A request is acknowledged once the sink has its events; refused before its body is read where that can be known.
 */
export class IntakeDesk {
  readonly limits: IntakeLimits;
  readonly budget: ByteBudget;
  readonly connections: OpenConnections;
  readonly #wrongKeys: WrongKeys;
  /** By input, since start. */
  readonly counts = new Map<string, IntakeCounts>();
  readonly #options: DeskOptions;
  readonly #router: Router;
  readonly #profiles: Profiles;
  #framer: BodyFramer | undefined;
  #active = 0;
  isClosing = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.limits = intakeLimits(options.limits);
    this.#router = options.routes ?? intakeRoutes(options);
    this.#profiles = new Profiles(this.limits.profiles);
    this.budget = new ByteBudget(this.limits.inFlightBytes);
    this.connections = new OpenConnections(this.limits.connectionsPerAddress);
    this.#wrongKeys = new WrongKeys(this.limits.wrongKeysPerAddress, this.limits.wrongKeysWaitMs);
  }

  /** Bytes of bodies in memory, wherever they were read to. */
  get bodyBytes(): number {
    return this.budget.used + (this.#framer?.memory.heldBytes ?? 0);
  }

  /** Looks bodies through; servers that read bodies themselves best read them into its memory. */
  get framer(): BodyFramer {
    return (this.#framer ??= BodyFramer.create({ bytes: this.limits.inFlightBytes }));
  }

  /** Requests being answered. */
  get active(): number {
    return this.#active;
  }

  /** A request comes in; to be left again by `Visit.leave`. */
  visit(head: RequestHead): Visit {
    this.#active++;
    return new Visit(this, head, this.#router(head.method, head.path), () => this.#active--);
  }

  /** For servers that read bodies themselves, into memory of theirs: a request whose head has come, and how long its body is. */
  open(head: RequestHead, length: number): OpenVisit {
    const visit = this.visit(head);
    const refused = (error: unknown): Answer | undefined => {
      try {
        return visit.refused(error);
      } finally {
        visit.leave();
      }
    };
    try {
      visit.check(length);
    } catch (error) {
      return { ...closedVisit, refused: refused(error) ?? { status: 400 } };
    }
    return {
      async serve(packed) {
        try {
          const answer = await visit.take(packed);
          visit.leave();
          return answer;
        } catch (error) {
          return refused(error) ?? { status: 400 };
        }
      },
      abandon(why) {
        if (why === "gone") return refused(new Gone("the connection was closed before the body had come"));
        return refused(why === "full" ? new Refused("full", "more bodies are being read than fit") : new Refused("timeout", "the body did not come in time"));
      },
    };
  }

  /** `GET /healthz`, `/readyz`, `/metrics` and their other customary names; undefined for all else. */
  operation({ method, path, arrivalMs }: RequestHead): Answer | undefined {
    if (method !== "GET" && method !== "HEAD") return undefined;
    switch (path) {
      case "/healthz": case "/health": {
        const { degraded = [] } = this.#options.readiness?.() ?? {};
        return jsonAnswer(200, degraded.length ? { status: "degraded", degraded } : { status: "ok" });
      }
      case "/readyz": case "/ready": {
        const behind = this.#options.readiness?.();
        const degraded = behind?.degraded?.length ? { degraded: behind.degraded } : undefined;
        const refusal = this.isClosing ? "closing" : (this.#options.sink.refusal?.reason ?? behind?.reason);
        return jsonAnswer(refusal ? 503 : 200, { ...(refusal ? { status: "busy", reason: refusal } : { status: degraded ? "degraded" : "ready" }), ...degraded, ...behind?.detail });
      }
      case "/metrics": return { status: 200, type: METRICS_TYPE, body: metricsText([...intakeMetrics(this.counts), ...this.#gauges(arrivalMs), ...(this.#options.metrics?.() ?? [])]) };
      default: return undefined;
    }
  }

  #gauges(nowMs: number): Metric[] {
    return [
      { name: "vespid_intake_active_requests", help: "Requests being answered.", type: "gauge", samples: [[{}, this.#active]] },
      { name: "vespid_intake_blocked_addresses", help: "Addresses whose keys are not looked at for now, after too many wrong ones.", type: "gauge", samples: [[{}, this.#wrongKeys.blocked(nowMs)]] },
      { name: "vespid_intake_body_bytes", help: "Bytes of bodies in memory.", type: "gauge", samples: [[{}, this.bodyBytes]] },
    ];
  }

  countsOf(input: string): IntakeCounts {
    let counts = this.counts.get(input);
    if (!counts) this.counts.set(input, (counts = emptyCounts()));
    return counts;
  }

  countRefused(input: string, reason: string): void {
    const counts = this.countsOf(input);
    counts.refused++;
    countOne(counts.refusals, reason);
  }

  fault(input: string, error: unknown): void {
    this.#options.onFault?.(input, error);
  }

  checkKey({ key }: Endpoint, head: RequestHead): void {
    const { keys } = this.#options;
    if (!key || !keys.required) return;
    const given = key(head);
    if (given === undefined || given === "") throw new Refused("no-key", "an API key is required");
    const waitS = this.#wrongKeys.waitS(head.peer, given, head.arrivalMs);
    if (waitS > 0) throw new Refused("wrong-keys", "too many wrong keys came from this address", { retryAfterS: waitS });
    if (keys.has(given)) return this.#wrongKeys.wasGood(head.peer, given);
    this.#wrongKeys.wasWrong(head.peer, head.arrivalMs);
    throw new Refused("bad-key", "the API key is not known");
  }

  checkRoom(length: number | undefined): void {
    const { refusal } = this.#options.sink;
    if (refusal && (length === undefined || length > PROBE_BYTES)) throw refusalOf(refusal);
  }

  async decode(endpoint: Endpoint, head: RequestHead, body: Buffer): Promise<Decoded> {
    return endpoint.decode({ ...head, body }, { limits: this.limits, profiles: this.#profiles, framer: this.framer });
  }

  /** Throws the sink's refusal. */
  async hand(decoded: Decoded, input: string, head: RequestHead): Promise<void> {
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

  account({ events, truncated, rejected }: Decoded, input: string): void {
    const counts = this.countsOf(input);
    counts.events += events;
    counts.truncated += truncated ?? 0;
    for (const record of rejected ?? []) {
      countOne(counts.rejected, record.reason);
      this.#options.onRejected?.(input, record);
    }
  }
}

/** One request on its way: `check` before its body is read, then `take`; `refused` for what either threw. */
export class Visit {
  readonly input: string;
  readonly #desk: IntakeDesk;
  readonly #head: RequestHead;
  readonly #endpoint: Endpoint | undefined;
  readonly #left: () => void;
  #held = 0;
  #isCounted = false;

  constructor(desk: IntakeDesk, head: RequestHead, endpoint: Endpoint | undefined, left: () => void) {
    this.#desk = desk;
    this.#head = head;
    this.#endpoint = endpoint;
    this.#left = left;
    this.input = endpoint?.input ?? "http";
  }

  /** Largest body, packed or not. */
  get bodyBytes(): number {
    const { bodyBytes, widestBodyBytes } = this.#desk.limits;
    return Math.min(this.#endpoint?.bodyBytes ?? bodyBytes, widestBodyBytes);
  }

  /**
   * Throws Refused where no body is needed to know.
   *
   * @param length as the sender declared it; undefined when it did not
   */
  check(length: number | undefined): void {
    if (!this.#endpoint) throw new Refused("not-found", "there is nothing at this path");
    this.#desk.checkKey(this.#endpoint, this.#head);
    if (length !== undefined && length > this.bodyBytes) throw tooLarge(this.bodyBytes);
    this.#desk.checkRoom(length);
  }

  /** Bytes of its body in memory; given back on leaving. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  async take(packed: Buffer): Promise<Answer> {
    const counts = this.#count();
    counts.bytes += packed.length;
    const { limits, budget } = this.#desk;
    const body = await unpack(packed, this.#head.headers["content-encoding"], Math.min(this.bodyBytes, limits.widestBodyBytes));
    if (body !== packed) {
      budget.take(body.length);
      this.hold(body.length);
    }
    counts.unpackedBytes += body.length;
    const decoded = await this.#desk.decode(this.#endpoint!, this.#head, body);
    await this.#desk.hand(decoded, this.input, this.#head);
    this.#desk.account(decoded, this.input);
    return decoded.answer;
  }

  /** Counts what was thrown and gives the protocol's answer to it; undefined when there is nobody to answer. */
  refused(error: unknown): Answer | undefined {
    if (this.#endpoint) this.#count();
    if (error instanceof Gone) {
      this.#desk.countRefused(this.input, "gone");
      return undefined;
    }
    if (!(error instanceof Refused)) this.#desk.fault(this.input, error);
    const refused = error instanceof Refused ? error : new Refused("fault", "the server failed on this request");
    this.#desk.countRefused(this.input, refused.kind);
    return (this.#endpoint?.refuse ?? nowhere)(refused, this.#head);
  }

  leave(): void {
    this.#desk.budget.give(this.#held);
    this.#held = 0;
    this.#left();
  }

  #count(): IntakeCounts {
    const counts = this.#desk.countsOf(this.input);
    if (!this.#isCounted) counts.requests++;
    this.#isCounted = true;
    return counts;
  }
}

function refusalOf({ reason, retryAfterS }: Refusal): Refused {
  const words = { full: "the queue is full", disk: "the disk is full", closing: "the server is closing" };
  return new Refused(reason, words[reason], { retryAfterS });
}
