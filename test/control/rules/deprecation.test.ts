import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadRules } from "../../../host/cli/load-rules.ts";
import { deletionMs } from "../../../host/control/rules/deprecation.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { RuleStore } from "../../../host/store/rules.ts";
import { TestRules, serverFolder } from "../../serve/support.ts";
import { serveRules } from "./room-support.ts";
import { BASE, ask as served, loginRule } from "./support.ts";

const folder = serverFolder();
const DAY_MS = 86_400_000;
const nobody = { userId: "", handle: "ann", name: "ann" };

describe("deprecation", () => {
  test("[RU-19] [RU-20] [RU-21] [RU-22] at its date a rule judges no more and names its successor; fifteen months later it is gone, and until then it can be cloned", async () => {
    const { ask, clock, room, rules, recorded, sql } = await serveRules();
    const next = (await ask("POST", BASE, loginRule({ name: "Better" }))).body.id as string;
    const deprecationDate = clock.nowMs + 10 * DAY_MS;
    const { id, isDeprecated, isEnabled, lint } = (await ask("POST", BASE, loginRule({ deprecationDate, replacedBy: next }))).body;
    expect([isDeprecated, isEnabled, lint.map(({ code }: { code: string }) => code).includes("rule/unknown-field")]).toEqual([false, true, false]);
    clock.nowMs = deprecationDate - 1;
    await room.tend!(clock.nowMs);
    expect(rules().map((rule) => rule.isEnabled)).toEqual([true, true]);
    clock.nowMs = deprecationDate;
    await room.tend!(clock.nowMs);
    expect(rules().find((rule) => rule.id === id)?.isEnabled).toBe(false);
    expect((await ask("GET", `${BASE}/${id}`)).body).toMatchObject({ isDeprecated: true, isEnabled: false, deprecationDate, replacedBy: next, deletionDate: Date.UTC(2027, 4, 10) });
    expect((await ask("GET", `${BASE}?query=isDeprecated:true`)).body.data.map((rule: { id: string }) => rule.id)).toEqual([id]);
    expect((await ask("PUT", `${BASE}/${id}`, { isEnabled: true })).body.errors[0]).toContain("clone it");
    expect((await ask("PUT", `${BASE}/${id}`, { deprecationDate: clock.nowMs - 600 * DAY_MS })).status).toBe(400);
    clock.nowMs = Date.UTC(2027, 4, 10) - 1;
    await room.tend!(clock.nowMs);
    const clone = (await ask("POST", `${BASE}/${id}/clone`, { isEnabled: true })).body;
    expect([clone.isEnabled, clone.isDeprecated, clone.deprecationDate]).toEqual([true, false, undefined]);
    clock.nowMs++;
    await room.tend!(clock.nowMs);
    for (const [method, path] of [["GET", ""], ["POST", "/clone"], ["GET", "/version_history"]]) expect((await ask(method!, `${BASE}/${id}${path}`)).status).toBe(404);
    expect(recorded).toEqual([`vespid deleted ${id}`]);
    expect(new RuleStore(sql).versionCount(id)).toBe(0);
    expect(rules().map((rule) => rule.id).toSorted()).toEqual([next, clone.id].toSorted());
  });

  test("[RU-20] a date that is taken back, or put off, lets the rule judge again", async () => {
    const { ask, clock, room, rules } = await serveRules();
    const { id } = (await ask("POST", BASE, loginRule({ deprecationDate: clock.nowMs + 1 }))).body;
    clock.nowMs += 1;
    await room.tend!(clock.nowMs);
    expect(rules()[0]!.isEnabled).toBe(false);
    expect((await ask("PUT", `${BASE}/${id}`, { deprecationDate: null, isEnabled: true })).body).toMatchObject({ isEnabled: true, isDeprecated: false });
    expect(rules()[0]!.isEnabled).toBe(true);
  });

  test("[RU-19] a pack deprecates its own rule", async () => {
    const given = { ...loginRule(), id: "pack-old", isDefault: true, deprecationDate: Date.UTC(2026, 1, 1), replacedBy: "pack-new" };
    const { ask, clock, room, rules } = await serveRules([given]);
    clock.nowMs = Date.UTC(2026, 1, 1);
    await room.tend!(clock.nowMs);
    expect([(await ask("GET", `${BASE}/pack-old`)).body.isDeprecated, rules()[0]!.isEnabled, (await ask("PUT", `${BASE}/pack-old`, { isEnabled: true })).status]).toEqual([true, false, 400]);
    clock.nowMs = Date.UTC(2027, 4, 1);
    await room.tend!(clock.nowMs);
    expect([(await ask("GET", `${BASE}/pack-old`)).status, rules()]).toEqual([404, []]);
  });

  test("months have ends of their own", () => {
    expect([new Date(deletionMs(Date.UTC(2026, 10, 30, 5))).toISOString(), new Date(deletionMs(Date.UTC(2025, 10, 30))).toISOString(), deletionMs(8.64e15)]).toEqual(["2028-02-29T05:00:00.000Z", "2027-02-28T00:00:00.000Z", Infinity]);
  });
});

