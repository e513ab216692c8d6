import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { ControlContext, Setup } from "../../../host/control/context.ts";
import type { Room } from "../../../host/control/control.ts";
import { rulesRoom } from "../../../host/control/rules/room.ts";
import { Journal } from "../../../host/journal/journal.ts";
import { LogSearch } from "../../../host/search/index.ts";
import { readRule } from "../../../host/rule/wire.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import type { Principal } from "../../../host/control/principal.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { person, serveRoutes } from "../support.ts";
import type { Wire } from "./support.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export interface ServedRoom extends Awaited<ReturnType<typeof serveRoutes>> {
  readonly room: Room;
  readonly sql: SqlDriver;
  readonly clock: { nowMs: number };
  /** What the engine would run by now. */
  readonly rules: () => readonly Rule[];
  readonly told: string[];
  readonly recorded: string[];
}

/** The room alone, with a clock that stands where it is put: engines are only tried. */
export async function serveRules(given: readonly Wire[] = [], sql = SqlDriver.open(":memory:", migrations), people: readonly Principal[] = []): Promise<ServedRoom> {
  closers.push(() => sql.close());
  const folder = mkdtempSync(join(tmpdir(), "vespid-rules-"));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const journal = await Journal.open(folder);
  closers.push(() => journal.close());
  const search = new LogSearch(journal);
  closers.push(() => search.close());
  const clock = { nowMs: Date.UTC(2026, 0, 31) };
  const base: Setup = { rules: given.map((wire) => readRule(wire)) };
  let setup = base;
  const told: string[] = [];
  const recorded: string[] = [];
  const context = {
    sql, nowMs: () => clock.nowMs, base: () => base, setup: () => setup, refresh: async () => void (setup = room.part!.complete(base)),
    logSearch: () => search, ruleWork: () => ({ sinceMs: clock.nowMs, events: 0, matches: new Map() }),
    onFault: (_where: string, error: unknown) => void told.push(String(error)),
    audit: { record: (who: { handle: string }, entry: { action: string; asset: { id: string } }) => void recorded.push(`${who.handle} ${entry.action} ${entry.asset.id}`) },
  } as unknown as ControlContext;
  const room: Room = rulesRoom(context);
  setup = room.part!.complete(base);
  const served = await serveRoutes(room.routes, [person("ann"), person("reader", ["security_monitoring_rules_read"]), person("writer", ["security_monitoring_rules_write"]), ...people], { nowMs: () => clock.nowMs, perMinute: 1_000_000 });
  return { ...served, room, sql, clock, rules: () => setup.rules as readonly Rule[], told, recorded };
}
