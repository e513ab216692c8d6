import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ServedProcess } from "../serve/child.ts";
import { atConfig, pause, serveFolders, settings, until } from "../serve/process-support.ts";
import { journalOf, numbersOf, storedSignals } from "../serve/twin.ts";

const folder = serveFolders();
const indicator = "@threat_intel.results.indicator";
/** In the feed of the even turns, in that of the odd ones, and in both. */
const [even, odd, always] = ["203.0.113.1", "203.0.113.2", "203.0.113.9"] as const;
const TURNS = 4;

const rule = (id: string, query: string, groupByFields: readonly string[] = ["@batch"]): Record<string, unknown> => ({
  id, name: id, message: id, isEnabled: true, type: "log_detection", tags: ["security:threat-intel"], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query, aggregation: "count", groupByFields }], cases: [{ name: "", status: "high", condition: "a > 0" }],
});
const rules = [
  rule("even", `${indicator}:${even}`), rule("odd", `${indicator}:${odd}`), rule("always", `${indicator}:${always}`, []),
  rule("both", `${indicator}:${even} ${indicator}:${odd}`), rule("neither", `@nr:* -${indicator}:${even} -${indicator}:${odd}`),
];

test("[TI-06] a feed is replaced under load: every acknowledged log is judged once, by the old feed before and by the new one from then on", async () => {
  const path = folder("feed", {
    "rules.json": JSON.stringify(rules), "feed.txt": `${even}\n${always}\n`, "vespid.yaml": settings("threat_intel:\n  feeds:\n    - { name: list, path: feed.txt, category: scanner }\n"),
  });
  const server = await ServedProcess.start(atConfig(path), { haste: true });
  expect(server.port, server.stderr).toBeGreaterThan(0);
  const statuses = new Set<number>();
  const sizes: number[] = [];
  let nr = 0;
  let isOver = false;
  const senders = Array.from({ length: 2 }, async (_, sender) => {
    while (!isOver) {
      const batch = sizes.length;
      sizes.push(5 + ((batch + sender) % 11));
      const events = Array.from({ length: sizes[batch]! }, () => ({ nr: nr++, batch: `b${batch}`, message: `from ${even} by ${odd}`, peer: [always] }));
      statuses.add((await server.send(events)).status);
      await pause(20);
    }
  });
  const judged = (id: string): Map<number, number> => new Map(storedSignals(join(path, "data")).filter(({ rule: by }) => by === id).map(({ document, events }) => [Number(/"b(\d+)"/.exec(document)![1]), events]));
  for (let turn = 0; turn < TURNS; turn++) {
    const [listed, id] = turn % 2 ? [odd, "odd"] : [even, "even"];
    if (turn > 0) {
      writeFileSync(join(path, "feed.new"), `${always}\n${listed}\n`);
      renameSync(join(path, "feed.new"), join(path, "feed.txt"));
    }
    const from = sizes.length;
    await until(`the feed of turn ${turn} judges`, async () => {
      await pause(100);
      return [...judged(id).keys()].some((batch) => batch > from);
    }, 60_000);
  }
  isOver = true;
  await Promise.all(senders);
  expect(await server.stop(), server.stderr).toBe(0);

  expect([...statuses]).toEqual([202]);
  const { entries } = await journalOf(join(path, "data"));
  const inOrder = numbersOf(entries);
  expect(inOrder.toSorted((a, b) => a - b)).toEqual(Array.from({ length: nr }, (_, i) => i));
  expect(server.stderr).toContain(`closed: ${nr.toLocaleString("en-US")} events judged, `);
  const told = storedSignals(join(path, "data"));
  expect(told.filter(({ rule: by }) => by === "both" || by === "neither")).toEqual([]);
  expect(told.filter(({ rule: by }) => by === "always").reduce((sum, { events }) => sum + events, 0)).toBe(nr);
  // Each log once, under the one feed or the other.
  const [evens, odds] = [judged("even"), judged("odd")];
  expect(sizes.map((_, batch) => (evens.get(batch) ?? 0) + (odds.get(batch) ?? 0))).toEqual(sizes);
  // As they stand in the journal, the feed changes as often as the file did, and never back.
  const batches = [...new Set(entries.flatMap(({ bytes }) => [...Buffer.from(bytes).toString().matchAll(/"batch":"b(\d+)"/g)].map(([, batch]) => Number(batch))))];
  const turns = batches.flatMap((batch) => [...(evens.has(batch) ? ["even"] : []), ...(odds.has(batch) ? ["odd"] : [])]);
  expect(turns.filter((by, i) => by !== turns[i - 1])).toEqual(Array.from({ length: TURNS }, (_, turn) => (turn % 2 ? "odd" : "even")));
}, 300_000);
