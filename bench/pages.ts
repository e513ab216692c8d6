// What it takes to look at 100,000 signals: pages in a real browser over a real server. First paint, first rows, the calls behind them,
// scrolling from one end to the other, and live tail over time.
// `node bench/pages.ts [--short] [--json] [--count N] [--only load,calls,scroll,tail] [--tail MINUTES]`. What a full run measured goes
// into the record, part by part.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenPage, type PagesWorld, DAYS, browserCost, makeWorld, quantile, round } from "./pages-world.ts";
import { tail, tailChart } from "./pages-tail.ts";

const short = process.argv.includes("--short");
const value = (flag: string): string | undefined => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined);
const COUNT = Number(value("--count") ?? (short ? 20_000 : 100_000));
const MINUTES = Number(value("--tail") ?? (short ? 3 : 60));
const parts = (value("--only") ?? "load,calls,scroll,tail").split(",");
const ROUNDS = short ? 3 : 7;
const CALL_ROUNDS = short ? 5 : 20;
const HELD_PRESSES = short ? 200 : 1000;
const PAINT_MS = 1500;
const OVERVIEW_MS = 300;
/** Of a frame, at the 95th percentile: one of two may be left out. */
const FRAME_MS = 34;
const WHEEL_PX = 2400;
const END = ".grid-row .column-title:not(:has(.grid-wait))";
const whole = `from=now-${DAYS + 1}d`;
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

interface Verdict {
  readonly must: number;
  readonly isMet: boolean;
}

interface LoadRow extends Verdict {
  readonly page: string;
  readonly paintMs: number;
  /** Until the first of what the page is for is in the document. */
  readonly rowsMs: number;
  readonly rowsWorstMs: number;
  readonly serverCpuMs: number;
  readonly pageCpuMs: number;
  readonly longTasks: number;
  readonly nodes: number;
}

/** What is wanted of each page; the time that is asked for is of first paint and first rows. */
const pages: ReadonlyArray<readonly [name: string, address: string, selector: string]> = [
  ["signals, a week", "/security/signals", END],
  ["signals, all", `/security/signals?${whole}`, END],
  ["overview, a week", "/security/overview", '[data-module="overview.kpi"]'],
  ["overview, a month", "/security/overview?from=now-30d", '[data-module="overview.kpi"]'],
  ["entities", "/security/entities", ".grid-row .column-value:not(:has(.grid-wait))"],
  ["rules", "/security/rules", ".grid-row .column-name:not(:has(.grid-wait))"],
  ["ATT&CK", "/security/mitre", ".mitre-tile"],
  ["ATT&CK, signals", "/security/mitre?mode=signals&from=now-30d", ".mitre-tile"],
];

async function loads(world: PagesWorld): Promise<LoadRow[]> {
  const rows: LoadRow[] = [];
  for (const [page, address, selector] of pages) {
    const samples: Array<{ readonly paintMs: number; readonly rowsMs: number; readonly longTasks: number; readonly serverMs: number; readonly pageMs: number; readonly nodes: number }> = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const open = await world.open();
      const cpuNs = world.server.cpuNs();
      await open.visit(address, selector);
      await open.page.waitForLoadState("networkidle");
      const [paintMs, rowsMs, longTasks] = await open.page.evaluate<[number, number, number]>("[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN, bench.readyMs, bench.longTasks.filter((ms) => ms > 50).length]");
      const { taskMs, nodes } = await browserCost(open);
      // The first warms up the server, not the browser: each is a profile of its own.
      if (i > 0) samples.push({ paintMs, rowsMs, longTasks, serverMs: (world.server.cpuNs() - cpuNs) / 1e6, pageMs: taskMs, nodes });
      await open.context.close();
    }
    const of = (name: keyof (typeof samples)[number]): number => round(quantile(samples.map((sample) => sample[name]), 0.5));
    const rowsMs = of("rowsMs");
    const paintMs = of("paintMs");
    rows.push({ page, paintMs, rowsMs, rowsWorstMs: round(Math.max(...samples.map((sample) => sample.rowsMs))), serverCpuMs: of("serverMs"), pageCpuMs: of("pageMs"), longTasks: of("longTasks"), nodes: of("nodes"), must: PAINT_MS, isMet: Math.max(paintMs, rowsMs) < PAINT_MS });
    progress(`${page}: first paint ${paintMs} ms, rows ${rowsMs} ms`);
  }
  return rows;
}

interface CallRow extends Verdict {
  readonly call: string;
  readonly bestMs: number;
  readonly medianMs: number;
  readonly worstMs: number;
  readonly serverCpuMs: number;
  readonly bytes: number;
}

