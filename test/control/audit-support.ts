import { request } from "node:http";
import type { VespidServer } from "../../host/serve/server.ts";

export interface Told {
  readonly status: number;
  readonly body: any;
}

/** A call of the API of a real server, with whose keys one likes. */
export async function call(server: VespidServer, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Told> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: server.address.port, method, path, headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part)).on("end", () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: answer.statusCode!, body: text === "" ? undefined : JSON.parse(text) });
      });
    });
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Audit events of a query, newest first. */
export async function auditEvents(server: VespidServer, query: string, headers: Record<string, string> = {}): Promise<any[]> {
  const { body } = await call(server, "POST", "/api/v2/audit/events/search", { filter: { query, from: "now-1h", to: "now" }, page: { limit: 1000 } }, headers);
  return body.data;
}
