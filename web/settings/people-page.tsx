import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { setParams, usePlace } from "../lib/router.tsx";
import { useMay, useSession } from "../lib/session.tsx";
import { plural } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Fault, Loading } from "../ui/fault.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { RoleDialog } from "./role-dialog.tsx";
import { type Role, type User, allRoles } from "./people.ts";
import "../styles/settings.css";

/** Who comes in, and what they may. */
export default function PeoplePage() {
  const { params } = usePlace();
  return (
    <div className="page">
      <h1>Users and roles</h1>
      <Tabs label="Users and roles" chosen={params.get("tab") ?? "users"} onChoose={(tab) => setParams({ tab: tab === "users" ? undefined : tab })} tabs={[{ id: "users", label: "Users", body: () => <Users /> }, { id: "roles", label: "Roles", body: () => <Roles /> }, { id: "own", label: "My password", body: () => <OwnPassword /> }]} />
    </div>
  );
}

function Users() {
  const mayManage = useMay("user_access_manage");
  const [isAdding, setAdding] = useState(false);
  const [changing, setChanging] = useState<User>();
  const users = useLoad("users", async (signal) => (await get<{ readonly data: readonly User[] }>("/api/v2/users?page[size]=500", signal)).data);
  const roles = useLoad("roles", allRoles);
  if (users.fault) return <Fault fault={users.fault} onRetry={users.reload} />;
  if (!users.data || !roles.data) return <Loading />;
  const nameOf = (id: string): string => roles.data!.find((role) => role.id === id)?.attributes.name ?? id;
  return (
    <>
      <div className="page-head"><span className="quiet">{plural(users.data.length, "user")}</span>{mayManage && <button type="button" className="primary" onClick={() => setAdding(true)}>New user</button>}</div>
      <table className="plain">
        <thead><tr><th scope="col">Address</th><th scope="col">Name</th><th scope="col">Roles</th><th scope="col">State</th><th scope="col">Last login</th><th scope="col">Change</th></tr></thead>
        <tbody>{users.data.map((user) => {
          const { email, name, disabled, last_login_time } = user.attributes;
          return (
            <tr key={user.id}>
              <td><Line>{email}</Line></td><td><Line>{name}</Line></td><td><Line>{user.relationships.roles.data.map(({ id }) => nameOf(id)).join(", ")}</Line></td><td>{disabled ? "disabled" : "active"}</td><td>{timeText(last_login_time, "row")}</td>
              <td className="row-deeds">{mayManage && (
                <>
                  <button type="button" aria-label={`Roles of ${email}`} onClick={() => setChanging(user)}>Roles</button>
                  <button type="button" aria-label={`${disabled ? "Enable" : "Disable"} ${email}`} onClick={() => void call("PATCH", `/api/v2/users/${user.id}`, { data: { id: user.id, type: "users", attributes: { disabled: !disabled } } }).then(() => (tell(disabled ? `${email} may come in again` : `${email} comes in no more`), users.reload()), tellFault)}>{disabled ? "Enable" : "Disable"}</button>
                </>
              )}</td>
            </tr>
          );
        })}</tbody>
      </table>
      {isAdding && <NewUser roles={roles.data} onClose={() => setAdding(false)} onMade={() => (setAdding(false), users.reload())} />}
      {changing && <RolesOf user={changing} roles={roles.data} onClose={() => (setChanging(undefined), users.reload())} />}
    </>
  );
}