async function calls(world: PagesWorld): Promise<CallRow[]> {
  const rows: CallRow[] = [];
  const measured = async (call: string, ask: () => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < 3; i++) await ask();
    const times: number[] = [];
    const cpuNs = world.server.cpuNs();
    let bytes = 0;
    for (let i = 0; i < CALL_ROUNDS; i++) {
      const startMs = performance.now();
      const answer = await ask();
      times.push(performance.now() - startMs);
      bytes = JSON.stringify(answer).length;
    }
    const medianMs = round(quantile(times, 0.5));
    rows.push({ call, bestMs: round(Math.min(...times)), medianMs, worstMs: round(Math.max(...times)), serverCpuMs: round((world.server.cpuNs() - cpuNs) / 1e6 / CALL_ROUNDS), bytes, must: OVERVIEW_MS, isMet: medianMs < OVERVIEW_MS });
    progress(`${call}: ${medianMs} ms`);
  };
  const signals = "/api/v2/security_monitoring/signals";
  const columns = ["severity", "timestamp", "title", "entities", "source", "events", "state", "assignee", "changed"];
  await measured("overview, a week", () => world.api("GET", "/api/v2/security/overview?from=now-7d&to=now"));
  await measured("overview, a month", () => world.api("GET", "/api/v2/security/overview?from=now-30d&to=now"));
  await measured("entities, 100 of all", () => world.api("GET", "/api/v2/security/entities?page[limit]=100&sort=-score"));
  await measured("signal rows, first 100 of all", () => world.api("POST", `${signals}/rows`, { from: `now-${DAYS + 1}d`, to: "now", columns, limit: 100 }));
  await measured("signal rows, 100 in the middle", () => world.api("POST", `${signals}/rows`, { from: `now-${DAYS + 1}d`, to: "now", columns, limit: 100, skip: COUNT >> 1 }));
  await measured("facets of all", () => world.api("POST", `${signals}/facets`, { from: `now-${DAYS + 1}d`, to: "now", facets: ["severity", "@workflow.triage.state", "@workflow.rule.name", "source", "service", "host", "env", "@usr.id", "@network.client.ip", "tactic", "technique"], limit: 8 }));
  await measured("bars of all", () => world.api("POST", `${signals}/aggregate`, { filter: { from: `now-${DAYS + 1}d`, to: "now" }, compute: [{ aggregation: "count", type: "timeseries", interval: 43_200_000 }], group_by: [{ facet: "severity" }] }));
  return rows;
}

interface ScrollRow extends Verdict {
  readonly way: string;
  readonly rows: number;
  readonly seconds: number;
  readonly frames: number;
  readonly frameP50Ms: number;
  readonly frameP95Ms: number;
  readonly frameWorstMs: number;
  readonly longTasks: number;
  readonly longestMs: number;
  readonly mostNodes: number;
  readonly serverCpuMs: number;
  readonly pageCpuMs: number;
}

