import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { random } from "../journal/support-plain.ts";
import { type Answer, ServedProcess } from "./child.ts";
import { atConfig, pause, serveFolders, settings, until } from "./process-support.ts";
import { both, burst, chain, fresh, login, spread } from "./rules.ts";
import { expectSame, journalOf, numbersOf, storedSignals, uninterrupted } from "./twin.ts";

const folder = serveFolders();
const proved = { ...burst, tests: [{ name: "a failure", query: "failed", expected: true, log: { ddsource: "sso", evt: { outcome: "failure" }, usr: { id: "eve" } } }] };

test("[IN-02] [IN-03] rules change under load: no event is lost, what stays knows what it knew, a bad rule changes nothing", async () => {
  const path = folder("reload", {
    "rules/stays.json": JSON.stringify([proved, chain, both]), "rules/other.json": JSON.stringify(spread), "rules/goes.json": JSON.stringify(fresh),
    "vespid.yaml": settings("", "rules"),
  });
  const server = await ServedProcess.start(atConfig(path), { haste: true });
  expect(server.port, server.stderr).toBeGreaterThan(0);
  const next = random(9);
  let nr = 0;
  const answers: Answer[] = [];
  const sent: number[] = [];
  let isOver = false;
  const senders = Array.from({ length: 3 }, async () => {
    while (!isOver) {
      const events = Array.from({ length: 1 + Math.floor(next() * 20) }, () => login(nr++, Date.now(), next));
      sent.push(...events.map((event) => event.nr as number));
      answers.push(await server.send(events));
      await pause(5);
    }
  });
  const reloads = (outcome: string) => server.metric(`vespid_rule_reloads_total{outcome="${outcome}"}`);
  const rulesNow = async () => (JSON.parse((await server.ask("GET", "/readyz")).text) as { rules: Record<string, unknown> }).rules;
  const goOn = async () => {
    const before = answers.length;
    await until("more is sent", () => answers.length > before + 30);
  };

  await goOn();
  // All but one have no sample that shows they can fire; a rule that reads signals is shown by scenarios alone.
  expect(await rulesNow()).toMatchObject({ judging: 5, reloads: { taken: 0, refused: 0 }, unproved_ids: expect.arrayContaining(["chain", "spread", "fresh"]) });
  expect((await rulesNow()).unproved_ids).not.toContain("burst");
  // An edited rule begins anew, and beside it comes another.
  writeFileSync(join(path, "rules/other.json"), JSON.stringify([{ ...spread, cases: [{ name: "many", status: "high", condition: "users > 4" }] }, { ...spread, id: "comes" }]));
  await until("the change is taken", async () => (await reloads("taken")) === 1);
  await goOn();
  expect(await rulesNow()).toMatchObject({ judging: 6 });

  // A rule with an error is refused, whatever else has changed for the good.
  writeFileSync(join(path, "rules/bad.json"), JSON.stringify({ ...burst, id: "bad", queries: [{ ...burst.queries[0]!, query: "source:(sso" }] }));
  rmSync(join(path, "rules/goes.json"));
  await until("the change is refused", async () => (await reloads("refused")) === 1);
  expect(await server.metric("vespid_rules_refused")).toBe(1);
  expect(await rulesNow()).toMatchObject({ judging: 6, refused: expect.stringMatching(/^query\/.*the rules from before judge$/) });
  expect(server.stderr).toMatch(/bad\.json:1:\d+: error query\//);
  expect(server.stderr).toContain("refused: the rules on disk have errors; those from before go on judging");
  await goOn();
  // A file that is none is refused too.
  writeFileSync(join(path, "rules/bad.json"), "{ not even JSON");
  await until("that is refused as well", async () => (await reloads("refused")) === 2);
  await goOn();

  rmSync(join(path, "rules/bad.json"));
  await until("the deletion is taken", async () => (await reloads("taken")) === 2);
  expect(await rulesNow()).toMatchObject({ judging: 5 });
  expect((await rulesNow()).refused).toBeUndefined();
  expect(await server.metric("vespid_rules_refused")).toBe(0);
  const freshSignals = storedSignals(join(path, "data")).filter(({ rule }) => rule === "fresh");
  await goOn();
  isOver = true;
  await Promise.all(senders);
  expect(await server.stop(), server.stderr).toBe(0);

  expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
  const { entries } = await journalOf(join(path, "data"));
  expect(numbersOf(entries).toSorted((a, b) => a - b)).toEqual(sent.toSorted((a, b) => a - b));
  const stayed = await uninterrupted(entries, [proved, chain, both]);
  expect(server.stderr).toContain(`closed: ${stayed.stats.events.toLocaleString("en-US")} events judged, `);
  const stored = storedSignals(join(path, "data"));
  const kept = new Set(["burst", "chain", "both"]);
  expect(stayed.signals.length).toBeGreaterThan(10);
  expectSame(stored.filter(({ rule }) => kept.has(rule)), stayed.signals);
  // What the rule that went had told stays told, and it told nothing more.
  expect(freshSignals.length).toBeGreaterThan(0);
  expect(stored.filter(({ rule }) => rule === "fresh")).toEqual(freshSignals);
  expect(stored.some(({ rule }) => rule === "comes")).toBe(true);
});
