import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import { ControlApi, type ControlOptions } from "../../host/control/api.ts";
import type { AuditEntry } from "../../host/control/audit-trail.ts";
import { allPermissions, type Permission } from "../../host/control/permission.ts";
import type { Principal } from "../../host/control/principal.ts";
import type { Route } from "../../host/control/route.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export function person(name: string, permissions: Iterable<Permission> = allPermissions): Principal {
  return { userId: `id-${name}`, handle: `${name}@example.com`, name, email: `${name}@example.com`, authMethod: "API + App Key", applicationKeyId: `key-${name}`, permissions: new Set(permissions) };
}

export interface Asked {
  readonly status: number;
  readonly body: any;
  readonly text: string;
  readonly headers: Headers;
}

/** Routes on a port of their own; whose key is in `DD-APPLICATION-KEY` asks. */
export async function serveRoutes(routes: readonly Route[], people: readonly Principal[], more: Partial<ControlOptions> = {}): Promise<{
  readonly url: string;
  readonly api: ControlApi;
  readonly trail: { readonly who: Principal; readonly entry: AuditEntry }[];
  readonly faults: unknown[];
  ask(method: string, path: string, body?: unknown, as?: string | undefined, headers?: Record<string, string>): Promise<Asked>;
}> {
  const trail: { who: Principal; entry: AuditEntry }[] = [];
  const faults: unknown[] = [];
  const api = await ControlApi.create({
    routes, version: "0.0.0", nowMs: Date.now, onFault: (_where, error) => void faults.push(error),
    audit: { record: (who, entry) => void trail.push({ who, entry }) },
    doorkeeper: {
      who: ({ headers }) => {
        const key = headers["dd-application-key"];
        if (key === undefined) return { status: 401, text: "a key is required" };
        return people.find(({ name }) => name === key) ?? { status: 403, text: "Forbidden" };
      },
    },
    ...more,
  });
  const server = createServer((request, response) => api.handle(request, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await api.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url, api, trail, faults,
    async ask(method, path, body, as = people[0]?.name, headers = {}) {
      const isRaw = typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(`${url}${path}`, {
        method, body: body === undefined ? undefined : isRaw ? (body as string) : JSON.stringify(body),
        headers: { ...(as === undefined || as === "" ? {} : { "dd-application-key": as }), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      });
      const text = await response.text();
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        parsed = undefined;
      }
      return { status: response.status, body: parsed, text, headers: response.headers };
    },
  };
}
