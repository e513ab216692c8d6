import { useState } from "react";
import { get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { useSession } from "../lib/session.tsx";
import { plural } from "../lib/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Line } from "../ui/text.tsx";

interface UserList {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly email: string; readonly name?: string | null; readonly disabled?: boolean } }>;
}

export function AssignDialog({ count, onClose, onAssign }: { readonly count: number; readonly onClose: () => void; readonly onAssign: (userId: string) => void }) {
  const { user } = useSession();
  const [filter, setFilter] = useState("");
  const users = useLoad("users", (signal) => get<UserList>("/api/v2/users?page[size]=500", signal));
  // Who may not list users may still assign to themselves.
  const known = users.data?.data.filter(({ attributes }) => !attributes.disabled).map(({ id, attributes }) => ({ id, name: attributes.email })) ?? [{ id: user.id, name: user.email }];
  const found = known.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase())).slice(0, 50);
  return (
    <Dialog title={`Assign ${plural(count, "signal")}`} onClose={onClose}>
      <div className="form">
        <input aria-label="Find a user" placeholder="Find a user" value={filter} onChange={(event) => setFilter(event.target.value)} onKeyDown={(event) => event.key === "Enter" && found[0] && onAssign(found[0].id)} />
        <ul className="choices">
          <li><button type="button" onClick={() => onAssign("")}>Nobody</button></li>
          {found.map(({ id, name }) => (
            <li key={id}><button type="button" onClick={() => onAssign(id)}><Line>{name}</Line></button></li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
