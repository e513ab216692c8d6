import type { SqlDriver } from "./driver.ts";

/** An Agent tells of itself every half hour at least; one may get lost. */
export const REPORTING_MS = 75 * 60_000;

/** What an Agent tells of the host it is on. What is undefined it did not tell this time: what it told before stays. */
export interface HostBeat {
  readonly name: string;
  readonly version?: string;
  readonly os?: string;
  /** What it is switched on for, such as `logs`. */
  readonly modules?: readonly string[];
  readonly tags?: readonly string[];
}

export interface StoredHost extends Required<Pick<HostBeat, "name" | "modules" | "tags">> {
  readonly version: string | undefined;
  readonly os: string | undefined;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

/** Hosts that Agents told of. */
export class HostStore {
  readonly #sql: SqlDriver;
  readonly #most: number;

  /** @param most beyond it those that told of themselves least lately are forgotten: names come from outside */
  constructor(sql: SqlDriver, most = 20_000) {
    this.#sql = sql;
    this.#most = most;
  }

  beat({ name, version, os, modules, tags }: HostBeat, nowMs: number): void {
    const isNew = this.#sql.run(
      `INSERT INTO hosts (name, first_seen, last_seen, agent_version, os, modules, tags) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
      name, nowMs, nowMs, version ?? null, os ?? null, JSON.stringify(modules ?? []), JSON.stringify(tags ?? []),
    ).changes > 0;
    if (isNew) {
      this.#sql.run("DELETE FROM hosts WHERE name IN (SELECT name FROM hosts ORDER BY last_seen DESC, name LIMIT -1 OFFSET ?)", this.#most);
      return;
    }
    this.#sql.run(
      "UPDATE hosts SET last_seen = max(last_seen, ?), agent_version = coalesce(?, agent_version), os = coalesce(?, os), modules = coalesce(?, modules), tags = coalesce(?, tags) WHERE name = ?",
      nowMs, version ?? null, os ?? null, modules ? JSON.stringify(modules) : null, tags ? JSON.stringify(tags) : null, name,
    );
  }

  /** By name. */
  all(): StoredHost[] {
    return this.#sql.all("SELECT name, first_seen, last_seen, agent_version, os, modules, tags FROM hosts ORDER BY name").map((row) => ({
      name: String(row.name), firstSeenMs: Number(row.first_seen), lastSeenMs: Number(row.last_seen), version: row.agent_version === null ? undefined : String(row.agent_version),
      os: row.os === null ? undefined : String(row.os), modules: JSON.parse(String(row.modules)) as string[], tags: JSON.parse(String(row.tags)) as string[],
    }));
  }

  /** Those that told of themselves since then. */
  countSince(sinceMs: number): number {
    return Number(this.#sql.get("SELECT count(*) AS hosts FROM hosts WHERE last_seen >= ?", sinceMs)!.hosts);
  }

  /** Hosts that have not been heard of for long. */
  release(beforeMs: number): void {
    this.#sql.run("DELETE FROM hosts WHERE last_seen < ?", beforeMs);
  }
}