describe("rules that a new release reads no more", () => {
  test("are left out, told and shown; changes of a pack's rule that it cannot take are left out alone", async () => {
    const sql = SqlDriver.open(":memory:", migrations);
    const store = new RuleStore(sql);
    const broken = { ...loginRule(), options: { detectionMethod: "crystal_ball" } };
    store.create("aaa-aaa-aaa", "own", { whole: broken, document: broken }, nobody, 0);
    const good = loginRule();
    store.create("bbb-bbb-bbb", "own", { whole: good, document: good }, nobody, 0);
    const given = { ...loginRule(), id: "pack", isDefault: true };
    store.create("pack", "given", { whole: given, document: { cases: { "name:many": { customStatus: "doom" } } }, baseHash: "old" }, nobody, 0);
    const { ask, rules, told } = await serveRules([given], sql);
    expect(rules().map(({ id, isEnabled }) => [id, isEnabled])).toEqual([["pack", true], ["bbb-bbb-bbb", true]]);
    expect(told.map((text) => /stored rule (\S+)/.exec(text)?.[1])).toEqual(["pack", "aaa-aaa-aaa"]);
    expect((await ask("GET", `${BASE}/aaa-aaa-aaa`)).body).toMatchObject({ id: "aaa-aaa-aaa", isEnabled: false, faults: [{ place: "options.detectionMethod" }] });
    expect((await ask("GET", BASE)).body.meta).toMatchObject({ page: { total_count: 3 }, not_judging: 2 });
    expect((await ask("PUT", `${BASE}/aaa-aaa-aaa`, { options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 0 } })).body).toMatchObject({ version: 2, isEnabled: true });
    expect(rules()).toHaveLength(3);
  });
});

describe("where rules come from", () => {
  test("[RU-01] those of packs are default rules, those of other files are not", () => {
    const { rules, fileOf } = loadRules(["pack:linux-auth", "fixtures/demo/rules"]);
    expect(rules.filter(({ isDefault }) => isDefault).length).toBeGreaterThan(3);
    for (const rule of rules) expect([rule.id, rule.isDefault, rule.wire.isDefault]).toEqual([rule.id, fileOf(rule).includes("linux-auth"), fileOf(rule).includes("linux-auth") ? true : undefined]);
  });

  test("a rule of the API that lies in a file as well is judged once, as the API has it, and that is told", async () => {
    const sql = SqlDriver.open(":memory:", migrations);
    const document = loginRule({ name: "Stored" });
    new RuleStore(sql).create("aaa-aaa-aaa", "own", { whole: document, document }, nobody, 0);
    const { ask, rules, told } = await serveRules([{ ...loginRule({ name: "Filed" }), id: "aaa-aaa-aaa" }], sql);
    expect(rules().map(({ name }) => name)).toEqual(["Stored"]);
    expect(told).toHaveLength(1);
    expect((await ask("PUT", `${BASE}/aaa-aaa-aaa`, { name: "Edited" })).body.name).toBe("Edited");
    expect([rules().map(({ name }) => name), told.length]).toEqual([["Edited"], 1]);
  });
});

describe("a file that closes a circle with rules of the API", () => {
  test("keeps no server from starting: the API's rule stands back until the circle is open, and says so", async () => {
    const data = join(folder.path, "circle");
    const given = loginRule({ name: "filed" });
    const reads = (ruleId: string): object => ({ type: "signal_correlation", queries: [{ name: "a", ruleId, correlatedByFields: ["@usr.id"] }] });
    const first = await folder.start(new TestRules([{ ...given, id: "file-rule" }]), { data });
    const { id } = (await served(first, "POST", BASE, loginRule({ name: "reads it", ...reads("file-rule") }))).body;
    await first.close();
    const second = await folder.start(new TestRules([{ ...given, ...reads(id), id: "file-rule" }]), { data });
    expect((await served(second, "GET", `${BASE}/${id}`)).body).toMatchObject({ type: "signal_correlation", faults: [{ code: "rule/signal-cycle" }] });
    expect((await served(second, "GET", BASE)).body.meta).toMatchObject({ page: { total_count: 2 }, not_judging: 1 });
    expect(String((folder.faults as [string, Error][])[0]![1])).toContain(`the stored rule ${id} does not judge`);
    await second.close();
    const third = await folder.start(new TestRules([{ ...given, id: "file-rule" }]), { data });
    expect((await served(third, "GET", `${BASE}/${id}`)).body.faults).toBeUndefined();
  });
});
