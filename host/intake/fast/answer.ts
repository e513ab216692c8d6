import { STATUS_CODES } from "node:http";
import type { Answer } from "../exchange.ts";

/** An answer as bytes. The one that almost every request gets is made once. */
export class AnswerBytes {
  #last: Answer | undefined;
  #bytes: Buffer = Buffer.alloc(0);

  of(answer: Answer, closes = false): Buffer {
    if (closes) return bytesOf({ ...answer, headers: { ...answer.headers, connection: "close" } });
    if (this.#last === undefined || !isSame(answer, this.#last)) {
      this.#last = answer;
      this.#bytes = bytesOf(answer);
    }
    return this.#bytes;
  }
}

function isSame(a: Answer, b: Answer): boolean {
  return a === b || (a.status === b.status && a.body === b.body && a.type === b.type && a.headers === b.headers);
}

function bytesOf({ status, body = "", type = "application/json", headers = {} }: Answer): Buffer {
  const content = Buffer.from(body as string);
  const hasContent = status !== 204;
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  if (hasContent) lines.push(`Content-Type: ${type}`, `Content-Length: ${content.length}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return hasContent ? Buffer.concat([head, content]) : head;
}
