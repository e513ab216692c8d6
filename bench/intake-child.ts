// A server of its own, so that its CPU is nobody else's: intake-child.ts <lane|http>. Says its port, then its CPU at each question.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FastLane } from "../host/intake/fast.ts";

let bytes = 0;
let requests = 0;
const answer = { status: 202, body: "{}" };

const server = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => {
    requests++;
    response.writeHead(202, { "content-type": "application/json", "content-length": 2 });
    response.end("{}");
  });
});

async function listen(mode: string): Promise<number> {
  if (mode === "lane") {
    const lane = new FastLane({
      server,
      visit: () => ({
        serve: async (body) => {
          bytes += body.length;
          requests++;
          return answer;
        },
        abandon: () => undefined,
      }),
    });
    return lane.listen(0, "127.0.0.1");
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send!({ cpuUs: user + system, userUs: user, bytes, requests });
});
process.on("disconnect", () => process.exit(0));
process.send!({ port: await listen(process.argv[2]!) });
