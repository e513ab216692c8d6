import { useState } from "react";
import { setParams } from "../lib/router.tsx";
import { Popup } from "./menu.tsx";

/** Which columns a table has, kept in the address as `cols`; any attribute or tag key may be one. */
export function ColumnMenu({ offered, titleOf, shown, standard }: { readonly offered: readonly string[]; readonly titleOf: (column: string) => string; readonly shown: readonly string[]; readonly standard: readonly string[] }) {
  const [own, setOwn] = useState("");
  const choose = (next: readonly string[]): void => setParams({ cols: next.join() === standard.join() ? undefined : next.join() });
  return (
    <Popup label="Columns ▾" align="right">
      {() => (
        <div className="column-menu">
          <ul className="choices">
            {[...new Set([...offered, ...shown])].map((id) => (
              <li key={id}>
                <label>
                  <input type="checkbox" checked={shown.includes(id)} onChange={() => choose(shown.includes(id) ? shown.filter((name) => name !== id) : [...shown, id])} /> {titleOf(id)}
                </label>
              </li>
            ))}
          </ul>
          <form onSubmit={(event) => (event.preventDefault(), own.trim() && choose([...shown, own.trim()]), setOwn(""))}>
            <input aria-label="Attribute or tag key" placeholder="@attribute or tag key" value={own} onChange={(event) => setOwn(event.target.value)} />
            <button type="submit">Add</button>
          </form>
        </div>
      )}
    </Popup>
  );
}
