import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { apiSignal } from "../../host/signal-model/api.ts";
import { timingsOf } from "../../host/signal-model/timings.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { beginnings } from "../../host/store/migration/beginnings.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { relatedSignals } from "../../host/store/signals-related.ts";
import { monthsBefore, retain } from "../../host/store/signals-retention.ts";
import { BULK_CAP, TriageStore } from "../../host/store/signals-triage.ts";
import { actors, firstMs, signalOf } from "./triage-support.ts";

const day = 86_400_000;
const [ann, bob] = [actors[0]!, actors[1]!];
let folder: string;
let sql: SqlDriver;
let store: SignalStore;
let triage: TriageStore;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vespid-triage-"));
  sql = SqlDriver.open(join(folder, "vespid.db"), migrations);
  store = new SignalStore(sql);
  nowMs = firstMs + 5000;
  triage = new TriageStore(sql, { nowMs: () => nowMs });
});
afterEach(() => {
  sql.close();
  rmSync(folder, { recursive: true, force: true });
});

const row = (id: string): Record<string, unknown> => ({ ...sql.get("SELECT * FROM signals WHERE id = ?", id) });
const detection = ["severity", "first_seen", "last_seen", "events_matched", "closes_at", "entities", "document", "created_at", "rule_id"];

describe("one signal", () => {
  test("[SI-05] [SI-26] is open when it is new; detection goes on and leaves alone what people wrote, and they leave detection's alone", () => {
    store.save([signalOf(1, 1)], [], nowMs);
    expect(store.get("s1")!.triage).toMatchObject({ state: "open", version: 1, incidentIds: [] });
    const before = row("s1");
    expect(triage.change("s1", { state: "under_review", assignee: bob, incidentIds: [2066] }, ann)).toMatchObject({ kind: "changed", before: { state: "open" }, triage: { state: "under_review", version: 2 }, actions: ["state_changed", "assigned", "incident_linked"] });
    const between = row("s1");
    for (const name of detection) expect(between[name], name).toEqual(before[name]);
    expect(between.version).toBe(2);
    store.save([signalOf(1, 2)], [], nowMs + 1000);
    const after = row("s1");
    for (const name of Object.keys(after).filter((each) => !detection.includes(each) && each !== "version" && each !== "change_number")) expect(after[name], name).toEqual(between[name]);
    expect(after.last_seen).toBe(firstMs + 60_002);
    expect(store.get("s1")).toMatchObject({ version: 3, createdMs: nowMs, closesMs: firstMs + 60_002 + 3_600_000, triage: { state: "under_review", assignee: bob } });
  });

  test("[SI-04] [SI-17] what was done, by whom and when, newest first", () => {
    store.save([signalOf(1)], [], nowMs);
    triage.change("s1", { state: "under_review", assignee: bob }, ann);
    nowMs += 60_000;
    triage.change("s1", { state: "archived", archiveReason: "false_positive", archiveComment: "scanner" }, bob);
    triage.change("s1", { assignee: null }, bob);
    const history = triage.history("s1");
    expect(history.map(({ action, actor, timestampMs, before, after, triageVersion }) => [action, actor.handle, timestampMs - firstMs, before, after, triageVersion])).toEqual([
      ["unassigned", "bob@example.com", 65_000, bob, null, 4],
      ["comment", "bob@example.com", 65_000, "", "scanner", 3],
      ["state_changed", "bob@example.com", 65_000, { state: "under_review" }, { state: "archived", archive_reason: "false_positive" }, 3],
      ["assigned", "ann@example.com", 5000, null, bob, 2],
      ["state_changed", "ann@example.com", 5000, { state: "open" }, { state: "under_review" }, 2],
    ]);
    expect(triage.history("s1", 2, history[0]!.number).map(({ action }) => action)).toEqual(["comment", "state_changed"]);
    expect(triage.history("gone")).toEqual([]);
  });

  test("what is so already writes nothing", () => {
    store.save([signalOf(1)], [], nowMs);
    triage.change("s1", { state: "under_review", assignee: bob, incidentIds: [1] }, ann);
    const before = row("s1");
    expect(triage.change("s1", { state: "under_review", assignee: bob, incidentIds: [1], version: 2 }, ann)).toMatchObject({ kind: "unchanged", triage: { version: 2 } });
    expect(row("s1")).toEqual(before);
    expect(triage.history("s1")).toHaveLength(3);
  });

  test("[SI-08] [SI-09] thirty days count from its creation, not from its logs", () => {
    store.save([signalOf(1)], [], nowMs);
    const createdMs = nowMs;
    nowMs = createdMs + 29 * day;
    expect(triage.change("s1", { state: "archived" }, ann).kind).toBe("changed");
    expect(triage.change("s1", { state: "open" }, ann).kind).toBe("changed");
    nowMs = createdMs + 31 * day;
    const before = row("s1");
    expect(triage.change("s1", { state: "archived" }, ann)).toMatchObject({ kind: "refused", refusal: { status: 400, code: "signal/locked" } });
    expect(triage.change("s1", { assignee: ann }, ann)).toMatchObject({ kind: "refused" });
    expect(row("s1")).toEqual(before);
  });

  test("one that is not there, or not for these eyes, is not found, and nothing tells which", () => {
    store.save([signalOf(1)], [], nowMs);
    const blind = new TriageStore(sql, { nowMs: () => nowMs, isVisible: () => false });
    const refusal = { code: "signal/not-found", status: 404, text: "Signal not found" };
    expect(triage.change("s2", { state: "archived" }, ann)).toEqual({ kind: "refused", id: "s2", refusal });
    expect(blind.change("s1", { state: "archived" }, ann)).toEqual({ kind: "refused", id: "s1", refusal });
    expect(store.get("s1")!.triage.state).toBe("open");
  });

  test("two who read the same version: the second is told", () => {
    store.save([signalOf(1)], [], nowMs);
    expect(triage.change("s1", { state: "under_review", version: 1 }, ann).kind).toBe("changed");
    expect(triage.change("s1", { state: "archived", version: 1 }, bob)).toMatchObject({ kind: "refused", refusal: { code: "signal/stale", status: 400 } });
    // Detection's changes are no reason to refuse.
    store.save([signalOf(1, 9)], [], nowMs);
    expect(triage.change("s1", { state: "archived", version: 2 }, bob).kind).toBe("changed");
  });

  test("times to detect, acknowledge and resolve are those of its row", () => {
    store.save([signalOf(0)], [], nowMs);
    nowMs += 10_000;
    triage.change("s0", { state: "under_review" }, ann);
    nowMs += 20_000;
    triage.change("s0", { state: "archived" }, ann);
    expect(timingsOf(store.get("s0")!)).toEqual({ timeToDetect: 5, timeToAcknowledge: 10, timeToResolve: 30, triageTime: 10 });
  });

  test("the API shows who is at it", () => {
    store.save([signalOf(1)], [], nowMs);
    triage.change("s1", { state: "under_review", assignee: bob }, ann);
    expect(apiSignal(store.get("s1")!).attributes.custom).toMatchObject({ workflow: { triage: { state: "under_review", assignee: { uuid: "u-bob" }, updater: { handle: "ann@example.com" } } } });
  });

  test("a signal that becomes part of another takes history and entities with it", () => {
    store.save([signalOf(1), signalOf(2)], [], nowMs);
    triage.change("s1", { assignee: bob }, ann);
    store.save([], ["s1"], nowMs);
    expect(sql.get("SELECT (SELECT count(*) FROM signal_history) AS history, (SELECT count(*) FROM signal_entities WHERE signal_id = 's1') AS entities")).toEqual({ history: 0, entities: 0 });
  });
});

