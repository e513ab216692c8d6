import { Type } from "typebox";
import { FILTER_ROW_CAP, type ReferenceTables } from "../../rule/reference-table.ts";
import type { Rule } from "../../rule/rule.ts";
import { type StoredTable, type StoredUpload, type TableField, type TableRow, TableStore } from "../../store/tables.ts";
import { ApiError, badRequest, notFound } from "../api-error.ts";
import type { ControlContext, Setup } from "../context.ts";
import type { Room } from "../control.ts";
import { type Call, type RouteFacts, created, ok, route } from "../route.ts";
import { BadFile, MOST_TABLE_ROWS, cellOf, loadCsv } from "./load.ts";
import { BatchAnswer, BatchQuery, CreateTable, CreateUpload, DeleteRows, MOST_PART_BYTES, MOST_ROWS, PatchTable, RowPage, Rows, Table, Tables, Upload, UpsertRows } from "./schemas.ts";
import { Uploads } from "./uploads.ts";

const BASE = "/api/v2/reference-tables";
const MOST_TABLES = 100;
/** A small file is in place when its call is answered. */
const AWAITED_MS = 2000;
const DEFAULT_PAGE = 15;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

type Facts = Pick<RouteFacts, "tag" | "errors" | "permission">;
const reading: Facts = { tag: "Reference Tables", errors: "objects", permission: "reference_tables_read" };
const writing: Facts = { ...reading, permission: "reference_tables_write" };

