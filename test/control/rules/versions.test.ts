import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ADMIN_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { diffLines, sideBySide, unifiedText } from "../../../host/control/rules/lines.ts";
import { changesBetween } from "../../../host/control/rules/changes.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { KeyStore } from "../../../host/store/keys.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PeopleStore } from "../../../host/store/people.ts";
import { TestRules, send, serverFolder } from "../../serve/support.ts";
import { BASE, ask, failedLogin, loginRule, signalled } from "./support.ts";

const folder = serverFolder();

/** Two people of the server's own, with keys. */
function people(data: string): Record<"ann" | "bob", Record<string, string>> {
  const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
  const [store, keys] = [new PeopleStore(sql), new KeyStore(sql)];
  const api = keys.create("api", "tests", 0).key;
  const keysOf = (name: string): Record<string, string> => {
    const user = store.addUser({ email: `${name}@example.com`, name }, 0);
    store.giveRole(user.id, ADMIN_ROLE_ID);
    return { "dd-api-key": api, "dd-application-key": keys.create("application", name, 0, { ownerId: user.id }).key };
  };
  const made = { ann: keysOf("ann"), bob: keysOf("bob") };
  sql.close();
  return made;
}

describe("versions of a rule", () => {
  test("[RU-13] [RU-14] [RU-15] [RU-16] five edits of two people: each is a version, any two are compared, one is restored, and the engine runs it", async () => {
    const data = join(folder.path, "five");
    const server = await folder.start(new TestRules([]), { data });
    const { ann, bob } = people(data);
    const { id } = (await ask(server, "POST", BASE, loginRule(), ann)).body;
    const edits = [
      [bob, { cases: [{ name: "many", status: "high", condition: "a > 2" }] }],
      [ann, { name: "Many failed logins", tags: ["source:auth"] }],
      [bob, { queries: [{ name: "a", query: "source:auth @evt.outcome:locked", groupByFields: ["@usr.id"] }], team: "blue" }],
      [ann, { cases: [{ name: "many", status: "critical", condition: "a > 4" }] }],
      [bob, { team: null, message: "Call them." }],
    ] as const;
    for (const [i, [who, change]] of edits.entries()) expect((await ask(server, "PUT", `${BASE}/${id}`, { ...change, version: i + 1 }, who)).body.version).toBe(i + 2);

    const history = (await ask(server, "GET", `${BASE}/${id}/version_history`, undefined, ann)).body.data;
    expect([history.id, history.type, history.attributes.count, Object.keys(history.attributes.data)]).toEqual([id, "GetRuleVersionHistoryResponse", 6, ["1", "2", "3", "4", "5", "6"]]);
    expect(Object.values<any>(history.attributes.data).map(({ rule }) => [rule.type, rule.version, rule.updater.handle])).toEqual(["ann", "bob", "ann", "bob", "ann", "bob"].map((name, i) => ["log_detection", i + 1, `${name}@example.com`]));
    expect(history.attributes.data[2].changes).toEqual([{ field: "cases[0].status", change: "high", type: "update" }, { field: "cases[0].notifications", change: "[]", type: "delete" }]);
    expect(history.attributes.data[6].changes).toEqual([{ field: "message", change: "Call them.", type: "update" }, { field: "team", change: "blue", type: "delete" }]);
    expect(history.attributes.data[1].changes).toEqual([]);
    const paged = (await ask(server, "GET", `${BASE}/${id}/version_history?page[size]=2&page[number]=1`, undefined, ann)).body.data.attributes;
    expect([paged.count, Object.keys(paged.data), paged.data[3].changes.length > 0]).toEqual([6, ["3", "4"], true]);

    const split = (await ask(server, "GET", `${BASE}/${id}/versions/diff?from=1&to=3`, undefined, bob)).body.data.attributes;
    expect([split.mode, split.authors]).toEqual(["split", { from: "ann@example.com", to: "ann@example.com" }]);
    expect(split.changes).toContainEqual({ path: "name", op: "modified", before: "Failed logins", after: "Many failed logins" });
    expect(split.changes).toContainEqual({ path: "tags[1]", op: "removed", before: "source:auth" });
    const nameRow = split.rows.find(({ left }: any) => left?.text.includes('"name": "Failed logins"'));
    expect([nameRow.left.class, nameRow.right.class, nameRow.right.text.trim()]).toEqual(["removed", "added", '"name": "Many failed logins",']);
    const unified = (await ask(server, "GET", `${BASE}/${id}/versions/diff?from=1&to=3&mode=unified`, undefined, bob)).body.data.attributes;
    expect(unified.text).toContain('\n-  "name": "Failed logins",\n+  "name": "Many failed logins",\n');
    for (const bad of ["from=1", "from=0&to=1", "from=1&to=2&mode=both"]) expect((await ask(server, "GET", `${BASE}/${id}/versions/diff?${bad}`)).status).toBe(400);
    expect((await ask(server, "GET", `${BASE}/${id}/versions/diff?from=1&to=7`)).status).toBe(404);

    // Of three failures in a row the rule of now knows nothing.
    await send(server, ["ann", "ann", "ann"].map(failedLogin), { "dd-api-key": ann["dd-api-key"]! });
    expect(await signalled(server)).toEqual([]);
    const restored = await ask(server, "POST", `${BASE}/${id}/restore/2`, undefined, ann);
    expect(restored.body).toMatchObject({ version: 7, name: "Failed logins", cases: [{ status: "high", condition: "a > 2" }], updater: { handle: "ann@example.com" } });
    await send(server, ["eve", "eve", "eve"].map(failedLogin), { "dd-api-key": ann["dd-api-key"]! });
    expect(await signalled(server)).toEqual([`${id} eve`]);
    expect(await ask(server, "POST", `${BASE}/${id}/restore/7`, undefined, ann)).toMatchObject({ status: 409, body: { error: { code: "AlreadyExists" } } });
    expect((await ask(server, "POST", `${BASE}/${id}/restore/99`)).status).toBe(404);
    expect((await ask(server, "POST", `${BASE}/${id}/restore/x`)).status).toBe(400);
    expect((await ask(server, "POST", `${BASE}/aaa-bbb-ccc/restore/1`)).body).toEqual({ errors: ["Threat detection rule not found: aaa-bbb-ccc"] });
    const [last] = server.audit.after(server.audit.head.number - 1, 1);
    expect(last!.record.attributes).toMatchObject({ action: "modified", asset: { type: "security_rule", id, prev_value: { message: "Call them." }, new_value: { name: "Failed logins" } }, usr: { id: "ann@example.com" } });
  });

  test("[RU-16] a default rule is restored to what was changed of it then, over the pack's base of now", async () => {
    const server = await folder.start(new TestRules([{ ...loginRule(), id: "pack-logins", isDefault: true }]), { data: join(folder.path, "default") });
    await ask(server, "PUT", `${BASE}/pack-logins`, { name: "Ours" });
    await ask(server, "PUT", `${BASE}/pack-logins`, { name: "Theirs" });
    expect((await ask(server, "POST", `${BASE}/pack-logins/restore/2`)).body).toMatchObject({ version: 4, customName: "Ours" });
    expect((await ask(server, "POST", `${BASE}/pack-logins/restore/1`)).body.customName).toBeUndefined();
    expect((await ask(server, "GET", `${BASE}/pack-logins/version_history`)).body.data.attributes.data[1].rule).toMatchObject({ isDefault: true, updater: { handle: "content-pack" } });
  });

  test("of changes made of one version one is taken, the others are told; none is lost", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "race") });
    const { id } = (await ask(server, "POST", BASE, loginRule({ counter: 0 }))).body;
    const same = await Promise.all(Array.from({ length: 8 }, (_, i) => ask(server, "PUT", `${BASE}/${id}`, { message: `from ${i}`, version: 1 })));
    expect(same.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 400)]);
    expect(same.find(({ status }) => status === 400)!.body.errors[0]).toContain("version: the rule is at version 2 now");
    const matched = await Promise.all(Array.from({ length: 4 }, (_, i) => ask(server, "PUT", `${BASE}/${id}`, { message: `if ${i}` }, { "if-match": '"2"' })));
    expect(matched.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
    // Read, add one, write, again where somebody was faster: as many as there were.
    const add = async (): Promise<void> => {
      for (;;) {
        const { body } = await ask(server, "GET", `${BASE}/${id}`);
        if ((await ask(server, "PUT", `${BASE}/${id}`, { counter: body.counter + 1, version: body.version })).status === 200) return;
      }
    };
    await Promise.all(Array.from({ length: 6 }, add));
    expect((await ask(server, "GET", `${BASE}/${id}`)).body).toMatchObject({ counter: 6, version: 9 });
  });
});

