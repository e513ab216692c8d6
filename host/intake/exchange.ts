import type { IncomingHttpHeaders } from "node:http";
import type { BodyFramer } from "../engine/frame.ts";
import type { InputProfile } from "../engine/task.ts";
import type { RejectedRecord } from "./contract.ts";
import type { Profiles } from "./profiles.ts";

/** What is known of a request before its body. */
export interface RequestHead {
  readonly method: string;
  /** Without prefix and query; percent signs as they came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Address of the other end of the connection. */
  readonly peer: string;
  readonly arrivalMs: number;
}

export interface IntakeRequest extends RequestHead {
  /** Unpacked. Decoders may write into it. */
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body?: string | Uint8Array;
  /** `application/json` when absent. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type RefusedKind =
  | "no-key" | "bad-key" | "wrong-keys" | "bad-scheme" | "bad-body" | "bad-encoding" | "bad-request" | "too-large" | "timeout" | "full" | "disk" | "closing"
  | "not-found" | "bad-method" | "fault";

/** Why a whole request is not taken. The only thing a decoder may throw; each protocol says it in its own words. */
export class Refused extends Error {
  readonly kind: RefusedKind;
  readonly retryAfterS: number;
  /** What the protocol's own answer needs beside the kind. */
  readonly answer: Answer | undefined;

  constructor(kind: RefusedKind, message: string, more: { readonly retryAfterS?: number; readonly answer?: Answer } = {}) {
    super(message);
    this.name = "Refused";
    this.kind = kind;
    this.retryAfterS = more.retryAfterS ?? 1;
    this.answer = more.answer;
  }
}

/** Records of one profile, before they have a partition. */
export interface Draft {
  readonly profile: InputProfile;
  readonly bytes: Uint8Array;
  readonly dataSource?: "events";
}

export interface Decoded {
  readonly batches: readonly Draft[];
  readonly events: number;
  readonly truncated?: number;
  readonly rejected?: readonly RejectedRecord[];
  /** Said once the sink has taken all batches. */
  readonly answer: Answer;
  /** Called once the sink has answered, before the sender hears of it. */
  readonly settled?: (accepted: boolean) => void;
}

/** Sizes that decoders hold to; bytes. */
export interface DecodeLimits {
  /** One log. Longer ones are shortened where the protocol has a text to shorten, else rejected. */
  readonly recordBytes: number;
  /** Elements of a Datadog array. */
  readonly entries: number;
  /** Events of one request in a protocol whose records are made anew: each costs more than its bytes. */
  readonly records: number;
}

export interface DecodeContext {
  readonly limits: DecodeLimits;
  readonly profiles: Profiles;
  /** Looks bodies through faster than can be done here, fastest those that lie in its memory. */
  readonly framer?: BodyFramer;
}

/** What one method and path stands for. */
export interface Endpoint {
  /** Name its requests are counted under. */
  readonly input: string;
  /** The key that came, undefined for none. Throws `bad-scheme` where one came in a wrong way. Absent: nobody is asked. */
  readonly key?: (head: RequestHead) => string | undefined;
  /** Largest unpacked body, in place of the server's own for Datadog. */
  readonly bodyBytes?: number;
  readonly decode: (request: IntakeRequest, context: DecodeContext) => Decoded | Promise<Decoded>;
  readonly refuse: (refused: Refused, head: RequestHead) => Answer;
}

/** A protocol's endpoints; undefined when the path is not one of them. */
export type Router = (method: string, path: string) => Endpoint | undefined;

export function jsonAnswer(status: number, value: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return { status, body: JSON.stringify(value), headers };
}

/** HTTP status of a refusal where a protocol has no other wish. */
export function refusedStatus(kind: RefusedKind): number {
  switch (kind) {
    case "no-key": return 401;
    case "bad-key": case "bad-scheme": return 403;
    case "bad-body": case "bad-request": return 400;
    case "bad-encoding": return 415;
    case "too-large": return 413;
    case "timeout": return 408;
    case "full": case "disk": case "wrong-keys": return 429;
    case "closing": return 503;
    case "not-found": return 404;
    case "bad-method": return 405;
    case "fault": return 500;
  }
}

/** `Retry-After` where trying again makes sense. */
export function retryHeaders(refused: Refused): Readonly<Record<string, string>> {
  const passes = refused.kind === "wrong-keys" || refused.kind === "full" || refused.kind === "disk" || refused.kind === "closing";
  return passes ? { "retry-after": String(Math.max(1, Math.ceil(refused.retryAfterS))) } : {};
}

/** Records of one request that are kept for being none; a body with more of them is no body of records. */
const REJECTED_CAP = 10_000;

/** Adds a record with a copy of its bytes. Throws `bad-body` for too many. */
export function reject(rejected: RejectedRecord[], reason: string, bytes: Uint8Array): void {
  if (rejected.length >= REJECTED_CAP) throw new Refused("bad-body", `more than ${REJECTED_CAP} records are none`);
  rejected.push({ reason, bytes: Uint8Array.from(bytes) });
}

/** Largest body of protocols whose own limit is none or far above Datadog's. */
export const WIDE_BODY_BYTES = 20 * 1024 * 1024;
