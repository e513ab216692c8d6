import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { VespidServer } from "../../host/serve/server.ts";
import { TestRules, send, serverFolder, until } from "../serve/support.ts";

const joined = {
  id: "known-bad", name: "Known bad", message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@evt.name:login", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 0" }],
  referenceTables: [{ tableName: "watched_users", columnName: "user", logFieldPath: "@usr.id", checkPresence: true, ruleQueryName: "a" }],
};
const BASE = "/api/v2/reference-tables";
const login = (user: string): unknown => ({ message: "in", evt: { name: "login" }, usr: { id: user } });
const schema = { fields: [{ name: "user", type: "STRING" }, { name: "risk", type: "INT32" }], primary_keys: ["user"] };

async function ask(server: VespidServer, method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: any }> {
  const answer = await fetch(path.startsWith("http") ? path : `http://127.0.0.1:${server.address.port}${path}`, {
    method, ...(body === undefined ? {} : typeof body === "string" ? { body, headers: { "content-type": "text/csv" } } : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
}

async function upload(server: VespidServer, parts: readonly string[], headers: readonly string[] = ["user", "risk"]): Promise<string> {
  const { body } = await ask(server, "POST", `${BASE}/uploads`, { data: { type: "upload", attributes: { headers, part_count: parts.length, part_size: 5_000_000, table_name: "watched_users" } } });
  for (const [i, part] of parts.entries()) expect((await ask(server, "PUT", body.data.attributes.part_urls[i], part)).status).toBe(200);
  return body.data.id as string;
}

async function make(server: VespidServer, csv: string, name = "watched_users"): Promise<{ readonly status: number; readonly body: any }> {
  return await ask(server, "POST", `${BASE}/tables`, { data: { type: "reference_table", attributes: { table_name: name, schema, source: "LOCAL_FILE", file_metadata: { upload_id: await upload(server, [csv]) } } } });
}

const signalled = async (server: VespidServer): Promise<string[]> => {
  await server.detection.storeSignals();
  return server.signals.all().map(({ document }) => (JSON.parse(document) as { group: Record<string, string> }).group["@usr.id"]!).toSorted();
};

describe("reference tables", () => {
  const folder = serverFolder();

  test("[RT-01] a file in parts becomes a table; rules filter by it at once, and by each change of its rows", async () => {
    const server = await folder.start(new TestRules([joined]), { data: join(folder.path, "one") });
    await send(server, [login("ann")]);
    expect(await signalled(server)).toEqual([]);
    const upload_id = await upload(server, ["user,risk\nann,3\nbo", "b,4\n"]);
    const made = await ask(server, "POST", `${BASE}/tables`, { data: { type: "reference_table", attributes: { table_name: "watched_users", description: "who is watched", tags: ["team:sec"], schema, source: "LOCAL_FILE", file_metadata: { upload_id } } } });
    expect(made).toMatchObject({ status: 201, body: { data: { type: "reference_table", attributes: { status: "DONE", row_count: 2, table_name: "watched_users", schema } } } });
    const { id } = made.body.data;
    await send(server, [login("ann"), login("eve")]);
    expect(await signalled(server)).toEqual(["ann"]);
    expect((await ask(server, "POST", `${BASE}/tables/${id}/rows`, { data: [{ type: "row", id: "eve", attributes: { values: { risk: 9 } } }] })).status).toBe(200);
    await send(server, [login("eve")]);
    expect(await signalled(server)).toEqual(["ann", "eve"]);
    expect((await ask(server, "DELETE", `${BASE}/tables/${id}/rows`, { data: [{ type: "row", id: "bob" }] })).status).toBe(200);
    await send(server, [login("bob")]);
    expect(await signalled(server)).toEqual(["ann", "eve"]);
    expect((await ask(server, "GET", `${BASE}/tables/${id}`)).body.data.attributes.row_count).toBe(2);
    expect((await ask(server, "GET", `${BASE}/tables/${id}/rows?row_id=eve&row_id=nobody`)).body.data).toEqual([{ type: "row", id: "eve", attributes: { values: { user: "eve", risk: 9 } } }]);
    expect((await ask(server, "DELETE", `${BASE}/tables/${id}`)).status).toBe(409);
    await ask(server, "PATCH", `${BASE}/tables/${id}`, { data: { type: "reference_table", attributes: { file_metadata: { upload_id: await upload(server, ["user,risk\nzoe,1\n"]) } } } });
    await send(server, [login("zoe"), login("dan")]);
    expect(await signalled(server)).toEqual(["ann", "eve", "zoe"]);
    expect(folder.faults).toEqual([]);
  });

  test("[DE-39] a rule of the API asks for a column of a table, its signal tells the column, and a column that is not there is refused", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "columns") });
    expect((await make(server, "user,risk\nann,3\nbob,9\n")).status).toBe(201);
    const { id: _, ...rule } = { ...joined, message: "{{@usr.id}} has risk {{@reference_tables.watched_users.risk}}", queries: [{ ...joined.queries[0], query: "@evt.name:login @reference_tables.watched_users.risk:>5" }], referenceTables: [{ ...joined.referenceTables[0], columns: ["risk"] }] };
    const made = await ask(server, "POST", "/api/v2/security_monitoring/rules", rule);
    expect([made.status, made.body.referenceTables]).toEqual([200, rule.referenceTables]);
    await send(server, [login("ann"), login("bob"), login("eve")]);
    expect(await signalled(server)).toEqual(["bob"]);
    const found = await ask(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: "@reference_tables.watched_users.risk:9" } });
    expect(found.body.data.map(({ attributes }: any) => attributes.message)).toEqual([expect.stringContaining("bob has risk 9")]);
    const wrong = await ask(server, "POST", "/api/v2/security_monitoring/rules", { ...rule, queries: [{ ...rule.queries[0], query: "@evt.name:login" }], referenceTables: [{ ...rule.referenceTables[0], columns: ["dept"] }] });
    expect([wrong.status, wrong.body.error.details.map(({ target }: any) => target)]).toEqual([400, ["referenceTables[0].columns[0]"]]);
    expect(folder.faults).toEqual([]);
  });

  test("a table is there after a restart, and filters what is judged then", async () => {
    const server = await folder.start(new TestRules([joined]), { data: join(folder.path, "one") });
    const list = (await ask(server, "GET", `${BASE}/tables?filter[table_name][contains]=watch`)).body.data;
    expect(list).toHaveLength(1);
    await send(server, [login("mia"), login("zoe")]);
    expect(await signalled(server)).toEqual(["ann", "eve", "zoe"]);
  });

  test("[RT-02] rows with a key that was there, with a cell of another type or too few cells are left out, and each is told", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "two") });
    const { status, body } = await make(server, 'user,risk\nann,1\nann,2\n"bob, jr",high\ncid\n"dee ""d""",7\n,8\n');
    expect(status).toBe(201);
    expect(body.data.attributes).toMatchObject({ status: "DONE", row_count: 2, file_metadata: { error_row_count: 4, error_type: "CONFLICT_ERROR" } });
    expect(body.data.attributes.file_metadata.error_message).toMatch(/line 3: .*user ann; line 4: "high" in risk is no INT32; line 5: 1 cells instead of 2; line 7: user is empty/);
    const rows = (await ask(server, "GET", `${BASE}/tables/${body.data.id}/rows/list`)).body.data;
    expect(rows.map(({ attributes }: { attributes: { values: unknown } }) => attributes.values)).toEqual([{ user: "ann", risk: 1 }, { user: 'dee "d"', risk: 7 }]);
  });

  test("rows come page by page, all of them once; batches by key", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "three") });
    const { body } = await make(server, `user,risk\n${Array.from({ length: 250 }, (_, i) => `u${String(i).padStart(3, "0")},${i}`).join("\n")}`);
    const { id } = body.data;
    const seen: string[] = [];
    let path: string | undefined = `${BASE}/tables/${id}/rows/list?page[limit]=100`;
    while (path) {
      const page: any = (await ask(server, "GET", path)).body;
      seen.push(...page.data.map((row: { id: string }) => row.id));
      path = page.links.next;
    }
    expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => `u${String(i).padStart(3, "0")}`));
    const batch = await ask(server, "POST", `${BASE}/queries/batch-rows`, { data: { type: "reference-tables-batch-rows-query", attributes: { table_id: id, row_ids: ["u001", "x", "u249"] } } });
    expect(batch.body.included.map((row: { id: string }) => row.id)).toEqual(["u001", "u249"]);
  });

  test("what is wrong is said: ids, sources, uploads, schemas, names, fields that would go", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "four") });
    const create = async (attributes: Record<string, unknown>): Promise<unknown> => (await ask(server, "POST", `${BASE}/tables`, { data: { type: "reference_table", attributes: { table_name: "t", schema, source: "LOCAL_FILE", ...attributes } } })).body.errors[0].detail;
    expect((await ask(server, "GET", `${BASE}/tables/nothing`)).body.errors).toEqual([{ status: "400", title: "Bad Request", detail: "table ID must be a valid UUID format" }]);
    expect((await ask(server, "GET", `${BASE}/tables/00000000-0000-4000-8000-000000000000`)).status).toBe(404);
    expect(await create({})).toBe("upload_id is required for tables with 'LOCAL_FILE' source");
    expect(await create({ source: "S3" })).toContain("S3");
    expect(await create({ table_name: "Not A Name" })).toContain("table_name");
    expect(await create({ schema: { ...schema, primary_keys: ["who"] }, file_metadata: { upload_id: "x" } })).toContain("who is not among the fields");
    expect(await create({ file_metadata: { upload_id: "../../vespid.db" } })).toContain("there is no upload");
    const half = await ask(server, "POST", `${BASE}/uploads`, { data: { type: "upload", attributes: { headers: ["user", "risk"], part_count: 2, part_size: 10, table_name: "t" } } });
    expect(await create({ file_metadata: { upload_id: half.body.data.id } })).toContain("parts 1, 2");
    const [url] = half.body.data.attributes.part_urls as [string];
    expect((await ask(server, "PUT", url, "more than ten bytes")).status).toBe(413);
    expect((await ask(server, "PUT", url.replace(/token=.*/, "token=guessed"), "a,b")).status).toBe(404);
    expect((await ask(server, "PUT", url.replace("parts/1", "parts/..%2F9"), "a,b")).status).toBe(400);
    const { body } = await make(server, "user,risk\nann,1\n", "t");
    expect((await make(server, "user,risk\nann,1\n", "t")).status).toBe(409);
    const lost = await ask(server, "PATCH", `${BASE}/tables/${body.data.id}`, { data: { type: "reference_table", attributes: { schema: { fields: [{ name: "user", type: "STRING" }], primary_keys: ["user"] } } } });
    expect(lost.body.errors[0].detail).toContain("cannot be removed, renamed or made another type: risk");
    const wrong = await ask(server, "POST", `${BASE}/tables/${body.data.id}/rows`, { data: [{ type: "row", id: "x", attributes: { values: { risk: "many" } } }] });
    expect(wrong.body.errors[0].detail).toContain("values.risk: no INT32");
  });

  test("a file that is none of the table leaves the table as it was, says why, and no file lies about", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "five") });
    const { body } = await make(server, "user,risk\nann,1\n");
    const { id } = body.data;
    const bad = await upload(server, ["name,level\nx,1\n"], ["name", "level"]);
    await ask(server, "PATCH", `${BASE}/tables/${id}`, { data: { type: "reference_table", attributes: { file_metadata: { upload_id: bad } } } });
    await until(async () => (await ask(server, "GET", `${BASE}/tables/${id}`)).body.data.attributes.status === "ERROR");
    const { attributes } = (await ask(server, "GET", `${BASE}/tables/${id}`)).body.data;
    expect(attributes).toMatchObject({ row_count: 1, file_metadata: { error_type: "TABLE_SCHEMA_ERROR", error_message: "the file has no column user, risk" } });
    expect((await ask(server, "GET", `${BASE}/tables/${id}/rows?row_id=ann`)).body.data).toHaveLength(1);
    expect(readdirSync(join(folder.path, "five", "uploads"))).toEqual([]);
  });
});