/** Tables that rules filter by and pipelines look up in: CSV in, rows by key. */
export function tablesRoom(context: ControlContext): Room {
  const store = new TableStore(context.sql);
  const uploads = new Uploads(store, context.folder);
  const loading = new Map<string, Promise<void>>();

  const tableOf = (id: string): StoredTable => {
    if (!UUID.test(id)) throw badRequest("table ID must be a valid UUID format");
    const table = store.get(id);
    if (!table) throw notFound("table not found");
    return table;
  };
  const isUsed = (name: string): boolean => usersOf(context.setup(), name).length > 0;
  const taken = async (name: string): Promise<void> => {
    if (isUsed(name)) await context.refresh();
  };
  const checkSize = (table: StoredTable, rows: number): void => {
    if (rows > MOST_TABLE_ROWS) throw badRequest(`a table has at most ${MOST_TABLE_ROWS} rows`);
    const [rule] = rows > FILTER_ROW_CAP ? usersOf(context.setup(), table.name) : [];
    if (rule) throw badRequest(`rule ${rule.name} filters by this table, which may have at most ${FILTER_ROW_CAP} rows then`);
  };
  const load = (table: StoredTable, upload: StoredUpload): Promise<void> => {
    const generation = table.generation + 1;
    store.setStatus(table.id, "PROCESSING", undefined);
    const work = (async () => {
      try {
        // What a stop has left of an earlier try would be taken for rows of this file.
        while (store.sweep((id) => id !== table.id)) await new Promise((next) => setImmediate(next));
        const { rows, faults } = await loadCsv(uploads.read(upload), upload.headers, table, (batch) => store.stage(table.id, generation, batch));
        checkSize(table, rows);
        store.show(table.id, generation, rows, faults, context.nowMs());
        await taken(table.name);
      } catch (error) {
        if (!(error instanceof BadFile) && !(error instanceof ApiError)) context.onFault("reference tables", error);
        store.setStatus(table.id, "ERROR", { type: error instanceof BadFile ? error.type : error instanceof ApiError ? "QUOTA_EXCEEDED" : "SYSTEM_ERROR", message: error instanceof BadFile || error instanceof ApiError ? error.message : "the file could not be read", rows: 0 });
      } finally {
        uploads.drop(upload.id);
        loading.delete(table.id);
      }
    })();
    loading.set(table.id, work);
    return work;
  };
  const soon = async (work: Promise<void>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, AWAITED_MS)))]);
    clearTimeout(timer);
  };
  const audit = (call: Pick<Call, "audit">, action: "created" | "modified" | "deleted", table: StoredTable, before?: unknown, after?: unknown): void =>
    call.audit({ event: "Reference Table", action, asset: { type: "reference_table", id: table.id, name: table.name }, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });

  return {
    routes: [
      route({ ...reading, method: "GET", path: `${BASE}/tables`, operationId: "listTables", summary: "Reference tables", answers: { 200: Tables }, query: Type.Object({ "page[limit]": Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })), "page[offset]": Type.Optional(Type.Integer({ minimum: 0 })), sort: Type.Optional(Type.Enum(["updated_at", "table_name", "status", "-updated_at", "-table_name", "-status"])), "filter[status]": Type.Optional(Type.String()), "filter[table_name][exact]": Type.Optional(Type.String()), "filter[table_name][contains]": Type.Optional(Type.String()) }) },
        ({ query }) => ok({ data: pageOf(store.list(), query).map(tableData) })),
      route({ ...writing, method: "POST", path: `${BASE}/tables`, operationId: "createReferenceTable", summary: "Makes a table of an upload", body: CreateTable, answers: { 201: Table }, refuses: [409] },
        async (call) => {
          const { table_name: name, description = "", tags = [], schema, source, file_metadata: file } = call.body.data.attributes;
          if (source !== "LOCAL_FILE") throw badRequest(`tables of ${source} are not read by this server; upload the file (LOCAL_FILE)`);
          if (file?.upload_id === undefined) throw badRequest("upload_id is required for tables with 'LOCAL_FILE' source");
          checkSchema(schema.fields, schema.primary_keys[0]!);
          if (store.named(name)) throw new ApiError(409, `there is a table ${name}`);
          if (store.list().length >= MOST_TABLES) throw badRequest(`there are ${MOST_TABLES} tables, which is as many as there may be`);
          const upload = uploads.whole(file.upload_id);
          const table = context.sql.transaction(() => {
            const made = store.create({ name, description, fields: schema.fields.map(({ name: field, type }) => ({ name: field, type })), primaryKey: schema.primary_keys[0]!, tags, createdBy: call.principal.handle }, call.nowMs);
            audit(call, "created", made, undefined, tableData(made).attributes);
            return made;
          });
          await soon(load(table, upload));
          return created({ data: tableData(store.get(table.id) ?? table) });
        }),
      route({ ...reading, method: "GET", path: `${BASE}/tables/:id`, operationId: "getTable", summary: "One table", answers: { 200: Table }, refuses: [404] }, ({ params }) => ok({ data: tableData(tableOf(params.id!)) })),
      route({ ...writing, method: "PATCH", path: `${BASE}/tables/:id`, operationId: "updateReferenceTable", summary: "Changes what is said of a table, adds fields, or gives it another file", body: PatchTable, answers: { 200: Table }, refuses: [404, 409] },
        async (call) => {
          const table = tableOf(call.params.id!);
          const { description = table.description, tags = table.tags, schema, file_metadata: file } = call.body.data.attributes ?? {};
          const fields: readonly TableField[] = schema ? schema.fields.map(({ name, type }) => ({ name, type })) : table.fields;
          if (schema) checkSchema(fields, schema.primary_keys[0]!);
          if (schema && schema.primary_keys[0] !== table.primaryKey) throw badRequest(`the primary key of a table stays: ${table.primaryKey}`);
          const lost = table.fields.filter((had) => !fields.some(({ name, type }) => name === had.name && type === had.type));
          if (lost.length) throw badRequest(`fields cannot be removed, renamed or made another type: ${lost.map(({ name }) => name).join(", ")}`);
          const upload = file?.upload_id === undefined ? undefined : uploads.whole(file.upload_id);
          if (upload && loading.has(table.id)) throw new ApiError(409, "another file of this table is being read");
          context.sql.transaction(() => {
            store.update(table.id, { description, tags, fields, updatedBy: call.principal.handle }, call.nowMs);
            audit(call, "modified", table, tableData(table).attributes, { ...tableData(store.get(table.id)!).attributes, ...(upload ? { file: "replaced" } : {}) });
          });
          if (upload) await soon(load(store.get(table.id)!, upload));
          return ok({ data: tableData(store.get(table.id) ?? table) });
        }),
      route({ ...writing, method: "DELETE", path: `${BASE}/tables/:id`, operationId: "deleteTable", summary: "Takes a table away", answers: { 200: undefined }, refuses: [404, 409] },
        async (call) => {
          const table = tableOf(call.params.id!);
          const [rule] = usersOf(context.setup(), table.name);
          if (rule) throw new ApiError(409, `rule ${rule.name} filters by this table; change the rule first`);
          context.sql.transaction(() => {
            store.delete(table.id);
            audit(call, "deleted", table, tableData(table).attributes);
          });
          return { status: 200 };
        }),
      route({ ...writing, method: "POST", path: `${BASE}/tables/:id/rows`, operationId: "upsertRows", summary: "Adds rows, or changes those of the same key", body: UpsertRows, answers: { 200: undefined }, refuses: [404, 409, 412] },
        async (call) => {
          const table = tableOf(call.params.id!);
          if (loading.has(table.id)) throw new ApiError(409, "a file of this table is being read");
          const rows = call.body.data.map(({ id, attributes }, i) => rowOf(table, id, attributes.values, `data[${i}]`));
          const before = rows.filter(({ key }) => store.row(table, key)).length;
          checkSize(table, table.rowCount + new Set(rows.map(({ key }) => key)).size - before);
          context.sql.transaction(() => {
            store.upsert(table, rows, call.principal.handle, call.nowMs);
            audit(call, "modified", table, undefined, { rows_written: rows.map(({ key }) => key) });
          });
          await taken(table.name);
          return { status: 200 };
        }),
      route({ ...writing, method: "DELETE", path: `${BASE}/tables/:id/rows`, operationId: "deleteRows", summary: "Takes rows away", body: DeleteRows, answers: { 200: undefined }, refuses: [404, 409, 412] },
        async (call) => {
          const table = tableOf(call.params.id!);
          if (loading.has(table.id)) throw new ApiError(409, "a file of this table is being read");
          context.sql.transaction(() => {
            store.remove(table, call.body.data.map(({ id }) => id), call.principal.handle, call.nowMs);
            audit(call, "modified", table, { rows_removed: call.body.data.map(({ id }) => id) });
          });
          await taken(table.name);
          return { status: 200 };
        }),
      route({ ...reading, method: "GET", path: `${BASE}/tables/:id/rows`, operationId: "getRowsByID", summary: "Rows by their keys", query: Type.Object({ row_id: Type.Array(Type.String(), { maxItems: MOST_ROWS }) }), answers: { 200: Rows }, refuses: [404] },
        ({ params, query }) => {
          const table = tableOf(params.id!);
          const rows = query.row_id.map((key) => store.row(table, key)).filter((row) => row !== undefined);
          if (!rows.length) throw notFound("no row of these ids");
          return ok({ data: rows.map(rowData) });
        }),
      route({ ...reading, method: "GET", path: `${BASE}/tables/:id/rows/list`, operationId: "listReferenceTableRows", summary: "Rows, page by page", query: Type.Object({ "page[limit]": Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })), "page[continuation_token]": Type.Optional(Type.String()) }), answers: { 200: RowPage }, refuses: [404] },
        ({ params, query }) => ok(rowPage(store, tableOf(params.id!), query["page[limit]"] ?? 100, query["page[continuation_token]"]))),
      route({ ...reading, method: "POST", path: `${BASE}/queries/batch-rows`, operationId: "batchRowsQuery", summary: "Rows of a table by their keys", body: BatchQuery, answers: { 200: BatchAnswer }, refuses: [404] },
        ({ body }) => {
          const { table_id: id, row_ids: keys } = body.data.attributes;
          const table = tableOf(id);
          const rows = keys.map((key) => store.row(table, key)).filter((row) => row !== undefined);
          return ok({ data: { id, type: "reference-tables-batch-rows-query", relationships: { rows: { data: rows.map(({ key }) => ({ id: key, type: "row" })) } } }, included: rows.map(rowData) });
        }),
      route({ ...writing, method: "POST", path: `${BASE}/uploads`, operationId: "createReferenceTableUpload", summary: "Addresses to put the parts of a CSV file to", body: CreateUpload, answers: { 201: Upload } },
        (call) => {
          const { headers, part_count: parts, part_size: partBytes, table_name: tableName } = call.body.data.attributes;
          const { id, paths } = uploads.begin({ headers, parts, partBytes, tableName, createdBy: call.principal.handle }, call.nowMs);
          return created({ data: { type: "upload", id, attributes: { part_urls: paths.map((path) => `${call.head.origin}${path}`) } } });
        }),
      route({ ...reading, permission: "anyone", method: "PUT", path: `${BASE}/uploads/:upload_id/parts/:part`, operationId: "putReferenceTableUploadPart", summary: "One part of a file; the address itself is what lets in", query: Type.Object({ token: Type.String({ minLength: 1, maxLength: 100 }) }), bytes: { type: "text/csv", most: MOST_PART_BYTES }, admits: ({ params, query, nowMs }) => void uploads.admit(params.upload_id!, query.token, nowMs), answers: { 200: undefined }, refuses: [404, 413] },
        ({ params, query, body, nowMs }) => {
          uploads.put(params.upload_id!, Number(params.part), query.token, body as Buffer, nowMs);
          return { status: 200 };
        }),
    ],
    part: { complete: (setup) => ({ ...setup, referenceTables: { ...setup.referenceTables, ...tablesFor(store, setup) } }) },
    tend(nowMs) {
      uploads.tend(nowMs);
      store.sweep((id) => loading.has(id));
    },
    async close() {
      await Promise.all(loading.values());
    },
  };
}

