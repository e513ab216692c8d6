// The bundled logs, as a shipper sends them.
import { readFileSync, readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { root } from "./build.mjs";

const FOLDER = join(root, "fixtures/demo/logs");
const TIMES = ["timestamp", "eventTime"];
const LOGS_A_REQUEST = 500;
const JUDGED_MS = 30_000;

/** All logs in the order of time, moved such that the last one happens at `endMs`. */
export function demoLogs(endMs) {
  const logs = readdirSync(FOLDER).sort().flatMap((file) => readFileSync(join(FOLDER, file), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)));
  const timeOf = (log) => Date.parse(log[TIMES.find((name) => log[name])]);
  logs.sort((a, b) => timeOf(a) - timeOf(b));
  const byMs = endMs - timeOf(logs.at(-1));
  for (const log of logs) for (const name of TIMES) if (log[name]) log[name] = new Date(Date.parse(log[name]) + byMs).toISOString();
  return logs;
}

/** Sends logs and waits until they are judged. Throws where they are not taken. */
export async function playDemo(logs, url, key) {
  const before = await counted(url, "vespid_events_total");
  const from = await senderAddress(url);
  for (let at = 0; at < logs.length; at += LOGS_A_REQUEST) {
    const { status, text } = await ask(url, "/api/v2/logs", { from, key, body: JSON.stringify(logs.slice(at, at + LOGS_A_REQUEST)) });
    if (status !== 202) throw new Error(`the server answers ${status} ${text}`);
  }
  for (const endMs = Date.now() + JUDGED_MS; (await counted(url, "vespid_events_total")) < before + logs.length && Date.now() < endMs; ) await new Promise((resolve) => setTimeout(resolve, 50));
}

/**
 * An address of this machine's loopback that chance chooses. To the server it is a shipper not seen before, whose logs are two
 * hours behind; from one that has sent up to now they would come too late. Undefined where there is only one such address.
 */
async function senderAddress(url) {
  const any = () => 1 + Math.floor(Math.random() * 254);
  const from = `127.${any()}.${any()}.${any()}`;
  return await ask(url, "/health", { from }).then(() => from, () => undefined);
}

async function counted(url, name) {
  const { text } = await ask(url, "/metrics", {});
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function ask(url, path, { from, key, body }) {
  return new Promise((resolve, reject) => {
    const headers = { ...(key ? { "dd-api-key": key } : {}), ...(body ? { "content-type": "application/json" } : {}) };
    const asked = request(`${url}${path}`, { method: body ? "POST" : "GET", headers, localAddress: from, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => resolve({ status: answer.statusCode, text }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