describe("a signal that becomes part of another", () => {
  test("hands on what people did with it, where nobody did anything with the other", () => {
    store.save([signalOf(1), signalOf(2), signalOf(3)], [], nowMs);
    triage.change("s1", { state: "under_review", assignee: bob }, ann);
    const history = triage.history("s1");
    store.save([signalOf(2, 4)], [{ id: "s1", into: "s2" }], nowMs);
    expect(store.get("s1")).toBeUndefined();
    expect(store.get("s2")).toMatchObject({ eventsMatched: 4, triage: { state: "under_review", assignee: bob, version: 2 } });
    expect(triage.history("s2")).toEqual(history);
    // Where somebody did, that stands.
    triage.change("s3", { state: "archived" }, ann);
    store.save([], [{ id: "s2", into: "s3" }, { id: "none", into: "s3" }], nowMs);
    expect(store.all()).toMatchObject([{ id: "s3", triage: { state: "archived", version: 2 } }]);
    expect(triage.history("s3")).toHaveLength(1);
    // It may itself be told no more, or not yet.
    store.save([], [{ id: "s3", into: "elsewhere" }], nowMs);
    expect(store.count).toBe(0);
  });
});

describe("[SI-29] many signals", () => {
  test("one transaction, an outcome each; what is refused holds nothing back", () => {
    store.save([1, 2, 3].map((number) => signalOf(number)), [], nowMs);
    triage.change("s2", { state: "archived" }, ann);
    const outcomes = triage.bulk([
      { id: "s1", change: { state: "archived", archiveReason: "remediated" } }, { id: "none", change: { state: "archived" } }, { id: "s2", change: { state: "archived" } },
      { id: "s3", change: { state: "nonsense" } }, { id: "s3", change: { assignee: bob } }, { id: "s3", change: { state: "under_review", version: 2 } },
    ], ann);
    expect(outcomes).toMatchObject([
      { kind: "changed", id: "s1" }, { kind: "refused", id: "none", refusal: { status: 404 } }, { kind: "unchanged", id: "s2" }, { kind: "refused", id: "s3", refusal: { status: 400 } }, { kind: "changed", id: "s3" }, { kind: "changed", id: "s3", triage: { version: 3 } },
    ]);
    expect(store.all().map(({ triage: { state } }) => state)).toEqual(["archived", "archived", "under_review"]);
  });

  test("five hundred at most", () => {
    const items = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `s${i}`, change: { state: "archived" } }));
    store.save([signalOf(0)], [], nowMs);
    expect(triage.bulk(items(BULK_CAP + 1), ann)).toMatchObject({ code: "signal/too-many", status: 400 });
    expect(store.get("s0")!.triage.state).toBe("open");
    expect(triage.bulk(items(BULK_CAP), ann)).toHaveLength(500);
  });

  test("a fault in the midst leaves nothing of it", () => {
    store.save([signalOf(1), signalOf(2)], [], nowMs);
    const cruel = { get state(): string { throw new Error("midst"); } };
    expect(() => triage.bulk([{ id: "s1", change: { state: "archived" } }, { id: "s2", change: cruel }], ann)).toThrow("midst");
    expect(store.all().map(({ triage: { state } }) => state)).toEqual(["open", "open"]);
  });
});

