import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { random } from "../journal/support-plain.ts";
import { ServedProcess } from "./child.ts";
import { killRules, login } from "./rules.ts";
import { expectSame, journalOf, numbersOf, storedSignals, uninterrupted } from "./twin.ts";

/** VESPID_KILLS=1000 for the longer run. */
const KILLS = Number(process.env.VESPID_KILLS ?? 200);
/** Kills that one data folder lives through. */
const KILLS_EACH = 25;
const LANES = 2;
const SENDERS = 3;
const folder = mkdtempSync(join(tmpdir(), "vespid-kill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sent {
  readonly numbers: readonly number[];
  /** Undefined when no answer came. */
  status: number | undefined;
}

/** Sends batches, one after the other, until nobody answers. */
async function sender(server: ServedProcess, next: () => number, number: () => number, sent: Sent[]): Promise<void> {
  for (;;) {
    const events = Array.from({ length: 1 + Math.floor(next() ** 3 * 60) }, () => login(number(), Date.now(), next));
    const batch: Sent = { numbers: events.map(({ nr }) => nr as number), status: undefined };
    sent.push(batch);
    try {
      batch.status = (await server.send(events)).status;
    } catch {
      return;
    }
  }
}

/** One data folder through many kills. @returns what it came to. */
async function life(seed: number): Promise<{ kills: number; early: number; acknowledged: number; unanswered: number; taken: number; signals: number }> {
  const next = random(seed);
  const path = join(folder, String(seed));
  mkdirSync(path);
  writeFileSync(join(path, "rules.json"), JSON.stringify(killRules));
  writeFileSync(join(path, "vespid.yaml"), "data: data\nrules: [rules.json]\npack: none\nkeys_required: false\nworkers: 0\ncheckpoint_seconds: 1\nstate: 64mb\nhttp: { port: 0 }\n");
  const args = ["--config", join(path, "vespid.yaml")];
  const sent: Sent[] = [];
  let events = 0;
  let early = 0;
  for (let kill = 0; kill < KILLS_EACH; kill++) {
    // Half of them die at a chosen call to the disk or the database, the others whenever it happens, some before they listen.
    const manner = next();
    const dieAt = manner < 0.5 ? `${1 + Math.floor(next() ** 2 * 150)}:${["before", "after", "midst"][Math.floor(next() * 3)]}` : undefined;
    const starting = ServedProcess.start(args, { haste: true, ...(dieAt ? { dieAt } : {}) });
    const server = await starting;
    if (server.port === 0) {
      expect(await server.exited, server.stderr).toBe("SIGKILL");
      early++;
      continue;
    }
    const senders = Array.from({ length: SENDERS }, () => sender(server, next, () => events++, sent));
    if (!dieAt) setTimeout(() => server.child.kill("SIGKILL"), next() ** 2 * 300);
    else setTimeout(() => server.child.kill("SIGKILL"), 600);
    expect(await server.exited, server.stderr).toBe("SIGKILL");
    await Promise.all(senders);
  }
  const last = await ServedProcess.start(args, { haste: true });
  expect(last.port, last.stderr).toBeGreaterThan(0);
  expect((await last.send([login(events++, Date.now(), next)])).status).toBe(202);
  expect(await last.stop(), last.stderr).toBe(0);

  const { entries, damage } = await journalOf(join(path, "data"));
  expect(damage).toEqual([]);
  const numbers = numbersOf(entries);
  const inside = new Set(numbers);
  expect(inside.size, "an event is there twice").toBe(numbers.length);
  const acknowledged = sent.filter(({ status }) => status === 202);
  expect(acknowledged.flatMap((batch) => batch.numbers.filter((nr) => !inside.has(nr))), "acknowledged and not there").toEqual([]);
  const others = sent.filter(({ status }) => status !== 202);
  expect(others.filter(({ status }) => status !== undefined)).toEqual([]);
  // Whole, or not at all.
  const taken = others.filter((batch) => batch.numbers.some((nr) => inside.has(nr)));
  expect(taken.filter((batch) => !batch.numbers.every((nr) => inside.has(nr)))).toEqual([]);

  const twin = await uninterrupted(entries, killRules);
  expect(last.stderr).toContain(`closed: ${twin.stats.events.toLocaleString("en-US")} events judged, `);
  expectSame(storedSignals(join(path, "data")), twin.signals);
  return { kills: KILLS_EACH, early, acknowledged: acknowledged.length, unanswered: others.length, taken: taken.length, signals: twin.signals.length };
}

test(`[IN-02] killed ${KILLS} times under load, at any call to the disk or the database and at any time: signals are those of a run that nobody stopped`, async () => {
  const lives = Array.from({ length: Math.ceil(KILLS / KILLS_EACH) }, (_, i) => i + 1);
  const totals = { kills: 0, early: 0, acknowledged: 0, unanswered: 0, taken: 0, signals: 0 };
  const lane = async (): Promise<void> => {
    for (let seed = lives.shift(); seed !== undefined; seed = lives.shift()) {
      const came = await life(seed);
      for (const name of Object.keys(totals) as Array<keyof typeof totals>) totals[name] += came[name];
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(totals.kills).toBeGreaterThanOrEqual(KILLS);
  expect(totals.acknowledged).toBeGreaterThan(KILLS);
  // The kills met batches that were on disk and nobody was told of, and others that were not: else this test would show little.
  expect(totals.taken).toBeGreaterThan(0);
  expect(totals.unanswered).toBeGreaterThan(totals.taken);
  expect(totals.signals).toBeGreaterThan(KILLS / 2);
}, 1_800_000);