function usersOf({ rules }: Setup, name: string): Rule[] {
  return (rules as readonly Rule[]).filter((rule) => rule.referenceTables.some(({ tableName }) => tableName === name));
}

/** Only those that some rule filters by: a table may be large, and nobody else looks at it here. */
function tablesFor(store: TableStore, setup: Setup): ReferenceTables {
  const names = new Set((setup.rules as readonly Rule[]).flatMap(({ referenceTables }) => referenceTables.map(({ tableName }) => tableName)));
  const found = [...names].map((name) => store.named(name)).filter((table) => table !== undefined);
  return Object.fromEntries(found.map((table) => [table.name, store.rows(table, undefined, FILTER_ROW_CAP + 1).map(({ cells }) => cells)]));
}

function checkSchema(fields: readonly TableField[], key: string): void {
  const names = fields.map(({ name }) => name);
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  if (twice.length) throw badRequest(`fields have names of their own; twice: ${twice.join(", ")}`);
  if (!names.includes(key)) throw badRequest(`the primary key ${key} is not among the fields ${names.join(", ")}`);
}

function rowOf({ fields, primaryKey }: StoredTable, id: string, values: Readonly<Record<string, unknown>>, place: string): TableRow {
  const given: Readonly<Record<string, unknown>> = { ...values, [primaryKey]: Object.hasOwn(values, primaryKey) ? values[primaryKey] : id };
  const unknown = Object.keys(given).filter((name) => !fields.some((field) => field.name === name));
  if (unknown.length) throw badRequest(`${place}: the table has no field ${unknown.join(", ")}`);
  if (String(given[primaryKey]) !== id) throw badRequest(`${place}: id ${id} and ${primaryKey} ${String(given[primaryKey])} are not the same`);
  const cells = fields.map((field): [string, string | number] => {
    const cell = cellOf(field, given[field.name] ?? (field.type === "STRING" ? "" : 0));
    if (cell === undefined) throw badRequest(`${place}.attributes.values.${field.name}: no ${field.type}`);
    return [field.name, cell];
  });
  return { key: id, cells: Object.fromEntries(cells) };
}

