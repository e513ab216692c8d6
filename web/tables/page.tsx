import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { cellText, countText, plural } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import type { PageProps } from "../shell/pages.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import "../styles/settings.css";

const TABLES = "/api/v2/reference-tables";

interface Table {
  readonly id: string;
  readonly attributes: { readonly table_name: string; readonly description?: string; readonly row_count?: number; readonly status?: string; readonly updated_at?: string; readonly source?: string; readonly schema: { readonly fields: ReadonlyArray<{ readonly name: string; readonly type: string }>; readonly primary_keys: readonly string[] } };
}

interface RowPage {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly values: Readonly<Record<string, unknown>> } }>;
  readonly links: { readonly next?: string };
}

/** Reference tables: what rules and pipelines look values up in. */
export default function TablesPage({ rest: [id] }: PageProps) {
  return id === undefined ? <List /> : <One key={id} id={id} />;
}

function List() {
  const mayWrite = useMay("reference_tables_write");
  const [isMaking, setMaking] = useState(false);
  const tables = useLoad("tables", async (signal) => (await get<{ readonly data: readonly Table[] }>(`${TABLES}/tables?page[limit]=100`, signal)).data);
  return (
    <div className="page">
      <header className="page-head">
        <h1>Reference tables</h1>
        <span className="quiet" role="status">{tables.data ? plural(tables.data.length, "table") : ""}</span>
        <span className="panel-spring" />
        {mayWrite && <button type="button" className="primary" onClick={() => setMaking(true)}>New table</button>}
      </header>
      {tables.fault ? <Fault fault={tables.fault} onRetry={tables.reload} /> : !tables.data ? <Loading /> : !tables.data.length ? <Empty>No tables. A CSV becomes one.</Empty> : (
        <table className="plain">
          <thead><tr><th scope="col">Table</th><th scope="col">Description</th><th scope="col">Key</th><th scope="col" className="number">Rows</th><th scope="col">State</th><th scope="col">Changed</th><th scope="col">Change</th></tr></thead>
          <tbody>{tables.data.map(({ id, attributes: { table_name, description, row_count, status, updated_at, schema } }) => (
            <tr key={id}>
              <td><Link href={`/settings/tables/${encodeURIComponent(id)}`}><Line>{table_name}</Line></Link></td><td><Line>{description ?? ""}</Line></td><td>{schema.primary_keys[0]}</td><td className="number">{countText(row_count)}</td><td>{status}</td><td>{timeText(updated_at, "row")}</td>
              <td>{mayWrite && <button type="button" className="danger" aria-label={`Delete ${table_name}`} onClick={() => void call("DELETE", `${TABLES}/tables/${id}`).then(() => (tell(`${table_name} deleted`), tables.reload()), tellFault)}>Delete</button>}</td>
            </tr>
          ))}</tbody>
        </table>
      )}
      {isMaking && <NewTable onClose={() => setMaking(false)} onMade={() => (setMaking(false), tables.reload())} />}
    </div>
  );
}

/** Bytes that one part of an upload holds. */
const PART_BYTES = 4 * 1024 * 1024;

