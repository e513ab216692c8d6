// Reads lines and parses each, nothing else: what any program in JavaScript pays before it begins.
//   read-json.mjs FILE   prints how many there are
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

let events = 0;
const lines = createInterface({ input: createReadStream(process.argv[2], { highWaterMark: 1 << 20 }), crlfDelay: Number.POSITIVE_INFINITY });
lines.on("line", (line) => {
  if (JSON.parse(line) !== null) events++;
});
lines.on("close", () => process.stdout.write(`${events}\n`));
