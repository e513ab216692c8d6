// What one would write without this project: serve-naive.ts <rules>. Takes bodies over node:http, parses them, asks every rule, counts.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { benchRules } from "./rules.ts";

const rules = benchRules(Number(process.argv[2]));
const windows = new Map<string, number>();
let events = 0;
let matches = 0;

function judge(event: never): void {
  events++;
  rules.forEach((rule, i) => {
    if (!rule.matches(event)) return;
    matches++;
    const key = `${i} ${String(rule.group(event))} ${Math.floor((event as { timestamp: number }).timestamp / 60_000)}`;
    windows.set(key, (windows.get(key) ?? 0) + 1);
  });
}

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.method === "GET") {
    response.end(`vespid_events_total ${events}\nvespid_matches_total ${matches}\n`);
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    (JSON.parse(Buffer.concat(chunks).toString()) as never[]).forEach(judge);
    response.writeHead(202, { "content-type": "application/json", "content-length": 2 });
    response.end("{}");
  });
});
server.listen(0, "127.0.0.1", () => process.stderr.write(`taking logs at http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
process.on("SIGTERM", () => process.exit(0));