describe("[SI-27] signals that have something in common", () => {
  test("those that share most, then those nearest in time, within seven days", () => {
    const at = (id: string, user: string, days: number) => signalOf(0, 0, { id, group: { "@usr.id": user }, firstSeenMs: firstMs + days * day, attributes: { usr: { id: user } } });
    const signals = [["own", "ann", "h1", 0], ["both", "ann", "h1", 6], ["user", "ann", "h2", -1], ["host", "eve", "h1", 2], ["none", "eve", "h2", 0], ["late", "ann", "h1", 7.1], ["early", "ann", "h1", -7.1]] as const;
    store.save(signals.map(([id, user, host, days]) => {
      const signal = at(id, user, days);
      return { ...signal, documentDetails: { ...signal.documentDetails!, hosts: [host] } };
    }), [], nowMs);
    expect(relatedSignals(sql, "own")!.map(({ signal, shared }) => [signal.id, shared])).toEqual([["both", ["@usr.id:ann", "host:h1"]], ["user", ["@usr.id:ann"]], ["host", ["host:h1"]]]);
    expect(relatedSignals(sql, "own", 1)!.map(({ signal }) => signal.id)).toEqual(["both"]);
    expect(relatedSignals(sql, "gone")).toBeUndefined();
  });

  test("what is only beside a signal relates it to none", () => {
    const list = (id: string, user: string) => signalOf(0, 0, { id, group: { "@usr.id": user }, attributes: { usr: { id: user }, network: { ip: { list: ["8.8.8.8"] } } } });
    store.save([list("a", "ann"), list("b", "bob")].map((signal) => ({ ...signal, documentDetails: { ...signal.documentDetails!, hosts: [] } })), [], nowMs);
    expect(relatedSignals(sql, "a")).toEqual([]);
  });

  test("an entity that very many have is looked at near by only", () => {
    store.save(Array.from({ length: 2500 }, (_, i) => signalOf(i, 0, { group: { "@usr.id": "all" }, attributes: { usr: { id: "all" } } })), [], nowMs);
    const found = relatedSignals(sql, "s1250", 5000)!;
    expect(found.length).toBe(999);
    expect(found.slice(0, 2).map(({ signal }) => signal.id).toSorted()).toEqual(["s1249", "s1251"]);
  });
});

