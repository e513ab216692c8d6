import type { DecodeLimits } from "./exchange.ts";

const MB = 1024 * 1024;

/** All of it bounds what a sender can cost. */
export interface IntakeLimits extends DecodeLimits {
  /** One body on Datadog's paths, packed and unpacked. */
  readonly bodyBytes: number;
  /** One body on any path: protocols may take more than Datadog's, but not more than this. */
  readonly widestBodyBytes: number;
  /** All bodies in memory at once. */
  readonly inFlightBytes: number;
  readonly headerBytes: number;
  readonly connections: number;
  /** Open at a time from one address; of IPv6 from one /64. A proxy in front is one address. */
  readonly connectionsPerAddress: number;
  /** After so many requests with a wrong key of one address within `wrongKeysWaitMs`, its keys are not looked at for as long. */
  readonly wrongKeysPerAddress: number;
  readonly wrongKeysWaitMs: number;
  /** For all headers of a request. */
  readonly headersMs: number;
  /** For all of a body. */
  readonly bodyMs: number;
  /** A connection on which nothing is asked. */
  readonly idleMs: number;
  /** For requests under way when the server closes. */
  readonly drainMs: number;
  /** Different profiles that senders may make the engine compile. */
  readonly profiles: number;
}

export const defaultLimits: IntakeLimits = {
  recordBytes: MB,
  entries: 1000,
  records: 100_000,
  bodyBytes: 5 * MB,
  widestBodyBytes: 20 * MB,
  inFlightBytes: 256 * MB,
  headerBytes: 16 * 1024,
  connections: 4096,
  connectionsPerAddress: 1024,
  wrongKeysPerAddress: 300,
  wrongKeysWaitMs: 60_000,
  headersMs: 10_000,
  bodyMs: 30_000,
  idleMs: 75_000,
  drainMs: 10_000,
  profiles: 256,
};

export function intakeLimits(given: Partial<IntakeLimits> = {}): IntakeLimits {
  return { ...defaultLimits, ...given };
}
