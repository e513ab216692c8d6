import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { addressOf, go } from "../lib/router.tsx";
import { Popup } from "../ui/menu.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";

interface Views {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly name: string; readonly shared?: boolean; readonly content: { readonly params?: unknown } } }>;
}

const VIEWS = "/api/v2/security_monitoring/views";

/** Views that were saved: the whole address of an explorer under a name. */
export function ViewMenu({ page }: { readonly page: "signals" | "logs" | "rules" }) {
  const [name, setName] = useState("");
  const [isShared, setShared] = useState(false);
  const views = useLoad(`views ${page}`, (signal) => get<Views>(`${VIEWS}?page=${page}`, signal));
  const save = async (): Promise<void> => {
    const params = new URLSearchParams(location.search);
    params.delete("signal");
    try {
      await call("POST", VIEWS, { data: { type: "saved_views", attributes: { name: name.trim(), page, shared: isShared, content: { params: params.toString() } } } });
      setName("");
      tell("View saved");
      views.reload();
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <Popup label="Views ▾">
      {(close) => (
        <div className="view-menu">
          <ul className="choices">
            {(views.data?.data ?? []).map(({ id, attributes }) => (
              <li key={id} className="view-row">
                <button type="button" onClick={() => (go(addressOf(location.pathname, new URLSearchParams(String(attributes.content.params ?? "")))), close())}>
                  <Line>{attributes.name}</Line>
                </button>
                <button type="button" className="icon-button" aria-label={`Delete the view ${attributes.name}`} onClick={() => void call("DELETE", `${VIEWS}/${encodeURIComponent(id)}`).then(views.reload, tellFault)}>
                  ✕
                </button>
              </li>
            ))}
            {views.data?.data.length === 0 && <li className="quiet">no views yet</li>}
          </ul>
          <form onSubmit={(event) => (event.preventDefault(), name.trim() && void save())}>
            <input aria-label="Name of a new view" placeholder="Save this view as" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
            <label><input type="checkbox" checked={isShared} onChange={() => setShared(!isShared)} /> for everybody</label>
            <button type="submit" disabled={!name.trim()}>Save</button>
          </form>
        </div>
      )}
    </Popup>
  );
}
