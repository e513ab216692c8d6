// What the overview page costs (processor time is of all threads together): all its modules of a month and of a week, over signals that all came within 40 days.
// `node bench/overview.ts [--count N] [--json]`
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { entityRisk } from "../host/insight/entities.ts";
import { type ShownModule, overviewIds, readOverview } from "../host/insight/overview.ts";
import type { OverviewAsk } from "../host/insight/overview-ask.ts";
import { SignalNumbers } from "../host/insight/signal-numbers.ts";
import { attack } from "../host/mitre/attack.ts";
import { contentFolder } from "../host/packs.ts";
import { readSignalQuery } from "../host/signal-search/aliases.ts";
import { SignalSearch } from "../host/signal-search/signal-search.ts";
import { SqlDriver } from "../host/store/driver.ts";
import { migrations } from "../host/store/migrations.ts";
import { overviewSignals } from "../test/insight/overview-signals.ts";
import { writeSignals } from "./signals-data.ts";

const COUNT = Number(process.argv.includes("--count") ? process.argv[process.argv.indexOf("--count") + 1] : 100_000);
const ROUNDS = 15;
const DAY_MS = 86_400_000;
const nowMs = Date.UTC(2026, 2, 30, 11, 7);
const folder = mkdtempSync(join(tmpdir(), "vespid-bench-overview-"));
const path = join(folder, "signals.db");
const sql = SqlDriver.open(path, migrations);
writeSignals(sql, overviewSignals(COUNT, nowMs));
const search = new SignalSearch(path, { nowMs: () => nowMs });
for (let status = await search.status(); !status.isWhole; status = await search.status()) await new Promise((resolve) => setTimeout(resolve, 100));

const rows: Array<{ readonly name: string; readonly bestMs: number; readonly medianMs: number; readonly worstMs: number; readonly cpuMs: number }> = [];

function asking(days: number, round: number, isRestricted: boolean): OverviewAsk {
  // Another span each round: nothing is told from what was asked before.
  const toMs = nowMs - round * 1000;
  const restrict = isRestricted ? [readSignalQuery("team:payments OR source:okta")] : undefined;
  const risk = entityRisk({ signalSearch: search }, { toMs, sight: restrict ? { restriction: restrict } : {} });
  return {
    span: { fromMs: toMs - days * DAY_MS, toMs }, nowMs: toMs, numbers: new SignalNumbers(search, restrict), leastSignals: 5, isRestricted, rules: () => [], attack: () => attack(contentFolder()),
    risk: () => risk, packs: async () => [], sources: async () => undefined, logs: async () => ({ sources: [], isPartial: false }), news: () => [],
    onboarding: async () => ({ hasLogs: true, hasPack: true, hasNotificationRule: null, hasColleague: true, hasTriage: true, hasGeo: true }),
  };
}

async function measured(name: string, work: (round: number) => Promise<readonly ShownModule[]>): Promise<void> {
  const times: number[] = [];
  let cpu = process.cpuUsage();
  for (let round = 0; round <= ROUNDS; round++) {
    const startMs = performance.now();
    await work(round);
    // The first warms up.
    if (round > 0) times.push(performance.now() - startMs);
    else cpu = process.cpuUsage();
  }
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  rows.push({ name, bestMs: times[0]!, medianMs: times[times.length >> 1]!, worstMs: times.at(-1)!, cpuMs: (user + system) / 1000 / ROUNDS });
}

const plain = { order: [], hidden: [] };
const whole = (days: number, isRestricted = false) => async (round: number): Promise<readonly ShownModule[]> => await readOverview(asking(days, round, isRestricted), plain, undefined, () => true);
await measured("the whole page, a week", whole(7));
await measured("the whole page, a month", whole(30));
await measured("the whole page, a month, of what a role sees", whole(30, true));
for (const id of overviewIds) await measured(`${id}, a month`, async (round) => await readOverview(asking(30, round, false), plain, new Set([id]), () => true));

await search.close();
sql.close();
rmSync(folder, { recursive: true });
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ signals: COUNT, cores: cpus().length, rows })}\n`);
else for (const { name, bestMs, medianMs, worstMs, cpuMs } of rows) process.stdout.write(`${name.padEnd(50)} best ${bestMs.toFixed(1).padStart(8)} ms   median ${medianMs.toFixed(1).padStart(8)} ms   worst ${worstMs.toFixed(1).padStart(7)} ms   processor ${cpuMs.toFixed(1)} ms\n`);
