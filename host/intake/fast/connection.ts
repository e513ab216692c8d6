import { Socket } from "node:net";
import type { Answer, RequestHead } from "../exchange.ts";
import { AnswerBytes } from "./answer.ts";
import { Handed } from "./handed.ts";
import { readHead, type SimpleHead } from "./head.ts";
import type { BodyMemory } from "./memory.ts";

/** What a socket stands on. Not documented: see `canReadDirectly`. */
export interface Handle {
  reading: boolean;
  readStop(): number;
}

/** Why a body is not handed on after its head was taken: its sender went away, or is too slow, or there is no memory for it. */
export type Abandoned = "gone" | "timeout" | "full";

/** One request, from its head on. Just one of `serve` and `abandon` is called, once, unless it was refused. */
export interface LaneVisit {
  /** The answer, in place of the body being taken; it is read and thrown away. */
  readonly refused?: Answer;
  /** The body is good, and may be written into, until it resolves. */
  serve(body: Buffer): Promise<Answer>;
  /** Undefined where there is nothing to say. */
  abandon(why: Abandoned): Answer | undefined;
}

export interface LaneContext {
  readonly path: string;
  readonly memory: BodyMemory;
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** For a whole head from its first byte, for a whole body, and between requests. */
  readonly headMs: number;
  readonly bodyMs: number;
  readonly idleMs: number;
  /** Epoch milliseconds, for events. */
  readonly nowMs: () => number;
  /** Milliseconds, for the times above. */
  readonly clockMs: () => number;
  readonly visit: (head: RequestHead, length: number) => LaneVisit;
  /** Said when no memory is left and the visit has nothing to say to it. */
  readonly noRoom: Answer;
  /** Takes a connection on which something else was asked. */
  readonly handOver: (stream: Handed) => void;
  readonly onClose: () => void;
  readonly isClosing: () => boolean;
}

/** What is awaited: the head, the body, nothing while a request is answered; or it is the full server's. */
type State = "head" | "body" | "answering" | "handed";

/** Where bytes go that have no place of their own yet: they are used before anybody else's come. */
const waste = Buffer.allocUnsafeSlow(64 * 1024);
const badAnswer: Answer = { status: 500, body: '{"errors":[{"status":"500","title":"Internal Server Error","detail":"the server failed on this request"}]}' };

/**
 * One connection of plain requests: heads are read into a small buffer, bodies by the system straight into their memory,
 * in as few calls as it likes.
 */
export class LaneConnection {
  readonly #context: LaneContext;
  readonly #peer: string;
  readonly #socket: Socket;
  readonly #answers = new AnswerBytes();
  #state: State = "head";
  #head: Buffer;
  /** Bytes in the head's buffer. */
  #headFilled: number;
  #visit: LaneVisit | undefined;
  #bodyLength = 0;
  #refused: Answer | undefined;
  #body: Buffer | undefined;
  #bodyFilled = 0;
  #handed: Handed | undefined;
  /** Told when answers have gone out, or nobody takes them any more. */
  #wentOut: () => void = () => {};
  /** By which the present step must be over, as of the lane's clock. */
  deadlineMs: number;

