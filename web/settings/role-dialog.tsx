import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Dialog } from "../ui/dialog.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import type { Permission, Role } from "./people.ts";

/** A role's name, what it lets do, and which logs it lets see. */
export function RoleDialog({ role, mayManage, onClose, onSaved }: { readonly role: Role | undefined; readonly mayManage: boolean; readonly onClose: () => void; readonly onSaved: () => void }) {
  const permissions = useLoad("permissions", async (signal) => (await get<{ readonly data: readonly Permission[] }>("/api/v2/permissions", signal)).data);
  const [name, setName] = useState(role?.attributes.name ?? "");
  const [restriction, setRestriction] = useState(role?.attributes.restriction_query ?? "");
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set(role?.relationships.permissions.data.map(({ id }) => id)));
  const isFixed = !mayManage || role?.attributes.managed === true;
  const save = async (): Promise<void> => {
    try {
      const refs = { permissions: { data: [...held].map((id) => ({ id, type: "permissions" })) } };
      const { data: { id } } = role
        ? await call<{ readonly data: Role }>("PATCH", `/api/v2/roles/${role.id}`, { data: { id: role.id, type: "roles", attributes: { name }, relationships: refs } })
        : await call<{ readonly data: Role }>("POST", "/api/v2/roles", { data: { type: "roles", attributes: { name }, relationships: refs } });
      if ((role?.attributes.restriction_query ?? "") !== restriction) await call("PUT", `/api/v2/roles/${id}/restriction_query`, { data: { attributes: { restriction_query: restriction || null } } });
      tell(`${name} saved`);
      onSaved();
    } catch (error) {
      tellFault(error);
    }
  };
  const groups = [...new Set(permissions.data?.map(({ attributes }) => attributes.group_name))];
  return (
    <Dialog title={role ? role.attributes.name : "New role"} onClose={onClose} width="52rem">
      <form className="form" onSubmit={(event) => (event.preventDefault(), void save())}>
        <label>Name<input required disabled={isFixed} value={name} onChange={(event) => setName(event.target.value)} /></label>
        <label>Logs and signals its users see; all when empty<input disabled={isFixed} placeholder="team:payments OR source:auth" value={restriction} onChange={(event) => setRestriction(event.target.value)} /></label>
        {groups.map((group) => (
          <fieldset key={group} disabled={isFixed}>
            <legend>{group}</legend>
            <div className="permissions">{permissions.data!.filter(({ attributes }) => attributes.group_name === group).map(({ id, attributes }) => <label key={id} title={attributes.description}><input type="checkbox" checked={held.has(id)} onChange={() => setHeld(held.has(id) ? new Set([...held].filter((each) => each !== id)) : new Set([...held, id]))} /> {attributes.display_name}</label>)}</div>
          </fieldset>
        ))}
        {!isFixed && <div className="form-end"><button type="submit" className="primary">Save</button></div>}
      </form>
    </Dialog>
  );
}
