import type { VespidServer } from "../../../host/serve/server.ts";

export type Wire = Record<string, any>;
export const BASE = "/api/v2/security_monitoring/rules";

/** A rule that sees failed logins of one user. */
export function loginRule(more: Wire = {}): Wire {
  return {
    name: "Failed logins", message: "Look at {{@usr.id}}.", isEnabled: true, type: "log_detection", tags: ["security:attack", "source:auth", "tactic:TA0006-credential-access", "technique:T1110-brute-force"],
    options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "a", query: "source:auth @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }],
    cases: [{ name: "many", status: "medium", condition: "a > 2", notifications: [] }],
    ...more,
  };
}

export const failedLogin = (user: string): Wire => ({ ddsource: "auth", message: "login failed", evt: { outcome: "failure" }, usr: { id: user } });

export interface Answer {
  readonly status: number;
  readonly body: any;
  readonly text: string;
  readonly bytes: Buffer;
  readonly headers: Headers;
}

export async function ask(server: Pick<VespidServer, "address">, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(`http://127.0.0.1:${server.address.port}${path}`, {
    method, ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { "content-type": isRaw ? "application/octet-stream" : "application/json" }), ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString("utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, body: parsed, text, bytes, headers: response.headers };
}

/** Groups of the signals there are, by rule. */
export async function signalled(server: VespidServer): Promise<string[]> {
  await server.detection.storeSignals();
  return server.signals.all().map(({ document }) => {
    const { group, rule_id: id } = JSON.parse(document) as { group: Record<string, string>; rule_id: string };
    return `${id} ${Object.values(group).join(",")}`;
  }).toSorted();
}
