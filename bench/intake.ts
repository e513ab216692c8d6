// T8: what it costs a server to have a body in memory, beside node:http that only counts its bytes.
//   npm run bench -- --intake [--short]
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { bodyCost } from "./intake-cost.ts";

const short = process.argv.includes("--short");
const ROUNDS = short ? 5 : 15;
const KILOBYTE = 1024;
/** Size of a body, and how many of them are one measurement. */
const SIZES = [[1024 * KILOBYTE, short ? 200 : 400], [256 * KILOBYTE, short ? 400 : 1600], [16 * KILOBYTE, short ? 2000 : 8000]] as const;

const rows = [];
for (const [size, count] of SIZES) rows.push({ id: size === SIZES[0][0] ? "T8" : "-", ...(await bodyCost(size, count, ROUNDS)), must: 2, moonshot: 5 });
console.table(rows);
if (!short) {
  const record = join(import.meta.dirname, "record", "intake.json");
  writeFileSync(record, `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, rounds: ROUNDS, connections: 4, rows }, null, 2)}\n`);
}
