import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { IntakeKeys } from "../contract.ts";
import type { Batching } from "./batching.ts";
import { cutText, isBlank } from "./framing.ts";
import { MessageReader } from "./message.ts";
import { type LineCounts, refuse, reject, type StreamOptions, takeMessage } from "./stream.ts";

/** Room in the kernel for bursts; it gives less where the system's limit is lower. */
const RECEIVE_BYTES = 4 * 1024 * 1024;

export interface DatagramOptions extends StreamOptions {
  readonly limitBytes: number;
}

/** Takes lines over UDP: one datagram is one message. Nobody can be asked to wait, so what comes while the sink is full is counted and gone. */
export class LineDatagrams {
  readonly #options: DatagramOptions;
  readonly #batching: Batching;
  readonly #counts: LineCounts;
  readonly #reader: MessageReader;
  #socket: Socket | undefined;

  constructor(options: DatagramOptions, batching: Batching, keys: IntakeKeys, counts: LineCounts) {
    this.#options = options;
    this.#batching = batching;
    this.#counts = counts;
    this.#reader = new MessageReader(keys, options.needsKey);
  }

  /** @returns the port listened on. */
  listen(host: string, port: number): Promise<number> {
    const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4", recvBufferSize: RECEIVE_BYTES });
    this.#socket = socket;
    return new Promise((resolve, refuse) => {
      socket.once("error", refuse);
      socket.bind(port, host, () => {
        socket.off("error", refuse);
        socket.on("error", () => reject(this.#counts, "receive-failed"));
        resolve(socket.address().port);
      });
      socket.on("message", (bytes, { address }) => this.#take(bytes, address));
    });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => (this.#socket ? this.#socket.close(() => resolve()) : resolve()));
  }

  #take(datagram: Uint8Array, address: string): void {
    const counts = this.#counts;
    counts.requests++;
    counts.bytes += datagram.length;
    counts.unpackedBytes += datagram.length;
    let end = datagram.length;
    while (end > 0 && (datagram[end - 1] === 10 || datagram[end - 1] === 13 || datagram[end - 1] === 0)) end--;
    const message = cutText(datagram.subarray(0, end), this.#options.limitBytes);
    if (isBlank(message)) return;
    if (this.#batching.isFull) {
      refuse(counts, "datagram");
      return;
    }
    takeMessage(message, message.length < end, this.#reader, this.#options.partition(address), this.#options, this.#batching, counts);
  }
}
