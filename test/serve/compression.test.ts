import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readFolder } from "../../host/journal/check.ts";
import { TestRules, ask, send, serverFolder, until } from "./support.ts";

const rule = {
  id: "failures", name: "failures", type: "log_detection", isEnabled: true, message: "m", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@marked:*", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 250" }],
};
const logsOf = (mark: string) => Array.from({ length: 200 }, (_, i) => ({ message: "the same words again and again", marked: `${mark}-${i}`, timestamp: Date.now() }));

describe("journal.compression", () => {
  const folder = serverFolder();
  const journalBytes = (): Buffer => Buffer.concat(readdirSync(join(folder.path, "data", "journal")).filter((name) => name.endsWith(".journal")).sort().map((name) => readFileSync(join(folder.path, "data", "journal", name))));

  test("logs lie in the journal as they came, or packed; a server that writes the one reads the other", async () => {
    const first = await folder.start(new TestRules([rule]), { journal: { compression: "none" } });
    expect(await send(first, logsOf("plain"))).toBe(202);
    await first.close();
    const plain = journalBytes();
    expect(plain.includes("plain-199")).toBe(true);

    const second = await folder.start(new TestRules([rule]));
    expect(await send(second, logsOf("packed"))).toBe(202);
    await until(async () => /^vespid_events_total 400$/m.test((await ask(second, "/metrics")).text));
    await second.detection.storeSignals();
    // Neither server saw 251 of them by itself.
    expect(second.signals.all()).toHaveLength(1);
    await second.close();
    const both = journalBytes();
    expect(both.includes("packed-199")).toBe(false);
    expect(both.length - plain.length).toBeLessThan(plain.length / 4);
    let text = "";
    for await (const { bytes } of readFolder(join(folder.path, "data", "journal"), { segment: 0, entry: 0 }, { segment: 1000, entry: 0 }, (damage) => expect(damage).toBeUndefined())) text += Buffer.from(bytes);
    expect(text.match(/"(plain|packed)-\d+"/g)).toHaveLength(400);
    expect(folder.faults).toEqual([]);
  });
});