async function scrolls(world: PagesWorld): Promise<ScrollRow[]> {
  const rows: ScrollRow[] = [];
  const open = await world.open();
  const { page } = open;
  await open.visit(`/security/signals?${whole}`, END);
  await page.waitForLoadState("networkidle");
  const measured = async (way: string, work: () => Promise<number>): Promise<void> => {
    const cpuNs = world.server.cpuNs();
    const before = await browserCost(open);
    const startMs = performance.now();
    let mostNodes = 0;
    const counting = setInterval(() => void page.evaluate<number>("document.querySelectorAll('.grid *').length").then((count) => (mostNodes = Math.max(mostNodes, count)), () => {}), 1000);
    await page.evaluate("bench.frame()");
    const passed = await work();
    const seconds = (performance.now() - startMs) / 1000;
    clearInterval(counting);
    await page.evaluate("void (bench.isFraming = false)");
    await page.locator(END).first().waitFor({ state: "attached" });
    mostNodes = Math.max(mostNodes, await page.evaluate<number>("document.querySelectorAll('.grid *').length"));
    const { frames, longTasks } = await page.evaluate<{ readonly frames: readonly number[]; readonly longTasks: readonly number[] }>("({ frames: bench.frames, longTasks: bench.longTasks.filter((ms) => ms > 50) })");
    const after = await browserCost(open);
    const frameP95Ms = round(quantile(frames, 0.95));
    rows.push({
      way, rows: passed, seconds: round(seconds), frames: frames.length, frameP50Ms: round(quantile(frames, 0.5)), frameP95Ms, frameWorstMs: round(Math.max(...frames)), longTasks: longTasks.length, longestMs: round(Math.max(0, ...longTasks)),
      mostNodes, serverCpuMs: Math.round((world.server.cpuNs() - cpuNs) / 1e6), pageCpuMs: Math.round(after.taskMs - before.taskMs), must: FRAME_MS, isMet: frameP95Ms <= FRAME_MS,
    });
    progress(`${way}: ${passed} rows in ${seconds.toFixed(1)} s, frames p95 ${frameP95Ms} ms, ${longTasks.length} long tasks`);
  };
  const box = (await page.locator(".grid").boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const firstShown = (): Promise<number> => page.evaluate<number>("Math.round(document.querySelector('.grid').scrollTop / 34)");
  const isAtEnd = (): Promise<boolean> => page.evaluate<boolean>("(({ scrollTop, clientHeight, scrollHeight }) => scrollTop + clientHeight >= scrollHeight - 2)(document.querySelector('.grid'))");
  await measured("by wheel, top to end", async () => {
    for (let i = 0; !(i % 20 === 19 && (await isAtEnd())); i++) await page.mouse.wheel(0, WHEEL_PX);
    return COUNT;
  });
  await measured("by wheel, slowly back", async () => {
    const from = await firstShown();
    for (let i = 0; i < (short ? 200 : 600); i++) await page.mouse.wheel(0, -120);
    return from - (await firstShown());
  });
  await page.evaluate("void (document.querySelector('.grid').scrollTop = 0)");
  await page.locator(END).first().waitFor({ state: "attached" });
  await measured("j held", () => held(open, "j", HELD_PRESSES, 1));
  await measured("PageDown held", () => held(open, "PageDown", HELD_PRESSES >> 1, 20));
  await open.context.close();
  return rows;
}

/** A key that is held repeats; a press waits for the page to have taken the one before. */
async function held({ page }: OpenPage, key: string, presses: number, rowsEach: number): Promise<number> {
  for (let i = 0; i < presses; i++) await page.keyboard.down(key);
  await page.keyboard.up(key);
  return presses * rowsEach;
}

const folder = mkdtempSync(join(tmpdir(), "vespid-bench-pages-"));
const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version, load: round(loadavg()[0]!, 2) };
let world: PagesWorld | undefined;
try {
  progress(`making ${COUNT} signals`);
  world = await makeWorld(folder, COUNT, ["pack:linux-auth", "pack:web-access", "pack:cloudtrail"]);
  progress(`served; the index took ${round(world.indexMs / 1000)} s`);
  const result = {
    ...(parts.includes("calls") ? { calls: await calls(world) } : {}),
    ...(parts.includes("load") ? { load: await loads(world) } : {}),
    ...(parts.includes("scroll") ? { scroll: await scrolls(world) } : {}),
    ...(parts.includes("tail") && MINUTES > 0 ? { tail: await tail(world, MINUTES, progress) } : {}),
  };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, signals: COUNT, ...result })}\n`);
  else print(result);
  if (!short && COUNT >= 100_000) keep(result);
} finally {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
}

function print({ calls: called, load, scroll, tail: tailed }: Partial<{ calls: CallRow[]; load: LoadRow[]; scroll: ScrollRow[]; tail: Awaited<ReturnType<typeof tail>> }>): void {
  const out = (text: string): void => void process.stdout.write(`${text}\n`);
  const said = (isMet: boolean): string => (isMet ? "ok" : "ABOVE");
  const ms = (number: number): string => `${number.toFixed(0).padStart(6)} ms`;
  out(`${machine.cpu}, ${machine.cores} processors, Node ${machine.node}, ${machine.load} processes at a time; ${COUNT} signals of ${DAYS} days`);
  for (const row of called ?? []) out(`call    ${row.call.padEnd(32)} median ${ms(row.medianMs)}   best ${ms(row.bestMs)}   worst ${ms(row.worstMs)}   server's processor ${ms(row.serverCpuMs)}   ${(row.bytes / 1024).toFixed(0)} KB   must < ${row.must} ${said(row.isMet)}`);
  for (const row of load ?? []) out(`load    ${row.page.padEnd(32)} first paint ${ms(row.paintMs)}   first rows ${ms(row.rowsMs)} (worst ${ms(row.rowsWorstMs)})   processor: server ${ms(row.serverCpuMs)}, page ${ms(row.pageCpuMs)}   long tasks ${row.longTasks}   must < ${row.must} ${said(row.isMet)}`);
  for (const row of scroll ?? []) out(`scroll  ${row.way.padEnd(32)} ${row.rows} rows in ${row.seconds} s   frames p50 ${row.frameP50Ms} p95 ${row.frameP95Ms} worst ${row.frameWorstMs} ms   long tasks ${row.longTasks} (longest ${row.longestMs} ms)   ${row.mostNodes} elements   processor: server ${ms(row.serverCpuMs)}, page ${ms(row.pageCpuMs)}   p95 must <= ${row.must} ${said(row.isMet)}`);
  if (!tailed) return;
  out(`live tail of ${tailed.minutes} minutes: ${tailed.logsSent} logs sent, ${tailed.signalsArrived} more signals shown; the page's heap over the second half ${tailed.heapSlopeMbPerHour} MB an hour, ${(tailed.heapGrowthOfSecondHalf * 100).toFixed(1)} %, must <= ${tailed.mustGrowth * 100} % ${said(tailed.isBounded)}`);
  out(tailChart(tailed));
}

function keep(result: object): void {
  const path = join(import.meta.dirname, "record", "pages.json");
  mkdirSync(join(import.meta.dirname, "record"), { recursive: true });
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as object) : {};
  writeFileSync(path, `${JSON.stringify({ ...before, machine, signals: COUNT, ...result }, null, 1)}\n`);
}
