// A day of mixed traffic in some minutes against a served process: `npm run soak -- --minutes 10 --rate 2000`. Prints memory,
// descriptors and counts every ten seconds, and fails when they grow or when what was taken was not judged.
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build, root } from "./build.mjs";
import { pinnedNode } from "./node/locate.mjs";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" }, rate: { type: "string", default: "2000" }, every: { type: "string", default: "10" }, keep: { type: "boolean", default: false } } });
const minutes = Number(values.minutes);
const rate = Number(values.rate);
const DAY_MS = 86_400_000;
const TURN_MS = 50;

build();
const folder = mkdtempSync(join(tmpdir(), "vespid-soak-"));
const file = (name, content) => {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const options = { detectionMethod: "threshold", evaluationWindow: 600, keepAlive: 1800, maxSignalDuration: 7200 };
const rule = (id, query, by, condition, more = {}) => ({
  id, name: id, type: "log_detection", isEnabled: true, message: `{{${by}}}`, tags: [], options,
  queries: [{ name: "a", query, aggregation: "count", groupByFields: [by], ...more }], cases: [{ name: "", status: "medium", condition }],
});
file("rules.json", JSON.stringify([
  rule("failures", "@evt.outcome:failure", "@usr.id", "a > 25"),
  rule("spread", "@evt.outcome:failure", "@network.client.ip", "a > 12", { aggregation: "cardinality", distinctFields: ["@usr.id"] }),
  rule("by-host", "source:(gear OR app) @evt.outcome:failure", "host", "a > 200"),
  { ...rule("fresh", "@evt.outcome:success", "@usr.id", ""), options: { ...options, detectionMethod: "new_value", evaluationWindow: 0, newValueOptions: { learningDuration: 0, forgetAfter: 1 } }, queries: [{ name: "a", query: "@evt.outcome:success", aggregation: "new_value", metrics: ["@network.client.ip"], groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "info" }] },
]));
const log = file("logs/app.log", "");
file("agent/datadog.yaml", "logs_enabled: true\n");
file("agent/conf.d/app.d/conf.yaml", `logs:\n  - { type: file, path: "${log}", source: app, service: shop }\n`);
file("vespid.yaml", `data: data\nrules: [rules.json, "pack:linux-auth"]\nkeys_required: false\nagent_folders: [agent]\ncheckpoint_seconds: 5\nstate: 128mb\nretention: { size: 400mb }
http: { port: 0 }\nlines:\n  - { protocol: tcp, port: 0, needs_key: false, source: gear }\n  - { protocol: udp, port: 0, needs_key: false, source: gear }\n`);

const server = spawn(pinnedNode(), ["bin/vespid.mjs", "serve", "--config", join(folder, "vespid.yaml")], { cwd: root, env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "ignore", "pipe"] });
let told = "";
server.stderr.on("data", (chunk) => (told = (told + chunk).slice(-20_000)));
const ended = new Promise((resolve) => server.on("close", (code, signal) => resolve(signal ?? code)));
for (let waited = 0; !/taking logs/.test(told); waited++) {
  if (waited > 600 || server.exitCode !== null) throw new Error(`it does not start: ${told}`);
  await pause(50);
}
const [, http] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(told);
const [, tcpPort] = /tcp:\/\/127\.0\.0\.1:(\d+)/.exec(told);
const [, udpPort] = /udp:\/\/127\.0\.0\.1:(\d+)/.exec(told);

/** More bytes of matching events than are kept for samples: that store is full from the beginning, and whatever grows is something else. */
const WARM_BYTES = 130_000_000;

let seed = 1;
const random = () => (seed = (Math.imul(seed, 48_271) >>> 0) % 2_147_483_647) / 2_147_483_647;
let startMs = Date.now();
/** A day of events, ending now. */
const eventMs = () => Math.round(startMs - DAY_MS + (Date.now() - startMs) * (DAY_MS / (minutes * 60_000)));
let users = 0;
function event() {
  // Most are a few hundred regulars, and somebody new comes all the time.
  const user = random() < 0.02 ? `new-${users++}` : `user-${Math.floor(random() ** 3 * 400)}`;
  return { timestamp: eventMs() - Math.floor(random() * 20_000), evt: { outcome: random() < 0.3 ? "failure" : "success" }, usr: { id: user }, network: { client: { ip: `198.51.${Math.floor(random() ** 2 * 4)}.${Math.floor(random() * 250)}` } }, message: "login ".repeat(1 + Math.floor(random() * 12)), host: `web-${Math.floor(random() * 20)}` };
}
const iso = (ms) => new Date(ms).toISOString();
const sent = { datadog: 0, hec: 0, otlp: 0, tcp: 0, udp: 0, tail: 0 };
const refused = {};
const taken = { ...sent };

