// A process that follows files into a file of its own, one write a batch, until it is killed: tail-child.ts <folder> <out>
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tail } from "../../host/intake/tail.ts";

const [folder, out] = process.argv.slice(2) as [string, string];
const marks = new Map<string, string>();
if (existsSync(out)) {
  for (const line of readFileSync(out, "utf8").split("\n").filter((each) => each !== "")) {
    const { partition, mark } = JSON.parse(line) as { partition: string; mark?: string };
    if (mark !== undefined) marks.set(partition, mark);
  }
}
const tail = new Tail({ sources: [{ path: join(folder, "*.log*"), startPosition: "beginning" }], positionsPath: join(folder, "positions.json"), marks, pollMs: 20, graceMs: 200 }, {
  refusal: undefined,
  async accept(batches) {
    appendFileSync(out, batches.map(({ partition, mark, bytes }) => `${JSON.stringify({ partition, mark, text: new TextDecoder().decode(bytes) })}\n`).join(""));
    return undefined;
  },
});
await tail.start();