describe("what differs", () => {
  const anyLines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });

  test("[RU-14] lines taken away and lines added make the one text of the other, by the fewest there can be", () => {
    fc.assert(fc.property(anyLines, anyLines, (before, after) => {
      const lines = diffLines(before, after);
      expect(lines.filter(({ class: of }) => of !== "added").map(({ text, from }) => [text, from])).toEqual(before.map((text, i) => [text, i + 1]));
      expect(lines.filter(({ class: of }) => of !== "removed").map(({ text, to }) => [text, to])).toEqual(after.map((text, i) => [text, i + 1]));
      expect(lines.filter(({ class: of }) => of !== "same")).toHaveLength(before.length + after.length - 2 * longestCommon(before, after));
      const rows = sideBySide(lines);
      expect(rows.flatMap(({ left }) => (left ? [left.text] : []))).toEqual(before);
      expect(rows.flatMap(({ right }) => (right ? [right.text] : []))).toEqual(after);
      expect(unifiedText(lines).split("\n")).toHaveLength(Math.max(1, lines.length));
    }), { numRuns: 500 });
  });

  test("texts that have little in common are told as one block for another", () => {
    const before = Array.from({ length: 3000 }, (_, i) => `before ${i}`);
    const after = Array.from({ length: 3000 }, (_, i) => `after ${i}`);
    expect(diffLines(before, after).map(({ class: of }) => of)).toEqual([...before.map(() => "removed"), ...after.map(() => "added")]);
  });

  test("[RU-14] changes of documents, applied, make the one of the other", () => {
    const json = fc.jsonValue({ depthSize: "small" }).filter((value) => !JSON.stringify(value).includes("__proto__")).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(fc.property(json, json, (before, after) => {
      const changes = changesBetween(before, after);
      expect(changes.length === 0).toBe(JSON.stringify(sorted(before)) === JSON.stringify(sorted(after)));
    }));
    expect(changesBetween({ a: [1, { b: 2 }], c: 3 }, { a: [1, { b: 4 }, 5], d: null })).toEqual([
      { path: "a[1].b", op: "modified", before: 2, after: 4 }, { path: "a[2]", op: "added", after: 5 }, { path: "c", op: "removed", before: 3 }, { path: "d", op: "added", after: null },
    ]);
  });
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = 1; i <= a.length; i++) for (let j = 1; j <= b.length; j++) table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
  return table[a.length]![b.length]!;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)])) : Object.is(value, -0) ? 0 : value;
}
