// Writes as a server does, until it is killed: detection's signals, and what people do with them.
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { TriageStore } from "../../host/store/signals-triage.ts";
import { retain } from "../../host/store/signals-retention.ts";
import { actors, changeOf, signalOf } from "./triage-support.ts";
import { random } from "../journal/support-plain.ts";

/** Retention takes none of those that are written together. */
const BEYOND_RETENTION_MS = 1000 * 86_400_000;
const [path = "", seed = "1"] = process.argv.slice(2);
const next = random(Number(seed));
const pick = (count: number): number => Math.floor(next() * count);
const sql = SqlDriver.open(path, migrations);
const store = new SignalStore(sql);
let nowMs = Date.parse("2026-03-01T00:00:00Z") + Number(seed) * 3_600_000;
const triage = new TriageStore(sql, { nowMs: () => nowMs });
process.stdout.write("ready\n");

for (;;) {
  nowMs += 1000;
  const which = next();
  if (which < 0.5) store.save(Array.from({ length: 1 + pick(8) }, () => signalOf(pick(60), pick(1000))), pick(20) === 0 ? [`s${pick(60)}`] : [], nowMs);
  else if (which < 0.75) triage.change(`s${pick(60)}`, changeOf(next), actors[pick(actors.length)]!);
  else if (which < 0.97) {
    // One bulk puts the same incident on all of its signals: either all have it, or none.
    const incident = 1_000_000 * Number(seed) + (nowMs % 1_000_000_000) / 1000;
    triage.bulk(Array.from({ length: 5 }, (_, i) => ({ id: `bulk${i}`, change: { incidentIds: [incident] } })), actors[0]!);
  } else await retain(sql, nowMs + 460 * 86_400_000 * (pick(12) === 0 ? 1 : 0), { chunk: 3 });
  for (let i = 0; i < 5; i++) if (!store.get(`bulk${i}`)) store.save([0, 1, 2, 3, 4].map((k) => ({ ...signalOf(100 + k, 1), id: `bulk${k}` })), [], nowMs + BEYOND_RETENTION_MS);
}
