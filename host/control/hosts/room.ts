import { Type } from "typebox";
import { HostStore, REPORTING_MS, type StoredHost } from "../../store/hosts.ts";
import { ApiError } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { within } from "../logs/room.ts";
import { ok, route } from "../route.ts";

/** A host that was not heard of for so long is forgotten. */
const FORGOTTEN_MS = 30 * 86_400_000;
const DEFAULT_LOGS = "now-1d";

const Host = Type.Object({
  type: Type.Literal("host"), id: Type.String(),
  attributes: Type.Object({
    name: Type.String(), reporting: Type.Boolean(), first_seen: Type.Union([Type.String(), Type.Null()]), last_seen: Type.Union([Type.String(), Type.Null()]), agent_version: Type.Union([Type.String(), Type.Null()]),
    os: Type.Union([Type.String(), Type.Null()]), modules: Type.Array(Type.String()), tags: Type.Array(Type.String()), logs: Type.Integer(),
  }),
});

/**
 * Hosts that Agents told of, and those that logs name: who sends logs without an Agent that tells of itself shows, and who tells of
 * itself without logs. Whose roles see some logs alone sees the hosts of these.
 */
export function hostsRoom({ sql, logs, nowMs }: Pick<ControlContext, "sql" | "logs" | "nowMs">): Room {
  const store = new HostStore(sql);
  const routes = [
    route({
      method: "GET", path: "/api/v2/hosts", operationId: "listSecurityHosts", summary: "Hosts: when each was last heard of, its Agent's version and what that is switched on for, and how many logs it sent", tag: "Hosts", permission: "logs_read_data", isSearch: true,
      query: Type.Object({ "filter[logs_from]": Type.Optional(Type.String({ maxLength: 100 })) }), answers: { 200: Type.Object({ data: Type.Array(Host), meta: Type.Object({ total: Type.Integer(), reporting: Type.Integer(), complete: Type.Boolean() }) }) },
    }, async ({ query, principal }) => {
      const from = query["filter[logs_from]"] ?? DEFAULT_LOGS;
      const counted = await logs().aggregate({ filter: { query: "*", from, to: "now" }, group_by: [{ facet: "host", limit: 1000 }] }, within(principal));
      if (counted.status !== 200) throw new ApiError(counted.status, "filter[logs_from] is no time; write now-1d, or 2026-03-01T10:00:00Z");
      const { data: { buckets }, meta: { status } } = counted.body as { data: { buckets: ReadonlyArray<{ by: { host: string }; computes: Readonly<Record<string, number>> }> }; meta: { status: string } };
      const sent = new Map(buckets.map(({ by, computes }) => [by.host, Object.values(computes)[0] ?? 0]));
      const told = new Map(store.all().filter(({ name }) => !principal.restriction || sent.has(name)).map((host) => [host.name, host]));
      const names = [...new Set([...told.keys(), ...sent.keys()])].sort();
      const data = names.map((name) => ({ type: "host", id: name, attributes: attributesOf(name, told.get(name), sent.get(name) ?? 0, nowMs()) }));
      return ok({ data, meta: { total: data.length, reporting: data.filter(({ attributes }) => attributes.reporting).length, complete: status === "done" } });
    }),
  ];
  return { routes, tend: (atMs) => store.release(atMs - FORGOTTEN_MS) };
}

function attributesOf(name: string, told: StoredHost | undefined, logs: number, nowMs: number) {
  return {
    name, reporting: told !== undefined && told.lastSeenMs >= nowMs - REPORTING_MS, first_seen: told ? new Date(told.firstSeenMs).toISOString() : null, last_seen: told ? new Date(told.lastSeenMs).toISOString() : null,
    agent_version: told?.version ?? null, os: told?.os ?? null, modules: told?.modules ?? [], tags: told?.tags ?? [], logs,
  };
}
