import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { AuditStore } from "../../../host/store/audit.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { RuleStore } from "../../../host/store/rules.ts";
import { random } from "../../journal/support-plain.ts";
import { ServedProcess } from "../../serve/child.ts";
import { BASE, loginRule } from "./support.ts";

const KILLS = Number(process.env.VESPID_KILLS ?? 20);
const WRITERS = 3;
const folder = mkdtempSync(join(tmpdir(), "vespid-rule-kill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What was answered: the highest version of each rule, and how many changes there were. */
interface Known {
  readonly versions: Map<string, number>;
  readonly deleted: Set<string>;
  answered: number;
}

/** A rule that tells twice which write it is of, far apart. */
const marked = (mark: number): Record<string, unknown> => loginRule({ name: `mark ${mark}`, queries: [{ name: "a", query: `source:auth @mark:${mark}`, groupByFields: ["@usr.id"] }], filler: "x".repeat(20_000), end: mark });

async function call(server: ServedProcess, method: string, path: string, body?: unknown): Promise<{ readonly id: string; readonly version: number }> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? { id: "", version: 0 } : (JSON.parse(text) as { id: string; version: number });
}

/** Makes, changes, restores and deletes rules until nobody answers. */
async function writer(server: ServedProcess, next: () => number, known: Known): Promise<void> {
  let own: string | undefined;
  for (;;) {
    const mark = Math.floor(next() * 1e9);
    try {
      if (own === undefined) {
        const { id, version } = await call(server, "POST", BASE, marked(mark));
        known.versions.set(id, version);
        own = id;
      } else if (next() < 0.15) {
        // Whether it is gone is not known until it is answered.
        const gone: string = own;
        own = undefined;
        known.deleted.add(gone);
        await call(server, "DELETE", `${BASE}/${gone}`);
      } else {
        const version = known.versions.get(own)!;
        const isRestored = version > 1 && next() < 0.3;
        known.versions.set(own, (await (isRestored ? call(server, "POST", `${BASE}/${own}/restore/1`) : call(server, "PUT", `${BASE}/${own}`, { ...marked(mark), version }))).version);
      }
      known.answered++;
    } catch (error) {
      if (error instanceof Error && /^[A-Z]+ \//.test(error.message)) throw error;
      return;
    }
  }
}

function check(path: string, { versions, deleted }: Known): number {
  const sql = SqlDriver.open(join(path, "data", "vespid.db"), migrations);
  try {
    sql.check();
    const store = new RuleStore(sql);
    const rules = store.list().filter(({ origin }) => origin === "own");
    for (const rule of rules) {
      const all = store.versions(rule.id, 100_000, 0);
      expect(all.map(({ version }) => version)).toEqual(Array.from({ length: rule.version }, (_, i) => rule.version - i));
      expect(all[0]!.document).toEqual(rule.document);
      for (const { document } of all) expect([document.name, (document.queries as { query: string }[])[0]!.query, (document.filler as string).length]).toEqual([`mark ${String(document.end)}`, `source:auth @mark:${String(document.end)}`, 20_000]);
    }
    for (const [id, version] of versions) if (!deleted.has(id)) expect([id, store.get(id)?.version ?? 0]).toEqual([id, expect.toSatisfy((now: number) => now === version || now === version + 1)]);
    // Each version stands in the audit trail, and nothing does that was not written.
    const audit = new AuditStore(sql);
    expect(audit.check().faults).toEqual([]);
    const written = new Map<string, number>();
    for (const { record: { attributes } } of audit.after(0, 1_000_000)) {
      const { type, id } = attributes.asset as { type: string; id: string };
      if (type === "security_rule" && attributes.action !== "deleted") written.set(id, (written.get(id) ?? 0) + 1);
    }
    for (const rule of rules) expect([rule.id, written.get(rule.id)]).toEqual([rule.id, rule.version]);
    return rules.length;
  } finally {
    sql.close();
  }
}

test("[RU-13] a server killed while rules are written has every answered change, no half one, and starts again", async () => {
  const next = random(20_261_121);
  const path = join(folder, "one");
  mkdirSync(path);
  writeFileSync(join(path, "one.json"), JSON.stringify({ ...loginRule(), id: "file-rule" }));
  writeFileSync(join(path, "vespid.yaml"), "data: data\nrules: [one.json]\npack: none\nkeys_required: false\nworkers: 0\ncheckpoint_seconds: 1\nstate: 64mb\nhttp: { port: 0 }\n");
  const known: Known = { versions: new Map(), deleted: new Set(), answered: 0 };
  let early = 0;
  let rulesLeft = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const dieAt = next() < 0.7 ? `${20 + Math.floor(next() * 250)}:${["before", "after", "midst"][Math.floor(next() * 3)]}` : undefined;
    const server = await ServedProcess.start(["--config", join(path, "vespid.yaml")], { haste: true, ...(dieAt ? { dieAt } : {}) });
    if (server.port === 0) {
      expect(await server.exited, server.stderr).toBe("SIGKILL");
      early++;
    } else {
      const writers = Array.from({ length: WRITERS }, () => writer(server, next, known));
      if (dieAt === undefined) await new Promise((done) => setTimeout(done, 100 + next() * 700));
      if (dieAt === undefined) await server.kill();
      await Promise.all(writers);
      expect(await server.exited, server.stderr).toBe("SIGKILL");
    }
    rulesLeft = check(path, known);
  }
  expect([early < KILLS / 2, known.answered > KILLS * 5, rulesLeft > 3]).toEqual([true, true, true]);
}, 300_000);

