import type { Static, TSchema } from "typebox";
import type { AuditEntry } from "./audit-trail.ts";
import type { ErrorForm } from "./api-error.ts";
import type { Permission } from "./permission.ts";
import type { Principal } from "./principal.ts";

export interface CallHead {
  readonly method: string;
  readonly path: string;
  /** Address of the other end of the connection. */
  readonly peer: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Scheme and host as the asker wrote them, for addresses in answers to the same asker. */
  readonly origin: string;
}

/** One request, read and checked. */
export interface Call<P = Record<string, string>, Q = Record<string, unknown>, B = unknown> {
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly head: CallHead;
  readonly nowMs: number;
  /** Writes down what is being done; inside the same transaction as the doing. */
  audit(entry: AuditEntry): void;
  /** Refuses with 412 where the caller read another version than this (`If-Match`). */
  checkMatch(version: number): void;
}

export interface RouteAnswer {
  readonly status: number;
  /** JSON, unless it is bytes or `type` says otherwise. */
  readonly body?: unknown;
  readonly type?: string;
  /** Several of one name as a list, which only cookies need. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Becomes the ETag. */
  readonly version?: number;
}

export interface RouteFacts {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters as `:name`. */
  readonly path: string;
  /** The official client's method, or ours in the same manner. */
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  /** `anyone`: nobody is asked who they are. `known`: everybody whose keys or session are good. Several: one of them is enough. */
  readonly permission: Permission | readonly Permission[] | "known" | "anyone";
  readonly errors?: ErrorForm;
  /** What it may answer when it goes well, by status. */
  readonly answers: Readonly<Record<number, TSchema | undefined>>;
  /** Refusals beside 400, 401, 403 and 429. */
  readonly refuses?: readonly number[];
  /** Asked of a route for anyone before its body is read. Throws an `ApiError` where the address itself lets nobody in. */
  readonly admits?: (asked: { readonly params: Readonly<Record<string, string>>; readonly query: Readonly<Record<string, unknown>>; readonly nowMs: number }) => void;
  /** Takes bytes as they came instead of JSON. */
  readonly bytes?: { readonly type: string; readonly most: number };
  /** Searches share a number of places; the rest is quick. */
  readonly isSearch?: boolean;
}

/** A call of the API: what it takes, who may, and what it does. */
export interface Route extends RouteFacts {
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** A body may be missing; it is then undefined. */
  readonly isBodyOptional?: boolean;
  readonly handle: (call: Call<never, never, never>) => RouteAnswer | Promise<RouteAnswer>;
}

type Of<S extends TSchema | undefined, E> = S extends TSchema ? Static<S> : E;

/** A route whose handler knows the types its schemas make. */
export function route<P extends TSchema | undefined = undefined, Q extends TSchema | undefined = undefined, B extends TSchema | undefined = undefined>(
  facts: RouteFacts & { readonly params?: P; readonly query?: Q; readonly body?: B; readonly isBodyOptional?: boolean },
  handle: (call: Call<Of<P, Record<string, string>>, Of<Q, Record<string, unknown>>, Of<B, unknown>>) => RouteAnswer | Promise<RouteAnswer>,
): Route {
  return { ...facts, handle: handle as Route["handle"] } as Route;
}

export const ok = (body: unknown, version?: number): RouteAnswer => ({ status: 200, body, ...(version === undefined ? {} : { version }) });
export const created = (body: unknown): RouteAnswer => ({ status: 201, body });
export const empty: RouteAnswer = { status: 204 };
