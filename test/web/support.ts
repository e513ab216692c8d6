import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { hashPassword } from "../../host/control/people/password.ts";
import { withPeople } from "../../host/cli/people-store.ts";
import { chromiumPath } from "../../tools/browser.mjs";
import { demoLogs, playDemo } from "../../tools/demo.mjs";
import { ServedProcess } from "../serve/child.ts";

const root = join(import.meta.dirname, "../..");
const browserPath = chromiumPath();
const isBuilt = existsSync(join(root, "dist/web/index.html"));
const PASSWORD = "correct horse battery 9";
const PACKS = ["linux-auth", "web-access", "cloudtrail"];

export interface WebWorld {
  readonly server: ServedProcess;
  readonly browser: Browser;
  readonly url: string;
  readonly apiKey: string;
  readonly appKey: string;
  readonly folder: string;
  /** A page of a user that is logged in; faults of scripts and of the content policy are found by `faults`. */
  open(options?: OpenOptions): Promise<WebPage>;
  /** JSON of the API, by keys that may do everything. */
  api<T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T>;
}

export interface OpenOptions {
  readonly email?: string;
  readonly theme?: "dark" | "light";
  readonly width?: number;
  readonly height?: number;
}

export interface WebPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, thrown errors, violations of the policy, requests that went elsewhere. */
  readonly faults: string[];
  visit(path: string): Promise<void>;
}

export interface WorldOptions {
  /** Other users beside admin@example.com, with the names of their roles. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  /** Plays the bundled attacks, ending now. Default true. */
  readonly demo?: boolean;
  /** Lines for vespid.yaml. */
  readonly config?: string;
  readonly packs?: readonly string[];
}

/**
 * Tests over a served Vespid in a real browser; they are left out, with a word, where there is no Chromium. The world is there once
 * the first test runs.
 */
export function describeWeb(name: string, options: WorldOptions, tests: (world: () => WebWorld) => void): void {
  if (!browserPath) process.stderr.write(`${name}: left out, there is no Chromium here (npm test installs it where it may)\n`);
  describe.skipIf(!browserPath)(name, () => {
    let world: WebWorld | undefined;
    beforeAll(async () => {
      if (!isBuilt) throw new Error("the pages are not built: npm run build");
      world = await makeWorld(options);
    }, 240_000);
    afterAll(async () => {
      await world?.browser.close();
      await world?.server.stop();
      if (world) rmSync(world.folder, { recursive: true, force: true });
    });
    tests(() => world!);
  });
}

async function makeWorld({ users = {}, demo = true, config = "", packs = PACKS }: WorldOptions): Promise<WebWorld> {
  const folder = mkdtempSync(join(tmpdir(), "vespid-web-"));
  const keys = await withPeople(join(folder, "data"), true, async ({ people, keys: store }) => {
    const passwordHash = await hashPassword(PASSWORD);
    for (const [email, roles] of Object.entries({ "admin@example.com": ["Datadog Admin Role"], ...users })) {
      const user = people.addUser({ email, name: email, passwordHash }, Date.now());
      for (const role of roles) people.giveRole(user.id, people.roleByName(role)!.id);
    }
    const ownerId = people.userByEmail("admin@example.com")!.id;
    return { apiKey: store.create("api", "tests", Date.now()).key, appKey: store.create("application", "tests", Date.now(), { ownerId }).key };
  });
  writeFileSync(join(folder, "vespid.yaml"), `data: data\nrules: [${[join(root, "fixtures/demo/rules"), ...packs.map((each) => `pack:${each}`)].map((each) => JSON.stringify(each)).join(", ")}]\nworkers: 0\nhttp: { port: 0 }\n${config}\n`);
  const server = await ServedProcess.start(["--config", join(folder, "vespid.yaml")]);
  if (!server.port) throw new Error(`the server did not start: ${server.stderr}`);
  const url = `http://127.0.0.1:${server.port}`;
  if (demo) await playDemo(demoLogs(Date.now()), url, keys.apiKey);
  const browser = await chromium.launch({ executablePath: browserPath!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const headers = { "dd-api-key": keys.apiKey, "dd-application-key": keys.appKey, "content-type": "application/json" };
  const world: WebWorld = {
    server, browser, url, folder, ...keys,
    open: (asked) => openPage(world, asked),
    async api(method, path, body) {
      const answer = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return (text ? JSON.parse(text) : undefined) as never;
    },
  };
  if (demo) for (let i = 0; (await world.api<{ readonly data: readonly unknown[] }>("GET", "/api/v2/security_monitoring/signals?page[limit]=50")).data.length <= 5; i++) {
    if (i === 200) throw new Error("the bundled attacks made no signals");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return world;
}

async function openPage({ browser, url }: WebWorld, { email = "admin@example.com", theme = "dark", width = 1440, height = 900 }: OpenOptions = {}): Promise<WebPage> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(45_000);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message}`));
  page.on("console", (message) => {
    // The first question, who one is, is answered 401 before a login; what is being written is refused until it is whole.
    if (message.type() === "error" && !/401 \(Unauthorized\)/.test(message.text()) && !/\/validation$/.test(message.location().url)) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(?:data|blob):/.test(request.url())) faults.push(`asked elsewhere: ${request.url()}`);
  });
  await page.goto(`${url}/login`);
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  return {
    page, context, faults,
    visit: async (path) => void (await page.goto(`${url}${path}`)),
  };
}
