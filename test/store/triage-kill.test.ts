import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { linksOf } from "../../host/signal-model/entities.ts";
import { readDocument } from "../../host/signal-model/document.ts";
import type { StoredSignal } from "../../host/signal-model/stored.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { type HistoryEntry, TriageStore } from "../../host/store/signals-triage.ts";
import { random } from "../journal/support-plain.ts";

const KILLS = Number(process.env.VESPID_STORE_KILLS ?? 20);
const folder = mkdtempSync(join(tmpdir(), "vespid-triage-kill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** History told from the beginning comes to what the columns say, and every write stands in it. */
function expectWhole({ id, triage, version }: StoredSignal, newestFirst: readonly HistoryEntry[]): void {
  const told = { state: "open", reason: "none", comment: "", assignee: null as unknown, incidents: [] as unknown, cases: [] as unknown };
  const history = newestFirst.toReversed();
  for (const { action, after } of history) {
    if (action === "state_changed") {
      const { state, archive_reason: reason = "none" } = after as { readonly state: string; readonly archive_reason?: string };
      Object.assign(told, { state, reason });
    } else if (action === "comment") told.comment = after as string;
    else if (action === "assigned" || action === "unassigned") told.assignee = after;
    else if (action.startsWith("incident")) told.incidents = after;
    else told.cases = after;
  }
  expect(told, id).toEqual({ state: triage.state, reason: triage.archiveReason, comment: triage.archiveComment, assignee: triage.assignee ?? null, incidents: triage.incidentIds, cases: triage.caseIds });
  const versions = [...new Set(history.map(({ triageVersion }) => triageVersion))];
  expect(versions, id).toEqual(Array.from({ length: triage.version - 1 }, (_, i) => i + 2));
  expect(version, id).toBeGreaterThanOrEqual(triage.version);
}

test(`killed ${KILLS} times while signals are stored and triaged: no record is torn`, async () => {
  const path = join(folder, "vespid.db");
  const next = random(5);
  let writes = 0;
  let history = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "triage-child.ts"), path, String(kill)], { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk));
    // Some die before they have opened it.
    if (next() < 0.85) await Promise.race([once(child.stdout, "data"), once(child, "close")]);
    await sleep(next() * 150);
    child.kill("SIGKILL");
    if (child.signalCode === null) await once(child, "close");
    expect([child.signalCode, errors]).toEqual(["SIGKILL", ""]);

    const sql = SqlDriver.open(path, migrations);
    try {
      expect(sql.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
      expect(sql.all("PRAGMA foreign_key_check")).toEqual([]);
      const store = new SignalStore(sql);
      const triage = new TriageStore(sql, { nowMs: () => 0 });
      const signals = store.all();
      for (const signal of signals) {
        expectWhole(signal, triage.history(signal.id, 100_000));
        const document = readDocument(signal.document);
        expect([document.id, document.events_matched, document.severity]).toEqual([signal.id, signal.eventsMatched, signal.severity]);
        const links = sql.all("SELECT entity, type, is_primary, time FROM signal_entities WHERE signal_id = ? ORDER BY entity", signal.id).map((row) => ({ ...row }));
        const expected = linksOf(document).map(({ entity, type, isPrimary }) => ({ entity, type: type ?? null, is_primary: isPrimary ? 1 : 0, time: signal.firstSeenMs }));
        expect(links, signal.id).toEqual(expected.toSorted((a, b) => (a.entity < b.entity ? -1 : 1)));
      }
      const numbers = signals.map(({ changeNumber }) => changeNumber);
      expect(new Set(numbers).size, "a number is given twice").toBe(numbers.length);
      expect(Math.max(...numbers)).toBeLessThanOrEqual(Number(sql.get("SELECT number FROM signal_changes")!.number));
      const bulk = signals.filter(({ id }) => id.startsWith("bulk"));
      expect([0, 5]).toContain(bulk.length);
      expect(new Set(bulk.map(({ triage: { incidentIds } }) => incidentIds.join())).size, "half a bulk").toBeLessThanOrEqual(1);
      writes = Number(sql.get("SELECT number FROM signal_changes")!.number);
      history = Number(sql.get("SELECT count(*) AS count FROM signal_history")!.count);
    } finally {
      sql.close();
    }
  }
  // Else this showed little.
  expect(writes).toBeGreaterThan(KILLS * 10);
  expect(history).toBeGreaterThan(KILLS);
}, 120_000);
