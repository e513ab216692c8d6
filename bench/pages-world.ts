// A served Vespid with many signals, and a browser that is logged in: what pages are measured on.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, type CDPSession, type Page, chromium } from "playwright-core";
import { withPeople } from "../host/cli/people-store.ts";
import { hashPassword } from "../host/control/people/password.ts";
import { SqlDriver } from "../host/store/driver.ts";
import { migrations } from "../host/store/migrations.ts";
import { overviewSignals } from "../test/insight/overview-signals.ts";
import { chromiumPath, ensureBrowser } from "../tools/browser.mjs";
import { type ServerProcess, startVespid } from "./serve-process.ts";
import { writeSignals } from "./signals-data.ts";

const EMAIL = "bench@example.com";
const PASSWORD = "correct horse battery 9";
const root = join(import.meta.dirname, "..");
/** Signals were created within so many days. */
export const DAYS = 40;
const WRITTEN_AT_ONCE = 10_000;

export interface PagesWorld {
  readonly server: ServerProcess;
  readonly browser: Browser;
  readonly url: string;
  readonly indexMs: number;
  /** JSON of the API. */
  api<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T>;
  /** A page in a profile of its own, whose caches are empty, logged in. */
  open(): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly cdp: CDPSession;
  /** Begins to load an address, with a watch for the first element that a selector finds. */
  visit(address: string, selector: string): Promise<void>;
}

/** What every page notes: tasks of more than 50 ms, frames when they are asked for, and when the first wanted element was there. */
const watch = (selector: string): string => `(() => {
  const bench = (globalThis.bench = { longTasks: [], frames: [], readyMs: null, isFraming: false });
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) bench.longTasks.push(duration); }).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (bench.readyMs !== null || !document.querySelector(${JSON.stringify(selector)})) return;
    bench.readyMs = performance.now();
    observer.disconnect();
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { childList: true, subtree: true, characterData: true });
  bench.frame = () => {
    bench.isFraming = true;
    bench.frames = [];
    bench.longTasks.length = 0;
    let last = performance.now();
    const step = (now) => {
      if (!bench.isFraming) return;
      bench.frames.push(now - last);
      last = now;
      requestAnimationFrame(step);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(step); });
  };
})()`;

export async function makeWorld(folder: string, count: number, rules: readonly string[] = []): Promise<PagesWorld> {
  ensureBrowser();
  const executablePath = chromiumPath();
  if (!executablePath) throw new Error("there is no Chromium here: VESPID_CHROMIUM names one");
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true });
  const keys = await withPeople(data, true, async ({ people, keys: store }) => {
    const user = people.addUser({ email: EMAIL, name: EMAIL, passwordHash: await hashPassword(PASSWORD) }, Date.now());
    people.giveRole(user.id, people.roleByName("Datadog Admin Role")!.id);
    return { apiKey: store.create("api", "bench", Date.now()).key, appKey: store.create("application", "bench", Date.now(), { ownerId: user.id }).key };
  });
  const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
  const made = overviewSignals(count, Date.now(), DAYS);
  for (let at = 0; at < count; at += WRITTEN_AT_ONCE) writeSignals(sql, made.slice(at, at + WRITTEN_AT_ONCE));
  sql.close();
  const server = await startVespid(folder, [], { rules: ["rules.json", join(root, "fixtures/demo/rules"), ...rules], keys_required: true });
  const url = `http://127.0.0.1:${server.port}`;
  const headers = { "dd-api-key": keys.apiKey, "dd-application-key": keys.appKey, "content-type": "application/json" };
  const api = async <T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  };
  let browser: Browser | undefined;
  let indexMs: number;
  let state: Awaited<ReturnType<typeof loggedIn>>;
  try {
    const startMs = performance.now();
    await wholeIndex(api);
    indexMs = performance.now() - startMs;
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    state = await loggedIn(browser, url);
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw error;
  }
  return {
    server, browser, url, indexMs, api,
    async open() {
      const context = await browser!.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", storageState: state });
      const page = await context.newPage();
      page.setDefaultTimeout(120_000);
      const cdp = await context.newCDPSession(page);
      await cdp.send("Performance.enable");
      return {
        page, context, cdp,
        async visit(address, selector) {
          await page.addInitScript(watch(selector));
          await page.goto(`${url}${address}`, { waitUntil: "commit" });
          await page.locator(selector).first().waitFor({ state: "attached" });
        },
      };
    },
    async close() {
      await browser!.close();
      await server.stop();
    },
  };
}

async function wholeIndex(api: PagesWorld["api"]): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await api("POST", "/api/v2/security_monitoring/signals/rows", { columns: ["title"], limit: 1 });
      return;
    } catch (error) {
      if (tries > 100 || !/ 503 /.test((error as Error).message)) throw error;
    }
  }
}

async function loggedIn(browser: Browser, url: string): Promise<Awaited<ReturnType<BrowserContext["storageState"]>>> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/login`);
  await page.getByLabel("Email address").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** What the browser spent on a page, in milliseconds, and what it keeps of it. */
export async function browserCost({ cdp }: OpenPage): Promise<{ readonly taskMs: number; readonly scriptMs: number; readonly heapBytes: number; readonly nodes: number; readonly listeners: number }> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  const of = (name: string): number => metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  return { taskMs: of("TaskDuration") * 1000, scriptMs: of("ScriptDuration") * 1000, heapBytes: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}

export const quantile = (values: readonly number[], share: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.max(0, Math.ceil(share * values.length) - 1))] ?? Number.NaN;
export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
