import { connect, type Socket } from "node:net";
import { corpus } from "./corpus.ts";

/** A POST of an array of events, as bytes on the wire. */
export interface LoadRequest {
  readonly bytes: Buffer;
  readonly events: number;
}

/** POSTs of about so many bytes each; whole events, no more than an array may have. */
export function requestsOf(bodyBytes: number, count: number, seed = 1): LoadRequest[] {
  const lines = Buffer.from(corpus("mix", bodyBytes * count + 64 * 1024, seed)).toString("latin1").trimEnd().split("\n");
  const requests: LoadRequest[] = [];
  for (let at = 0; requests.length < count; ) {
    const from = at;
    for (let size = 0; at < lines.length && at - from < 1000 && (at === from || size + lines[at]!.length < bodyBytes); at++) size += lines[at]!.length + 1;
    requests.push(requestOf(lines.slice(from, at)));
    if (at >= lines.length) at = 0;
  }
  return requests;
}

export function requestOf(events: readonly string[]): LoadRequest {
  const body = Buffer.from(`[${events.join(",")}]`, "latin1");
  const head = `POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nDD-API-KEY: k\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { bytes: Buffer.concat([Buffer.from(head), body]), events: events.length };
}

/** One connection, one request at a time; another connection where a server has closed one that was idle. */
export class Sender {
  readonly #port: number;
  #socket: Socket | undefined;
  #heard = "";
  #answered: (status: number) => void = () => {};
  #failed: (error: Error) => void = () => {};

  private constructor(port: number) {
    this.#port = port;
  }

  static async open(port: number): Promise<Sender> {
    const sender = new Sender(port);
    await sender.#connect();
    return sender;
  }

  /** Status of the answer. */
  async send(request: Uint8Array): Promise<number> {
    const socket = this.#socket ?? (await this.#connect());
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      socket.write(request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true }, () => {
        this.#socket = socket;
        resolve(socket);
      });
      socket.on("data", (chunk: Buffer) => this.#hear(chunk.toString("latin1")));
      socket.on("error", (error) => {
        reject(error);
        this.#failed(error);
      });
      socket.on("close", () => {
        this.#socket = undefined;
        this.#failed(new Error("the server closed the connection"));
      });
    });
  }

  #hear(text: string): void {
    this.#heard += text;
    const end = this.#heard.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#heard)?.[1] ?? 0);
    if (this.#heard.length < end + 4 + length) return;
    const status = Number(this.#heard.slice(9, 12));
    this.#heard = "";
    this.#answered(status);
  }
}

/** Sends requests over all senders, each after the answer to its last, until `until` says so. @returns events that were acknowledged. */
export async function sendAll(senders: readonly Sender[], requests: readonly LoadRequest[], until: (sent: number) => boolean): Promise<number> {
  let sent = 0;
  let events = 0;
  await Promise.all(senders.map(async (sender) => {
    while (!until(sent)) {
      const request = requests[sent++ % requests.length]!;
      const status = await sender.send(request.bytes);
      if (status !== 202) throw new Error(`the server answers ${status}`);
      events += request.events;
    }
  }));
  return events;
}
