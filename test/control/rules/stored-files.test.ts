import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { rulesDiff, rulesExport } from "../../../host/cli/rules-stored.ts";
import { TestRules, serverFolder } from "../../serve/support.ts";
import { BASE, ask, loginRule } from "./support.ts";

const folder = serverFolder();

async function printed(work: () => number | Promise<number>): Promise<{ readonly code: number; readonly out: string }> {
  let out = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  const tell = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    return { code: await work(), out };
  } finally {
    write.mockRestore();
    tell.mockRestore();
  }
}

describe("rules of a server as files", () => {
  test("[RU-24] are written while it runs, told apart from others, and imported again what they were", async () => {
    const data = join(folder.path, "data-files");
    const server = await folder.start(new TestRules([{ ...loginRule(), id: "file-rule" }]), { data });
    const one = (await ask(server, "POST", BASE, loginRule({ name: "One rule" }))).body;
    const two = (await ask(server, "POST", BASE, loginRule({ name: "Two" }))).body;
    const out = join(folder.path, "out");
    expect((await printed(() => rulesExport({ data, out }))).code).toBe(0);
    expect(readdirSync(out).toSorted()).toEqual(["One_rule.json", "Two.json"]);
    expect(JSON.parse(readFileSync(join(out, "Two.json"), "utf8"))).toEqual({ id: two.id, ...loginRule({ name: "Two" }) });
    expect(await printed(() => rulesDiff([out], { data }))).toEqual({ code: 0, out: "" });
    await ask(server, "PUT", `${BASE}/${one.id}`, { cases: [{ name: "many", status: "high", condition: "a > 2", notifications: [] }] });
    await ask(server, "DELETE", `${BASE}/${two.id}`);
    await ask(server, "POST", BASE, loginRule({ name: "Three" }));
    const { code, out: lines } = await printed(() => rulesDiff([out], { data, json: true }));
    expect([code, lines.trim().split("\n").map((line) => JSON.parse(line)).map(({ name, what, changes }) => [name, what, changes])]).toEqual([1, [
      ["One rule", "changed", [{ path: "cases[0].status", op: "modified", before: "high", after: "medium" }]], ["Two", "only in files", undefined], ["Three", "only stored", undefined],
    ]]);
    expect((await printed(() => rulesExport({ data }))).out.trim().split("\n").map((line) => JSON.parse(line).name).toSorted()).toEqual(["One rule", "Three"]);
    // A rule of the API that lies in a file too is not two.
    writeFileSync(join(out, "again.json"), JSON.stringify([JSON.parse(readFileSync(join(out, "One_rule.json"), "utf8"))]));
    await ask(server, "POST", `${BASE}/bulk_import`, readFileSync(join(out, "again.json")));
    expect((await ask(server, "GET", `${BASE}/${one.id}`)).body).toMatchObject({ version: 3, cases: [{ status: "medium" }] });
  });
});
