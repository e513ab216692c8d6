import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { timeText } from "../lib/time.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import "../styles/settings.css";

type Kind = "api_keys" | "application_keys";

interface Key {
  readonly id: string;
  readonly attributes: { readonly name: string; readonly last4: string; readonly created_at: string; readonly disabled: boolean; readonly date_last_used?: string | null; readonly last_used_at?: string | null; readonly scopes?: readonly string[] | null; readonly key?: string };
}

/** Keys: API keys let logs in, application keys let programs do what their owner may. */
export default function KeysPage() {
  const { params } = usePlace();
  const [mayApi, mayOwn, mayAll] = [useMay("api_keys_read"), true, useMay("org_app_keys_read")];
  return (
    <div className="page">
      <h1>Keys</h1>
      <Tabs label="Kinds of keys" chosen={params.get("tab") ?? (mayApi ? "api" : "application")} onChoose={(tab) => setParams({ tab })} tabs={[
        ...(mayApi ? [{ id: "api", label: "API keys", body: () => <Keys kind="api_keys" path="/api/v2/api_keys" writes="api_keys_write" /> }] : []),
        ...(mayOwn ? [{ id: "application", label: "My application keys", body: () => <Keys kind="application_keys" path="/api/v2/current_user/application_keys" /> }] : []),
        ...(mayAll ? [{ id: "all", label: "All application keys", body: () => <Keys kind="application_keys" path="/api/v2/application_keys" writes="org_app_keys_write" isMadeElsewhere /> }] : []),
      ]} />
    </div>
  );
}

function Keys({ kind, path, writes, isMadeElsewhere = false }: { readonly kind: Kind; readonly path: string; readonly writes?: string; readonly isMadeElsewhere?: boolean }) {
  const mayWrite = useMay(writes ?? "") || writes === undefined;
  const [name, setName] = useState("");
  const [made, setMade] = useState<Key>();
  const keys = useLoad(path, async (signal) => (await get<{ readonly data: readonly Key[] }>(`${path}?page[size]=500`, signal)).data);
  const make = async (): Promise<void> => {
    try {
      const { data } = await call<{ readonly data: Key }>("POST", path, { data: { type: kind, attributes: { name } } });
      setMade(data);
      setName("");
      keys.reload();
    } catch (error) {
      tellFault(error);
    }
  };
  if (keys.fault) return <Fault fault={keys.fault} onRetry={keys.reload} />;
  if (!keys.data) return <Loading />;
  return (
    <>
      {mayWrite && !isMadeElsewhere && <form className="page-head" onSubmit={(event) => (event.preventDefault(), void make())}><input aria-label="Name of a new key" required placeholder="Name of a new key" value={name} onChange={(event) => setName(event.target.value)} /><button type="submit" className="primary">Make a key</button></form>}
      {!keys.data.length ? <Empty>No keys.</Empty> : (
        <table className="plain">
          <thead><tr><th scope="col">Name</th><th scope="col">Ends with</th><th scope="col">Made</th><th scope="col">Last used</th><th scope="col">State</th><th scope="col">Change</th></tr></thead>
          <tbody>{keys.data.map(({ id, attributes }) => (
            <tr key={id}>
              <td><Line>{attributes.name}</Line></td><td><code>{attributes.last4}</code></td><td>{timeText(attributes.created_at, "row")}</td><td>{timeText(attributes.date_last_used ?? attributes.last_used_at, "row")}</td><td>{attributes.disabled ? "disabled" : "in use"}</td>
              <td className="row-deeds">{mayWrite && (
                <>
                  <button type="button" aria-label={`${attributes.disabled ? "Enable" : "Disable"} ${attributes.name}`} onClick={() => void call("PATCH", `${path}/${id}`, { data: { id, type: kind, attributes: { disabled: !attributes.disabled } } }).then(keys.reload, tellFault)}>{attributes.disabled ? "Enable" : "Disable"}</button>
                  <button type="button" className="danger" aria-label={`Delete ${attributes.name}`} onClick={() => void call("DELETE", `${path}/${id}`).then(() => (tell(`${attributes.name} deleted: it lets nobody in any more`), keys.reload()), tellFault)}>Delete</button>
                </>
              )}</td>
            </tr>
          ))}</tbody>
        </table>
      )}
      {made && (
        <Dialog title="The new key" onClose={() => setMade(undefined)}>
          <p>It is shown this once; only its hash is kept.</p>
          <p className="secret"><code>{made.attributes.key}</code><button type="button" onClick={() => void navigator.clipboard.writeText(made.attributes.key ?? "").then(() => tell("Key copied"), tellFault)}>Copy</button></p>
        </Dialog>
      )}
    </>
  );
}