describe("keeping", () => {
  test("[SI-25] signals go after fifteen months, with history and entities, a few at a time", async () => {
    const createdMs = Date.parse("2026-03-31T12:00:00Z");
    store.save(Array.from({ length: 25 }, (_, i) => signalOf(i)), [], createdMs);
    store.save([signalOf(100)], [], createdMs + 2000);
    nowMs = createdMs;
    triage.change("s3", { assignee: bob }, ann);
    const until = Date.parse("2027-06-30T12:00:00Z");
    expect(await retain(sql, until)).toBe(0);
    const chunks: number[] = [];
    expect(await retain(sql, until + 1000 + day, { chunk: 10, onDeleted: (ids) => chunks.push(ids.length) })).toBe(26);
    expect(chunks).toEqual([10, 10, 6]);
    expect(sql.get("SELECT (SELECT count(*) FROM signals) AS signals, (SELECT count(*) FROM signal_history) AS history, (SELECT count(*) FROM signal_entities) AS entities")).toEqual({ signals: 0, history: 0, entities: 0 });
  });

  test("for as long as it is set", async () => {
    store.save([signalOf(1)], [], Date.parse("2026-03-01T00:00:00Z"));
    expect(await retain(sql, Date.parse("2026-04-01T00:00:00Z"), { months: 1 })).toBe(0);
    expect(await retain(sql, Date.parse("2026-04-01T00:00:01Z"), { months: 1 })).toBe(1);
  });

  test.each([["2026-05-31T10:00:00Z", 3, "2026-02-28T10:00:00Z"], ["2028-05-31T00:00:00Z", 3, "2028-02-29T00:00:00Z"], ["2026-01-15T00:00:00Z", 15, "2024-10-15T00:00:00Z"]])("%s less %i months is %s", (from, months, to) => {
    expect(new Date(monthsBefore(Date.parse(from), months)).toISOString()).toBe(new Date(to).toISOString());
  });
});

describe("whoever keeps a copy", () => {
  test("reads on from the last change it has, detection's and people's", () => {
    store.save([signalOf(1), signalOf(2)], [], nowMs);
    const ids = (after: number): Array<[string, number]> => store.changedAfter(after, 10).map(({ id, changeNumber }) => [id, changeNumber]);
    expect(ids(0)).toEqual([["s1", 1], ["s2", 2]]);
    triage.change("s1", { state: "archived" }, ann);
    store.save([signalOf(2), signalOf(3)], [], nowMs);
    expect(ids(2)).toEqual([["s1", 3], ["s3", 4]]);
    // A number is given once, whoever is gone.
    store.save([], ["s3"], nowMs);
    store.save([signalOf(2, 5)], [], nowMs);
    expect(ids(4)).toEqual([["s2", 5]]);
  });

  test("entities move with the signal, and those it has no more go", () => {
    const entities = (): unknown[] => sql.all("SELECT entity, time, is_primary FROM signal_entities ORDER BY entity").map((each) => Object.values(each));
    store.save([signalOf(1, 1)], [], nowMs);
    expect(entities()).toEqual([["@usr.id:user-1", firstMs + 60_000, 1], ["host:host-1", firstMs + 60_000, 1]]);
    store.save([signalOf(1, 2)], [], nowMs);
    expect(entities()).toEqual([["@usr.id:user-1", firstMs + 60_000, 1], ["host:host-2", firstMs + 60_000, 1]]);
    store.save([signalOf(1, 2, { firstSeenMs: firstMs })], [], nowMs);
    expect(entities()).toEqual([["@usr.id:user-1", firstMs, 1], ["host:host-2", firstMs, 1]]);
  });

  test("a database of the first version is taken up: its signals are open, and can be triaged", () => {
    const path = join(folder, "old.db");
    const old = SqlDriver.open(path, [beginnings]);
    for (const id of ["a", "b"]) old.run("INSERT INTO signals VALUES (?, 'r', 'high', 1, 2, 3, ?, 1, '{}')", id, nowMs);
    old.close();
    const now = SqlDriver.open(path, migrations);
    const signals = new SignalStore(now);
    expect(signals.all()).toMatchObject([{ id: "a", changeNumber: 1, triage: { state: "open", version: 1 } }, { id: "b", changeNumber: 2 }]);
    expect(new TriageStore(now, { nowMs: () => nowMs }).change("a", { state: "archived" }, ann)).toMatchObject({ kind: "changed" });
    expect(signals.changedAfter(2, 10)).toMatchObject([{ id: "a", changeNumber: 3 }]);
    now.close();
  });
});
