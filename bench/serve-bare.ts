// What `vespid serve` does with a log, its journal and store left out: serve-bare.ts <rules>.
import { createEngine } from "../host/index.ts";
import { IntakeServer } from "../host/intake/server.ts";
import { readRule } from "../host/rule/wire.ts";
import { benchRules, ruleWire } from "./rules.ts";

const engine = await createEngine({ rules: benchRules(Number(process.argv[2])).map((rule, i) => readRule(ruleWire(rule, i))), workers: 0 });
const server = new IntakeServer({
  keys: { required: false, has: () => true },
  sink: {
    refusal: undefined,
    async accept(batches) {
      for (const { bytes, profile, arrivalMs, partition } of batches) await engine.push(bytes, { ...profile, arrivalMs, partition });
      return undefined;
    },
  },
  metrics: () => ["events", "matches"].map((name) => ({ name: `vespid_${name}_total`, help: name, type: "counter", samples: [[{}, engine.stats()[name as "events" | "matches"]]] })),
});
const { port } = await server.start();
process.stderr.write(`taking logs at http://127.0.0.1:${port}\n`);
process.on("SIGTERM", () => process.exit(0));
