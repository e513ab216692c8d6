import type { IntakeCounts } from "../contract.ts";
import type { Batching } from "./batching.ts";
import { onOneLine, type MessageReader } from "./message.ts";

/** Counts of one listener since start. */
export interface LineCounts extends IntakeCounts {
  /** Times a connection was paused because the sink was full. */
  pauses: number;
}

export interface StreamOptions {
  readonly needsKey: boolean;
  /** Whether lines have a source from the listener's settings. */
  readonly hasSource: boolean;
  /** Partition of a sender's lines. */
  readonly partition: (address: string) => string;
}

export function newLineCounts(): LineCounts {
  return { requests: 0, bytes: 0, unpackedBytes: 0, events: 0, truncated: 0, refused: 0, refusals: new Map(), rejected: new Map(), pauses: 0 };
}

/** A hand-over, or a datagram, that there was no room for. */
export function refuse(counts: IntakeCounts, reason: string): void {
  counts.refused++;
  counts.refusals.set(reason, (counts.refusals.get(reason) ?? 0) + 1);
}

export function reject(counts: IntakeCounts, reason: string): void {
  counts.rejected.set(reason, (counts.rejected.get(reason) ?? 0) + 1);
}

/** One message into a batch; false when it had no right to be there. */
export function takeMessage(bytes: Uint8Array, truncated: boolean, reader: MessageReader, partition: string, options: StreamOptions, batching: Batching, counts: LineCounts): boolean {
  const refusal = reader.read(bytes, truncated);
  if (refusal) {
    reject(counts, refusal);
    return false;
  }
  if (truncated) counts.truncated++;
  counts.events++;
  const payload = reader.start > 0 ? bytes.subarray(reader.start) : bytes;
  const line = onOneLine(payload, reader.format, options.hasSource);
  batching.add(line.format, partition, line.bytes);
  return true;
}

/**
 * Names partitions by sender, so that one with a clock that runs ahead does not make the others late. The first
 * `maxSenders` have their own; addresses of datagrams can be made up, so that there must be an end.
 */
export function senderPartitions(name: string, maxSenders: number): (address: string) => string {
  const known = new Set<string>();
  return (address) => {
    const sender = address.replace(/^::ffff:/, "");
    if (!known.has(sender)) {
      if (known.size >= maxSenders) return name;
      known.add(sender);
    }
    return `${name}/${sender}`;
  };
}