function NewTable({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: () => void }) {
  const [file, setFile] = useState<File>();
  const [headers, setHeaders] = useState<readonly string[]>([]);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [key, setKey] = useState("");
  const [isBusy, setBusy] = useState(false);
  const choose = async (chosen: File | undefined): Promise<void> => {
    setFile(chosen);
    if (!chosen) return;
    const found = (await chosen.slice(0, 65_536).text()).split(/\r?\n/, 1)[0]!.replace(/^\ufeff/, "").split(",").map((each) => each.trim().replace(/^"|"$/g, ""));
    setHeaders(found);
    setKey(found[0] ?? "");
    setName((before) => before || chosen.name.replace(/\.csv$/i, "").toLowerCase().replace(/[^a-z0-9_]+/g, "_"));
  };
  const make = async (): Promise<void> => {
    if (!file) return;
    setBusy(true);
    try {
      const parts = Math.max(1, Math.ceil(file.size / PART_BYTES));
      const { data: { id, attributes: { part_urls } } } = await call<{ readonly data: { readonly id: string; readonly attributes: { readonly part_urls: readonly string[] } } }>("POST", `${TABLES}/uploads`, { data: { type: "upload", attributes: { table_name: name, headers, part_count: parts, part_size: PART_BYTES } } });
      for (let i = 0; i < parts; i++) {
        // The address is the server's own, as it is reached from elsewhere; here it is reached by this page's.
        const { pathname, search } = new URL(part_urls[i]!, location.origin);
        const answer = await fetch(`${pathname}${search}`, { method: "PUT", body: file.slice(i * PART_BYTES, (i + 1) * PART_BYTES) });
        if (!answer.ok) throw new Error(`part ${i + 1} was refused: ${answer.status}`);
      }
      await call("POST", `${TABLES}/tables`, { data: { type: "reference_table", attributes: { table_name: name, description, source: "LOCAL_FILE", schema: { fields: headers.map((each) => ({ name: each, type: "STRING" })), primary_keys: [key] }, file_metadata: { upload_id: id } } } });
      tell(`${name}: made`);
      onMade();
    } catch (error) {
      tellFault(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="New table of a CSV" onClose={onClose}>
      <form className="form" onSubmit={(event) => (event.preventDefault(), void make())}>
        <label>CSV with a line of headings<input type="file" accept=".csv,text/csv" required onChange={(event) => void choose(event.target.files?.[0])} /></label>
        <label>Name<input required pattern="[a-z][a-z0-9_]{0,199}" value={name} onChange={(event) => setName(event.target.value)} /></label>
        <label>Description<input value={description} onChange={(event) => setDescription(event.target.value)} /></label>
        <label>Key<select value={key} onChange={(event) => setKey(event.target.value)}>{headers.map((each) => <option key={each}>{each}</option>)}</select></label>
        <div className="form-end"><button type="submit" className="primary" disabled={!file || isBusy}>Make</button></div>
      </form>
    </Dialog>
  );
}

function One({ id }: { readonly id: string }) {
  const mayWrite = useMay("reference_tables_write");
  const table = useLoad(id, async (signal) => (await get<{ readonly data: Table }>(`${TABLES}/tables/${encodeURIComponent(id)}`, signal)).data);
  const rows = useLoad(`rows ${id}`, (signal) => get<RowPage>(`${TABLES}/tables/${encodeURIComponent(id)}/rows/list?page[limit]=200`, signal));
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  if (table.fault) return <Fault fault={table.fault} />;
  if (!table.data) return <Loading />;
  const { table_name, row_count, schema } = table.data.attributes;
  const [key] = schema.primary_keys;
  const add = (): void => void call("POST", `${TABLES}/tables/${id}/rows`, { data: [{ type: "row", id: values[key!] ?? "", attributes: { values } }] }).then(() => (tell("Row saved"), setValues({}), rows.reload(), table.reload()), tellFault);
  return (
    <div className="page">
      <header className="page-head"><Link href="/settings/tables">Reference tables</Link><h1><Line>{table_name}</Line></h1><span className="quiet">{plural(row_count ?? 0, "row")}</span></header>
      {rows.fault && <Fault fault={rows.fault} />}
      <form onSubmit={(event) => (event.preventDefault(), add())}>
        <table className="plain">
          <thead><tr>{schema.fields.map(({ name }) => <th key={name} scope="col">{name}{name === key ? " (key)" : ""}</th>)}<th scope="col">Change</th></tr></thead>
          <tbody>
            {mayWrite && <tr>{schema.fields.map(({ name }) => <td key={name}><input aria-label={name} required={name === key} value={values[name] ?? ""} onChange={(event) => setValues({ ...values, [name]: event.target.value })} /></td>)}<td><button type="submit">Add or replace</button></td></tr>}
            {rows.data?.data.map((row) => (
              <tr key={row.id}>
                {schema.fields.map(({ name }) => <td key={name}><Line>{cellText(row.attributes.values[name])}</Line></td>)}
                <td>{mayWrite && <button type="button" className="danger" aria-label={`Delete row ${row.id}`} onClick={() => void call("DELETE", `${TABLES}/tables/${id}/rows`, { data: [{ type: "row", id: row.id }] }).then(() => (rows.reload(), table.reload()), tellFault)}>Delete</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </form>
      {rows.data?.links.next && <p className="quiet">The first 200 rows are shown.</p>}
    </div>
  );
}
