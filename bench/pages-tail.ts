// An explorer left open with live tail on, while logs come in that each make a signal: what it keeps, minute by minute.
import { type PagesWorld, browserCost, round } from "./pages-world.ts";

const LOGS_A_SECOND = 3;
const MB = 1024 * 1024;
/** What the heap may grow by over the second half, in its own share. */
const MOST_GROWTH = 0.05;
const BARS = "▁▂▃▄▅▆▇█";

interface TailSample {
  readonly minute: number;
  /** After garbage was collected. */
  readonly heapMb: number;
  readonly nodes: number;
  readonly listeners: number;
  readonly serverRssMb: number;
  /** As the page says it. */
  readonly signals: number;
  /** Since the last sample, a minute. */
  readonly serverCpuMs: number;
  readonly browserCpuMs: number;
  readonly longTasks: number;
}

export interface TailResult {
  readonly minutes: number;
  readonly logsSent: number;
  readonly signalsArrived: number;
  readonly heapSlopeMbPerHour: number;
  readonly heapGrowthOfSecondHalf: number;
  readonly mustGrowth: number;
  readonly isBounded: boolean;
  readonly nodesMost: number;
  readonly samples: readonly TailSample[];
}

export async function tail(world: PagesWorld, minutes: number, progress: (text: string) => void): Promise<TailResult> {
  const open = await world.open();
  const { page, cdp } = open;
  await open.visit("/security/signals?from=now-7d&live=true", ".grid-row .column-title:not(:has(.grid-wait))");
  const everyMs = Math.min(60_000, (minutes * 60_000) / 12);
  let sent = 0;
  let isOver = false;
  let fault: unknown;
  const feeding = (async () => {
    const startMs = performance.now();
    while (!isOver) {
      await world.api("POST", "/api/v2/logs", [{ ddsource: "bench", service: "pages", hostname: `host-${sent % 20}`, message: "a log that makes a signal", marked: `tail-${startMs.toFixed(0)}-${sent}` }]);
      sent++;
      await pause(startMs + (sent * 1000) / LOGS_A_SECOND - performance.now());
    }
  })().catch((error: unknown) => (fault = error));
  const samples: TailSample[] = [];
  let last = { cpuNs: world.server.cpuNs(), taskMs: (await browserCost(open)).taskMs, atMs: performance.now() };
  const startMs = performance.now();
  for (let at = 0; at * everyMs <= minutes * 60_000 + 1; at++) {
    await pause(startMs + at * everyMs - performance.now());
    if (fault) throw fault;
    const cpuNs = world.server.cpuNs();
    const { taskMs } = await browserCost(open);
    const nowMs = performance.now();
    await cdp.send("HeapProfiler.collectGarbage");
    const { heapBytes, nodes, listeners } = await browserCost(open);
    const longTasks = await page.evaluate<number>("bench.longTasks.splice(0).filter((ms) => ms > 50).length");
    const told = await page.locator(".explorer-count [role=status]").textContent();
    // Nothing has gone by before the first.
    const perMinute = at === 0 ? 0 : 60_000 / Math.max(1, nowMs - last.atMs);
    const sample: TailSample = {
      minute: round((nowMs - startMs) / 60_000, 2), heapMb: round(heapBytes / MB, 2), nodes, listeners, serverRssMb: round(world.server.rssBytes() / MB), signals: Number((told ?? "").replace(/\D/g, "")),
      serverCpuMs: Math.round(((cpuNs - last.cpuNs) / 1e6) * perMinute), browserCpuMs: Math.round((taskMs - last.taskMs) * perMinute), longTasks,
    };
    last = { cpuNs, taskMs: (await browserCost(open)).taskMs, atMs: performance.now() };
    samples.push(sample);
    progress(`minute ${sample.minute.toFixed(1)}: heap ${sample.heapMb} MB, ${sample.nodes} nodes, server ${sample.serverRssMb} MB, ${sample.signals} signals, processor a minute: server ${sample.serverCpuMs} ms, page ${sample.browserCpuMs} ms`);
  }
  isOver = true;
  await feeding;
  await open.context.close();
  const half = samples.slice(samples.length >> 1);
  const slope = slopeOf(half.map(({ minute, heapMb }) => [minute, heapMb]));
  const growth = (slope * (half.at(-1)!.minute - half[0]!.minute)) / half[0]!.heapMb;
  return {
    minutes, logsSent: sent, signalsArrived: samples.at(-1)!.signals - samples[0]!.signals, heapSlopeMbPerHour: round(slope * 60, 3), heapGrowthOfSecondHalf: round(growth, 4), mustGrowth: MOST_GROWTH,
    isBounded: growth <= MOST_GROWTH, nodesMost: Math.max(...samples.map(({ nodes }) => nodes)), samples,
  };
}

/** Lines of a chart of a few rows, each from its least to its most. */
export function tailChart({ samples }: TailResult): string {
  const lines = ([["heap, MB", "heapMb"], ["DOM nodes", "nodes"], ["listeners", "listeners"], ["server RSS, MB", "serverRssMb"], ["signals", "signals"], ["server, ms a minute", "serverCpuMs"], ["page, ms a minute", "browserCpuMs"]] as const).map(([title, name]) => {
    const values = samples.map((sample) => sample[name]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const bars = values.map((value) => BARS[most === least ? 0 : Math.round(((value - least) / (most - least)) * (BARS.length - 1))]!).join("");
    return `${title.padEnd(20)} ${String(least).padStart(9)} ${bars} ${String(most)}`;
  });
  return `${lines.join("\n")}\n`;
}

/** Least squares. */
function slopeOf(points: ReadonlyArray<readonly [x: number, y: number]>): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
