import { join } from "node:path";
import { expect, test } from "vitest";
import type { VespidServer } from "../../../host/serve/server.ts";
import { both, burst, chain, login, spread } from "../../serve/rules.ts";
import { TestRules, send, serverFolder } from "../../serve/support.ts";
import { Dice } from "../../search/support.ts";
import { matches } from "../../../host/query/matches.ts";
import type { Setup } from "../../../host/control/context.ts";
import { Canaries } from "../../../host/control/rules/health.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { person } from "../support.ts";
import { serveRules } from "./room-support.ts";

const RULES = "/api/v2/security_monitoring/rules";
const folder = serverFolder();
const sample = (outcome: string, expected = true): unknown => ({ name: `a ${outcome}`, query: "failed", expected, log: { ddsource: "sso", evt: { outcome }, usr: { id: "eve" } } });

async function ask(server: VespidServer, method: string, path: string, body?: unknown): Promise<any> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  return await answer.json();
}

test("a rule is proved by its own tests, or it is told what keeps it from being so", async () => {
  const { ask: asked } = await serveRules([
    { ...burst, id: "proved", tests: [sample("failure"), sample("other", false)] }, { ...burst, id: "wrong", tests: [sample("failure"), sample("success")] },
    { ...burst, id: "silent", tests: [sample("success", false)] }, { ...burst, id: "off", isEnabled: false, tests: [sample("failure")] }, burst, { ...chain, tests: [{ ...(sample("success") as object), query: "b" }] }, both,
  ]);
  const { body } = await asked("GET", `${RULES}/health`, undefined, "reader");
  expect(Object.fromEntries(body.data.map(({ id, attributes: { canary, reason } }: any) => [id, [canary, reason]]))).toEqual({
    proved: ["proved", undefined], wrong: ["failing", "1 of 2 tests not as expected: a success"], silent: ["unproved", "no test of it has a log that it matches"], burst: ["unproved", "no test of it has a log that it matches"],
    off: ["idle", "it is disabled"], chain: ["proved", undefined], both: ["unproved", "it judges signals, and no scenario of it shows that it fires"],
  });
  expect((await asked("GET", `${RULES}/health`, undefined, "writer")).status).toBe(403);
});

test("a test whose log is none is failing, and the tests of other rules tell what they tell without it", async () => {
  const deep = JSON.parse(`${'{"a":'.repeat(300)}1${"}".repeat(300)}`);
  const { ask: asked } = await serveRules([
    { ...burst, id: "none", tests: [{ name: "too deep", query: "failed", expected: true, log: deep }] }, { ...burst, id: "proved", tests: [sample("failure")] }, { ...burst, id: "wrong", tests: [sample("success"), sample("failure", false)] },
  ]);
  const { status, body } = await asked("GET", `${RULES}/health`, undefined, "reader");
  expect(status).toBe(200);
  expect(body.data.map(({ id, attributes: { canary, reason } }: any) => [id, canary, reason])).toEqual([
    ["none", "failing", "1 of 1 tests not as expected: too deep"], ["proved", "proved", undefined], ["wrong", "failing", "2 of 2 tests not as expected: a success, a failure"],
  ]);
});

test("only what changed is looked at again: a rule, and rules that filter by tables where these are others", async () => {
  const canaries = new Canaries();
  const plain = readRule({ ...burst, id: "plain", tests: [sample("failure")] });
  const tabled = readRule({ ...burst, id: "tabled", tests: [sample("failure")], referenceTables: [{ tableName: "people", columnName: "user", logFieldPath: "@usr.id", checkPresence: true, ruleQueryName: "failed" }] });
  const setup = (user: string, ...rules: readonly Rule[]): Setup => ({ rules: [plain, tabled, ...rules], referenceTables: { people: [{ user }] } });
  const before = await canaries.of(setup("ann"));
  expect([...before].map(([id, { state }]) => [id, state])).toEqual([["plain", "proved"], ["tabled", "failing"]]);
  const after = await canaries.of(setup("eve", readRule({ ...burst, id: "new" })));
  expect([...after].map(([id, { state }]) => [id, state])).toEqual([["plain", "proved"], ["tabled", "proved"], ["new", "unproved"]]);
  expect(after.get("plain")).toBe(before.get("plain"));
  expect((await canaries.of({ ...setup("eve"), pipelines: [] })).get("plain")).not.toBe(before.get("plain"));
});

test("a rule of a pack or a file is the same one after others changed", async () => {
  const { ask: asked, rules } = await serveRules([{ ...burst, isDefault: true }, spread]);
  const [first, second] = rules();
  expect((await asked("PUT", `${RULES}/${burst.id}`, { isEnabled: false })).status).toBe(200);
  expect(rules().map(({ id, isEnabled }) => [id, isEnabled])).toEqual([[first!.id, false], [second!.id, true]]);
  expect(rules()[1]).toBe(second);
});

test("what rules took since the start is the matches of their queries, counted on when rules change", async () => {
  const server = await folder.start(new TestRules([burst, spread]), { data: join(folder.path, "health") });
  const dice = new Dice(5);
  let nr = 0;
  const sent: any[] = [];
  const sendSome = async (): Promise<void> => {
    const events = Array.from({ length: 60 }, () => login(nr++, Date.now(), () => dice.next()));
    sent.push(...events);
    expect(await send(server, events)).toBe(202);
    await server.detection.storeSignals();
  };
  const expected = (wire: typeof burst | typeof spread, events = sent): number => {
    const { queries } = readRule(wire);
    return events.reduce((sum, { ddsource, timestamp, ...attributes }) => sum + queries.filter(({ node }) => matches(node, { source: ddsource, attributes, tags: [], timestampMs: timestamp } as never)).length, 0);
  };
  const health = async (): Promise<any> => {
    const { data, meta } = await ask(server, "GET", `${RULES}/health`);
    return { meta, byRule: Object.fromEntries(data.map(({ id, attributes }: any) => [id, attributes])) };
  };
  await sendSome();
  const before = await health();
  expect(before.byRule.burst.matches).toBe(expected(burst));
  expect(before.byRule.spread.matches).toBe(expected(spread));
  expect(before.byRule.burst.matches).toBeGreaterThan(10);
  const { id: _id, ...own } = spread;
  const { id } = await ask(server, "POST", RULES, own);
  const soFar = sent.length;
  await sendSome();
  const { byRule, meta } = await health();
  expect(byRule.burst).toMatchObject({ matches: expected(burst), share: expected(burst) / meta.matches });
  expect([byRule.spread.matches, byRule[id].matches]).toEqual([expected(spread), expected(spread, sent.slice(soFar))]);
  // That the rule was made is an event too.
  expect(meta).toMatchObject({ since: before.meta.since, events: sent.length + 1, matches: byRule.burst.matches + byRule.spread.matches + byRule[id].matches });
});

test("whoever may see some logs only is told of no numbers", async () => {
  const { ask: asked } = await serveRules([burst], undefined, [{ ...person("narrow"), restriction: [readRule(burst).queries[0]!.node] }]);
  const { body } = await asked("GET", `${RULES}/health`, undefined, "narrow");
  expect(body).toEqual({ data: [{ id: "burst", type: "rule_health", attributes: { canary: "unproved", reason: expect.any(String) } }], meta: {} });
});