function NewUser({ roles, onClose, onMade }: { readonly roles: readonly Role[]; readonly onClose: () => void; readonly onMade: () => void }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState(roles.find(({ attributes }) => /Read Only/.test(attributes.name))?.id ?? roles[0]?.id ?? "");
  const make = (): void => void call("POST", "/api/v2/users", { data: { type: "users", attributes: { email, ...(name ? { name } : {}), ...(password ? { password } : {}) }, relationships: { roles: { data: [{ id: role, type: "roles" }] } } } }).then(() => (tell(`${email} added`), onMade()), tellFault);
  return (
    <Dialog title="New user" onClose={onClose}>
      <form className="form" onSubmit={(event) => (event.preventDefault(), make())}>
        <label>Email address<input type="email" required value={email} onChange={(event) => setEmail(event.target.value)} /></label>
        <label>Name<input value={name} onChange={(event) => setName(event.target.value)} /></label>
        <label>Password, where they log in by one<input type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} /></label>
        <label>Role<select value={role} onChange={(event) => setRole(event.target.value)}>{roles.map(({ id, attributes }) => <option key={id} value={id}>{attributes.name}</option>)}</select></label>
        <div className="form-end"><button type="submit" className="primary">Add</button></div>
      </form>
    </Dialog>
  );
}

function RolesOf({ user, roles, onClose }: { readonly user: User; readonly roles: readonly Role[]; readonly onClose: () => void }) {
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set(user.relationships.roles.data.map(({ id }) => id)));
  const toggle = async (role: Role): Promise<void> => {
    try {
      await call(held.has(role.id) ? "DELETE" : "POST", `/api/v2/roles/${role.id}/users`, { data: { id: user.id, type: "users" } });
      setHeld(held.has(role.id) ? new Set([...held].filter((id) => id !== role.id)) : new Set([...held, role.id]));
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <Dialog title={`Roles of ${user.attributes.email}`} onClose={onClose}>
      <ul className="choices">{roles.map((role) => <li key={role.id}><label><input type="checkbox" checked={held.has(role.id)} onChange={() => void toggle(role)} /> <Line>{role.attributes.name}</Line></label></li>)}</ul>
    </Dialog>
  );
}

function Roles() {
  const mayManage = useMay("user_access_manage");
  const roles = useLoad("roles", allRoles);
  const [open, setOpen] = useState<Role | "new">();
  if (roles.fault) return <Fault fault={roles.fault} onRetry={roles.reload} />;
  if (!roles.data) return <Loading />;
  return (
    <>
      <div className="page-head"><span className="quiet">{plural(roles.data.length, "role")}</span>{mayManage && <button type="button" className="primary" onClick={() => setOpen("new")}>New role</button>}</div>
      <table className="plain">
        <thead><tr><th scope="col">Role</th><th scope="col" className="number">Users</th><th scope="col" className="number">Permissions</th><th scope="col">Sees</th><th scope="col">Change</th></tr></thead>
        <tbody>{roles.data.map((role) => (
          <tr key={role.id}>
            <td><Line>{role.attributes.name}</Line>{role.attributes.managed && <span className="quiet"> managed</span>}</td><td className="number">{role.attributes.user_count}</td><td className="number">{role.relationships.permissions.data.length}</td><td>{role.attributes.restriction_query === null ? "all logs" : <code><Line>{role.attributes.restriction_query}</Line></code>}</td>
            <td><button type="button" aria-label={`${mayManage && !role.attributes.managed ? "Edit" : "Look at"} ${role.attributes.name}`} onClick={() => setOpen(role)}>{mayManage && !role.attributes.managed ? "Edit" : "Look at"}</button></td>
          </tr>
        ))}</tbody>
      </table>
      {open && <RoleDialog role={open === "new" ? undefined : open} mayManage={mayManage} onClose={() => setOpen(undefined)} onSaved={() => (setOpen(undefined), roles.reload())} />}
    </>
  );
}

function OwnPassword() {
  const { auth_method } = useSession();
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  if (auth_method !== "SESSION") return <p className="quiet">A password is changed in a session.</p>;
  return (
    <form className="form own-password" onSubmit={(event) => (event.preventDefault(), void call("PUT", "/api/v2/current_user/password", { current_password: before, new_password: after }).then(() => (tell("Password changed; other sessions ended"), location.reload()), tellFault))}>
      <label>Current password<input type="password" required autoComplete="current-password" value={before} onChange={(event) => setBefore(event.target.value)} /></label>
      <label>New password<input type="password" required autoComplete="new-password" value={after} onChange={(event) => setAfter(event.target.value)} /></label>
      <div><button type="submit" className="primary">Change the password</button></div>
    </form>
  );
}
