import type { InputProfile } from "../engine/task.ts";
import type { IntakeKeys, IntakeSink } from "./contract.ts";
import { Batching } from "./lines/batching.ts";
import { LineConnections, type TlsOptions } from "./lines/connections.ts";
import { LineDatagrams } from "./lines/datagrams.ts";
import { type LineCounts, newLineCounts, refuse, senderPartitions } from "./lines/stream.ts";

export type { TlsOptions } from "./lines/connections.ts";
export type { LineCounts } from "./lines/stream.ts";

/** One address that takes lines: syslog in all its forms, and Datadog's `<API_KEY> <payload>`. */
export interface LineListenerOptions {
  readonly protocol: "udp" | "tcp" | "tls";
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Begins the names of its partitions; default the protocol and port, `syslog:tcp:6514`. */
  readonly name?: string;
  /** For `tls`. */
  readonly tls?: TlsOptions;
  /** False lets senders in that cannot send a key, such as network gear; default as the keys say. */
  readonly needsKey?: boolean;
  /** Taken by events that say nothing themselves. */
  readonly defaults?: Omit<InputProfile, "format">;
  /** Longest message, in bytes; default 64 KiB. */
  readonly limitBytes?: number;
  /** Default 1024. */
  readonly maxConnections?: number;
  /** Milliseconds of silence; default 15 minutes. */
  readonly idleMs?: number;
  /** Bytes handed on at once; default 512 KiB. */
  readonly flushBytes?: number;
  /** Longest wait of a line for company, in milliseconds; default 5. */
  readonly flushMs?: number;
  /** Bytes held in memory before senders are paused; default 4 MiB. */
  readonly heldBytes?: number;
  /** Senders with a partition of their own; default 256. */
  readonly maxSenders?: number;
  readonly nowMs?: () => number;
  readonly onError?: (error: unknown) => void;
}

const LIMIT_BYTES = 64 * 1024;
const IDLE_MS = 15 * 60_000;
/** Time for what is on its way when the listener closes. */
const GRACE_MS = 500;

/** A listener that is up. */
export interface LineListener {
  readonly port: number;
  readonly counts: LineCounts;
  readonly connections: number;
  /**
   * Takes no more, and hands on what it has for at most `withinMs`.
   *
   * @returns lines that the sink did not take.
   */
  close(withinMs?: number): Promise<number>;
}

/** Listens for lines and hands them to the sink in batches. Throws what the system says when it cannot listen. */
export async function listenForLines(options: LineListenerOptions, sink: IntakeSink, keys: IntakeKeys): Promise<LineListener> {
  const { protocol, host, defaults = {}, needsKey = keys.required, limitBytes = LIMIT_BYTES } = options;
  if (protocol === "tls" && !options.tls) throw new Error("lines over TLS need a certificate: set tls.cert and tls.key");
  const counts = newLineCounts();
  const batching = new Batching(sink, {
    profiles: { syslog: { ...defaults, format: "syslog" }, intake: { ...defaults, format: "intake" }, text: { ...defaults, format: "text" } },
    flushBytes: options.flushBytes ?? 512 * 1024,
    flushMs: options.flushMs ?? 5,
    heldBytes: options.heldBytes ?? 4 * 1024 * 1024,
    nowMs: options.nowMs ?? Date.now,
    onRefused: ({ reason }) => refuse(counts, reason),
    onError: options.onError ?? (() => {}),
  });
  const name = options.name ?? `syslog:${protocol}:${options.port}`;
  const stream = { needsKey, hasSource: defaults.source !== undefined, partition: senderPartitions(name, options.maxSenders ?? 256) };
  const door = protocol === "udp"
    ? new LineDatagrams({ ...stream, limitBytes }, batching, keys, counts)
    : new LineConnections({ ...stream, limitBytes, tls: protocol === "tls" ? options.tls : undefined, maxConnections: options.maxConnections ?? 1024, idleMs: options.idleMs ?? IDLE_MS }, batching, keys, counts);
  const port = await door.listen(host, options.port);
  return {
    port,
    counts,
    get connections() {
      return door instanceof LineConnections ? door.connections : 0;
    },
    async close(withinMs = 5000) {
      const graceMs = Math.min(GRACE_MS, withinMs / 2);
      await door.close(graceMs);
      return batching.close(withinMs - graceMs);
    },
  };
}
