// A server on the bundled rules and packs, with keys, into which the bundled logs are played as if they ended now.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { build, root } from "./build.mjs";
import { demoLogs, playDemo } from "./demo.mjs";
import { pinnedNode } from "./node/locate.mjs";

const DEFAULT_PORT = 8282;
/** Who is there from the start. */
const ADMIN = "admin@localhost";
const PACKS = ["linux-auth", "web-access", "cloudtrail"];
const USAGE = `npm start -- [--once] [--listen HOST:PORT] [--data FOLDER]
  --once     play the bundled logs, print the signals, stop: exit 0 when there were some
  --listen   address instead of 127.0.0.1:${DEFAULT_PORT}
  --data     folder for journal, state, signals and keys instead of vespid-data
  --no-build start what was built before\n`;

const options = readOptions();
if (!options["no-build"]) build();
const data = options.data;
const made = makeKeys();
const player = made ? { key: made.api } : vespidJson(["keys", "create", "npm start, to play logs", "--data", data, "--json"]);
const server = await startServer(options.listen ?? (await freeAddress()));
try {
  await present(server);
} finally {
  if (player.id) vespidText(["keys", "revoke", player.id, "--data", data]);
}
if (options.once) server.child.kill("SIGTERM");
const code = await server.exited;
if (options.once && code === 0 && server.signals === 0) {
  process.stderr.write("the bundled logs raised no signal\n");
  process.exit(1);
}
process.exit(code);

function readOptions() {
  try {
    const { values } = parseArgs({ options: { once: { type: "boolean", default: false }, listen: { type: "string" }, data: { type: "string", default: "vespid-data" }, "no-build": { type: "boolean", default: false }, help: { type: "boolean", default: false } } });
    if (!values.help) return values;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

function vespidText(args, input) {
  const done = spawnSync(pinnedNode(), ["bin/vespid.mjs", ...args], { cwd: root, encoding: "utf8", ...(input === undefined ? {} : { input }) });
  if (done.status === 0) return done.stdout;
  process.stderr.write(done.stderr);
  process.exit(done.status ?? 2);
}

function vespidJson(args) {
  return JSON.parse(vespidText(args));
}

/** Keys of a new data folder, in plain text this once; undefined where it has some already. */
function makeKeys() {
  const kept = spawnSync(pinnedNode(), ["bin/vespid.mjs", "keys", "list", "--data", data], { cwd: root, encoding: "utf8" });
  if (kept.status === 0 && kept.stdout.trim() !== "no keys") return undefined;
  const api = vespidJson(["keys", "create", "npm start", "--data", data, "--json"]).key;
  const application = vespidJson(["keys", "create", "npm start", "--application", "--data", data, "--json"]).key;
  const password = randomBytes(12).toString("base64url");
  vespidText(["users", "password", ADMIN, "--data", data], `${password}\n`);
  return { api, application, password };
}

/** The usual address, or any free one where somebody has that. */
async function freeAddress() {
  const probe = createServer();
  const isFree = await new Promise((resolve) => probe.once("error", () => resolve(false)).listen(DEFAULT_PORT, "127.0.0.1", () => probe.close(() => resolve(true))));
  if (isFree) return `127.0.0.1:${DEFAULT_PORT}`;
  process.stderr.write(`port ${DEFAULT_PORT} is taken, so another one is used; npm start -- --listen 127.0.0.1:PORT chooses one\n`);
  return "127.0.0.1:0";
}

/** Resolves once it takes logs; ends this process where it cannot. */
async function startServer(listen) {
  const rules = ["fixtures/demo/rules", ...PACKS.map((name) => `pack:${name}`)].flatMap((each) => ["--rules", each]);
  const colours = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: "1" } : {};
  const child = spawn(pinnedNode(), ["bin/vespid.mjs", "serve", "--data", data, ...rules, "--listen", listen], { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...colours } });
  // A terminal's Ctrl-C reaches the server as well; another kind of signal beside it does no harm, a second one of its kind would.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.kill("SIGTERM"));
  const started = { child, url: "", signals: 0, exited: new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1))) };
  child.stdout.on("data", (bytes) => {
    started.signals += bytes.toString("latin1").split("\n").length - 1;
    process.stdout.write(bytes);
  });
  let told = "";
  await new Promise((resolve) => {
    child.once("exit", resolve);
    child.stderr.on("data", (bytes) => {
      process.stderr.write(bytes);
      told += bytes;
      const at = /(http:\/\/[\d.]+:\d+)/.exec(told);
      if (!at || started.url) return;
      started.url = at[1];
      resolve();
    });
  });
  if (!started.url) {
    if (player.id) vespidText(["keys", "revoke", player.id, "--data", data]);
    process.exit(await started.exited);
  }
  return started;
}

async function present(served) {
  const say = (text) => process.stdout.write(`${text}\n`);
  say(`\nURL              ${served.url}\npages            ${served.url}/security`);
  if (made) say(`log in by        ${ADMIN}   ${made.password}\nAPI key          ${made.api}   lets logs in\napplication key  ${made.application}   beside it: lets people search\n(kept as hashes in ${data}: they are not shown again; npm run -s vespid -- keys create NAME --data ${data} makes others, users password ${ADMIN} another password)`);
  else say(`data and keys    those of before, in ${data}`);
  const logs = demoLogs(Date.now());
  say(`\n${logs.length} bundled logs, two hours of sign-ins, web requests and cloud calls up to now, go in by POST /api/v2/logs. Signals:\n`);
  await playDemo(logs, served.url, player.key);
  if (options.once) return;
  say(`
It serves until Ctrl-C. What to do next:
  send a log         curl -H "DD-API-KEY: $DD_API_KEY" -d '{"message":"hello","ddsource":"me"}' ${served.url}/api/v2/logs
  search             npm run -s vespid -- search 'source:auth @evt.outcome:failure' --data ${data} --from now-1d
  look around        ${served.url}/security in a browser: signals, logs, rules, the overview; ? shows the keys
  what goes on       curl ${served.url}/metrics
  your own logs      npm run -s vespid -- run --rules fixtures/demo/rules YOUR.ndjson
  why a rule runs    npm run -s vespid -- rules explain fixtures/demo/rules
  the proof          npm test
`);
}