async function post(input, path, body, headers, count) {
  sent[input] += count;
  const answer = await fetch(`http://127.0.0.1:${http}${path}`, { method: "POST", body, headers });
  await answer.arrayBuffer();
  if (answer.ok) taken[input] += count;
  else refused[answer.status] = (refused[answer.status] ?? 0) + 1;
}
const many = (count) => Array.from({ length: count }, event);
const tcp = createConnection(Number(tcpPort), "127.0.0.1");
const udp = createSocket("udp4");
const syslog = ({ timestamp, usr, network, host }) => `<38>1 ${iso(timestamp)} ${host} sshd 411 - - Failed password for ${usr.id} from ${network.client.ip} port 4022 ssh2`;
let rotations = 0;
const inputs = {
  datadog: (count) => post("datadog", "/api/v2/logs?ddsource=shop", gzipSync(JSON.stringify(many(count))), { "content-type": "application/json", "content-encoding": "gzip" }, count),
  hec: (count) => post("hec", "/services/collector/event", many(count).map((each) => JSON.stringify({ time: each.timestamp / 1000, host: each.host, event: each })).join(""), {}, count),
  otlp: (count) => post("otlp", "/v1/logs", JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: many(count).map((each) => ({ timeUnixNano: `${each.timestamp}000000`, body: { stringValue: each.message }, attributes: [["usr.id", each.usr.id], ["evt.outcome", each.evt.outcome], ["network.client.ip", each.network.client.ip]].map(([key, stringValue]) => ({ key, value: { stringValue } })) })) }] }] }), { "content-type": "application/json" }, count),
  async tcp(count) {
    sent.tcp += count;
    taken.tcp += count;
    if (!tcp.write(many(count).map((each) => `${syslog(each)}\n`).join(""))) await new Promise((resolve) => tcp.once("drain", resolve));
  },
  async udp(count) {
    for (const each of many(Math.min(count, 20))) {
      sent.udp++;
      await new Promise((resolve) => udp.send(syslog(each), Number(udpPort), "127.0.0.1", resolve));
    }
  },
  async tail(count) {
    sent.tail += count;
    taken.tail += count;
    appendFileSync(log, many(count).map((each) => `${JSON.stringify(each)}\n`).join(""));
  },
};

async function metrics() {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  return (name) => text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
const rssMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
const pid = server.pid;

const samples = [];
const line = (cells) => console.log(cells.map((cell, i) => String(cell).padStart([6, 9, 6, 11, 9, 10, 10, 9, 9][i])).join(""));
line(["t s", "RSS MB", "fds", "events", "signals", "groups", "state MB", "disk MB", "refused"]);
async function sample() {
  const of = await metrics();
  const now = { s: Math.round((Date.now() - startMs) / 1000), rss: rssMb(), fds: descriptors(), events: of("vespid_events_total"), signals: of("vespid_signals"), groups: of("vespid_groups") };
  samples.push(now);
  line([now.s, now.rss.toFixed(0), now.fds, now.events, now.signals, now.groups, (of("vespid_state_bytes") / 1e6).toFixed(1), (of("vespid_journal_bytes") / 1e6).toFixed(0), of("vespid_intake_refused_total")]);
}

for (let warm = 0; warm < WARM_BYTES; ) {
  const events = Array.from({ length: 900 }, (_, i) => ({ timestamp: startMs - DAY_MS, evt: { outcome: "failure" }, usr: { id: `warm-${i}` }, message: "warm ".repeat(400) }));
  const body = JSON.stringify(events);
  await post("datadog", "/api/v2/logs?ddsource=shop", body, { "content-type": "application/json" }, events.length);
  warm += body.length;
}
startMs = Date.now();
const endMs = startMs + minutes * 60_000;
const sampling = setInterval(() => void sample().catch((error) => console.error(error.message)), Number(values.every) * 1000);
const senders = Object.entries(inputs).map(async ([name, send], i) => {
  await pause(i * 8);
  for (let due = 0; Date.now() < endMs && server.exitCode === null; ) {
    due += (rate / 6) * (TURN_MS / 1000);
    const count = Math.floor(due);
    due -= count;
    const turn = Date.now();
    if (count > 0) await send(count).catch((error) => (refused[error.code ?? error.name] = (refused[error.code ?? error.name] ?? 0) + 1));
    if (name === "tail" && Date.now() - startMs > (rotations + 1) * 15_000) {
      renameSync(log, `${log}.${rotations++ % 5}`);
      writeFileSync(log, "");
    }
    await pause(Math.max(0, TURN_MS - (Date.now() - turn)));
  }
});
await Promise.all(senders);
clearInterval(sampling);
udp.close();
await new Promise((resolve) => tcp.end(resolve));

const certain = Object.values(taken).reduce((sum, count) => sum + count, 0);
let of = await metrics();
for (let waited = 0; waited < 300 && of("vespid_events_total") < certain; waited++) {
  await pause(100);
  of = await metrics();
}
await sample();
const faults = [];
const events = of("vespid_events_total");
const most = certain + sent.udp;
if (events < certain || events > most) faults.push(`${events} events were judged, where ${certain} were taken for certain, and ${sent.udp} datagrams sent beside them`);
const late = of("vespid_late_dropped_total");
if (late > 0) faults.push(`${late} matches were late, though no sender was`);
server.kill("SIGTERM");
if ((await ended) !== 0) faults.push(`it did not end well: ${told}`);
if (/fault|damage/.test(told)) faults.push(told);
const third = Math.floor(samples.length / 3);
const mean = (some, what) => some.reduce((sum, each) => sum + each[what], 0) / Math.max(1, some.length);
const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
for (const [what, slack, name] of [["rss", 24, "memory (MB)"], ["fds", 4, "descriptors"]]) {
  const [before, after] = [mean(middle, what), mean(last, what)];
  const isFlat = after <= before * 1.15 + slack;
  console.log(`${name}: ${before.toFixed(0)} in the middle third, ${after.toFixed(0)} in the last: ${isFlat ? "flat" : "GROWS"}`);
  if (third > 0 && !isFlat) faults.push(`${name} grew from ${before.toFixed(0)} to ${after.toFixed(0)}`);
}
console.log(`sent ${JSON.stringify(sent)}, refused ${JSON.stringify(refused)}, judged ${events}`);
if (values.keep) console.log(`kept in ${folder}`);
else rmSync(folder, { recursive: true, force: true });
for (const fault of faults) console.error(`FAILED: ${fault}`);
process.exit(faults.length ? 1 : 0);

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