function pageOf(all: readonly StoredTable[], query: Readonly<Record<string, unknown>>): StoredTable[] {
  const { "page[limit]": limit = DEFAULT_PAGE, "page[offset]": offset = 0, sort = "-updated_at", "filter[status]": status, "filter[table_name][exact]": exact, "filter[table_name][contains]": part } = query as Record<string, never>;
  const text = String(sort);
  const keyOf = (table: StoredTable): string | number => (text.endsWith("updated_at") ? table.updatedMs : text.endsWith("status") ? table.status : table.name);
  const sign = text.startsWith("-") ? -1 : 1;
  return all.filter((table) => (status === undefined || table.status === status) && (exact === undefined || table.name === exact) && (part === undefined || table.name.includes(String(part))))
    .toSorted((a, b) => sign * (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0)).slice(Number(offset), Number(offset) + Number(limit));
}

function rowPage(store: TableStore, table: StoredTable, limit: number, token: string | undefined): unknown {
  const after = token === undefined ? undefined : Buffer.from(token, "base64url").toString("utf8");
  const rows = store.rows(table, after, limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const next = last && Buffer.from(last.key, "utf8").toString("base64url");
  const link = (from: string | undefined): string => `${BASE}/tables/${table.id}/rows/list?page[limit]=${limit}${from === undefined ? "" : `&page[continuation_token]=${from}`}`;
  return { data: rows.slice(0, limit).map(rowData), links: { first: link(undefined), self: link(token), ...(next === undefined ? {} : { next: link(next) }) }, ...(next === undefined ? {} : { meta: { page: { next_continuation_token: next } } }) };
}

function tableData(table: StoredTable): { readonly id: string; readonly type: "reference_table"; readonly attributes: Record<string, unknown> } {
  const { faults } = table;
  return {
    id: table.id, type: "reference_table",
    attributes: {
      table_name: table.name, description: table.description, source: "LOCAL_FILE", status: table.status, tags: table.tags, row_count: table.rowCount, schema: { fields: table.fields, primary_keys: [table.primaryKey] },
      file_metadata: { sync_enabled: false, ...(faults ? { error_message: faults.message, error_row_count: faults.rows, error_type: faults.type } : {}) },
      created_by: table.createdBy, last_updated_by: table.updatedBy, updated_at: new Date(table.updatedMs).toISOString(),
    },
  };
}

function rowData({ key, cells }: TableRow): unknown {
  return { id: key, type: "row", attributes: { values: cells } };
}