  /**
   * @param handle taken from a connection that reads no more.
   * @param first bytes that were read from it already.
   */
  constructor(handle: Handle, first: Buffer, peer: string, context: LaneContext) {
    this.#context = context;
    this.#peer = peer;
    // The first bytes may hold a good part of the body: they are the head's buffer until they are used up.
    this.#head = first.length > context.headBytes ? first : Buffer.allocUnsafeSlow(context.headBytes);
    if (this.#head !== first) first.copy(this.#head);
    this.#headFilled = first.length;
    this.deadlineMs = context.clockMs() + context.headMs;
    const options = { handle, onread: { buffer: () => this.#target(), callback: (count: number, given: Buffer) => this.#filled(count, given) } };
    this.#socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
    this.#socket.on("error", () => {});
    this.#socket.on("end", () => this.#ended());
    this.#socket.on("drain", () => this.#wentOut());
    this.#socket.on("close", () => {
      this.#wentOut();
      // A request that is being answered gives its memory back itself.
      if (this.#state !== "answering") {
        this.#visit?.abandon("gone");
        this.#release();
      }
      this.#handed?.destroy();
      context.onClose();
    });
    this.#readOn();
    this.#socket.resume();
  }

  get isIdle(): boolean {
    return this.#state === "head" && this.#headFilled === 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends a step that took too long; a sender who is in the middle of a body is told so. */
  late(): void {
    const answer = this.#visit?.abandon("timeout");
    this.#visit = undefined;
    if (answer && this.#state === "body") this.#socket.end(this.#answers.of(answer, true), () => this.#socket.destroy());
    else this.#socket.destroy();
  }

  /** Memory for what the system reads next. */
  #target(): Buffer {
    if (this.#state === "body" && this.#body) return this.#body.subarray(this.#bodyFilled);
    const isHead = this.#state === "head" || this.#state === "answering";
    return isHead && this.#headFilled < this.#head.length ? this.#head.subarray(this.#headFilled) : waste;
  }

  /**
   * Bytes have come, to where they were wanted when the system was told: what was awaited may have changed since.
   *
   * @returns false to read no more for now.
   */
  #filled(count: number, given: Buffer): boolean {
    const bytes = given.subarray(0, count);
    if (this.#state === "handed") return this.#handed!.push(Buffer.from(bytes));
    this.#keepHead(this.#state === "body" ? this.#keepBody(bytes) : bytes);
    this.#readOn();
    return this.#state !== "answering";
  }

  /** Gives what is left of the bytes behind the body. */
  #keepBody(bytes: Buffer): Buffer {
    const own = Math.min(bytes.length, this.#bodyLength - this.#bodyFilled);
    if (this.#body && !isAt(bytes, this.#body, this.#bodyFilled)) bytes.copy(this.#body, this.#bodyFilled, 0, own);
    this.#bodyFilled += own;
    return bytes.subarray(own);
  }

  #keepHead(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#headFilled + bytes.length > this.#head.length) this.#head = Buffer.concat([this.#head.subarray(0, this.#headFilled), bytes]);
    else if (!isAt(bytes, this.#head, this.#headFilled)) bytes.copy(this.#head, this.#headFilled);
    this.#began(bytes.length);
  }

  #began(count: number): void {
    if (this.#headFilled === 0 && this.#state === "head") this.deadlineMs = this.#context.clockMs() + this.#context.headMs;
    this.#headFilled += count;
  }

  /** As far as the bytes go: a head, its body, and whatever else came with them. */
  #readOn(): void {
    if (this.#state === "head") this.#readHead();
    if (this.#state === "body" && this.#bodyFilled === this.#bodyLength) void this.#answer();
  }

  #readHead(): void {
    const { path, bodyBytes, bodyMs, clockMs, visit, noRoom, memory } = this.#context;
    if (this.#headFilled === 0) return;
    const filled = this.#head.subarray(0, this.#headFilled);
    const head = readHead(filled);
    if (head === "unfinished" && filled.length < this.#context.headBytes) return;
    if (typeof head === "string" || (head.path !== path && head.path !== `${path}/`) || head.length > bodyBytes) {
      this.#handOver(filled);
      return;
    }
    this.#bodyLength = head.length;
    this.#state = "body";
    this.deadlineMs = clockMs() + bodyMs;
    const begun = visit(this.#requestHead(head), head.length);
    this.#refused = begun.refused;
    if (!this.#refused) {
      this.#body = memory.take(head.length);
      if (this.#body) this.#visit = begun;
      else this.#refused = begun.abandon("full") ?? noRoom;
    }
    // What of the body came with the head; and perhaps the next request behind it.
    const came = filled.subarray(head.headBytes, head.headBytes + head.length);
    if (this.#body) came.copy(this.#body);
    this.#bodyFilled = came.length;
    const rest = filled.subarray(head.headBytes + came.length);
    this.#headFilled = rest.length;
    if (this.#head.length !== this.#context.headBytes && rest.length <= this.#context.headBytes) {
      this.#head = Buffer.allocUnsafeSlow(this.#context.headBytes);
      rest.copy(this.#head);
    } else this.#head.copyWithin(0, filled.length - rest.length, filled.length);
  }

  async #answer(): Promise<void> {
    const { idleMs, headMs, bodyMs, clockMs, isClosing } = this.#context;
    this.#state = "answering";
    this.deadlineMs = Infinity;
    const visit = this.#visit;
    this.#visit = undefined;
    const answer = this.#refused ?? (await visit!.serve(this.#body!).catch(() => badAnswer));
    this.#release();
    if (this.#socket.destroyed) return;
    if (isClosing()) {
      this.#socket.end(this.#answers.of(answer, true));
      return;
    }
    if (!this.#socket.write(this.#answers.of(answer))) {
      // Answers that nobody reads would pile up here as fast as requests come, and anybody can ask.
      this.deadlineMs = clockMs() + bodyMs;
      await new Promise<void>((resolve) => (this.#wentOut = resolve));
      if (this.#socket.destroyed) return;
    }
    this.#state = "head";
    this.deadlineMs = clockMs() + (this.#headFilled > 0 ? headMs : idleMs);
    this.#readOn();
    // The bytes that came before may have been another whole request, which is being answered now.
    if (this.#state === "head" || this.#state === "body") this.#socket.resume();
  }

  #release(): void {
    if (this.#body) this.#context.memory.give(this.#body);
    this.#body = undefined;
    this.#refused = undefined;
  }

  /** The full server goes on from here, with the bytes that came so far. */
  #handOver(bytes: Buffer): void {
    this.#state = "handed";
    this.deadlineMs = Infinity;
    const handed = new Handed(this.#socket);
    this.#handed = handed;
    handed.push(Buffer.from(bytes));
    this.#context.handOver(handed);
  }

  #ended(): void {
    if (this.#state === "handed") this.#handed!.push(null);
    else if (this.#state !== "answering") this.#socket.destroy();
  }

  #requestHead({ path, query, headers }: SimpleHead): RequestHead {
    return { method: "POST", path, query: new URLSearchParams(query), headers, peer: this.#peer, arrivalMs: this.#context.nowMs() };
  }
}

/** Do the bytes lie in a buffer, from this offset on? */
function isAt(bytes: Buffer, buffer: Buffer, offset: number): boolean {
  return bytes.buffer === buffer.buffer && bytes.byteOffset === buffer.byteOffset + offset;
}
