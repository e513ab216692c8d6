import { call } from "../lib/api.ts";
import { plural } from "../lib/text.ts";
import { tell } from "../ui/toast.tsx";
import { SIGNALS, archiveReasons } from "./model.ts";

export interface Change {
  readonly state?: "open" | "under_review" | "archived";
  readonly archive_reason?: string;
  readonly archive_comment?: string;
  /** Id of a user; "" takes the assignment away. */
  readonly assignee?: string;
}

/** The API takes so many at a time. */
const AT_ONCE = 199;

/** One change to many signals; tells what was done. Rejects with an `ApiFault`. */
export async function changeSignals(ids: readonly string[], { assignee, ...attributes }: Change): Promise<void> {
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const data = ids.slice(at, at + AT_ONCE).map((id) => ({ id, attributes: { ...attributes, ...(assignee === undefined ? {} : { assignee: { uuid: assignee } }) } }));
    await call("PATCH", `${SIGNALS}/bulk/update`, { data });
  }
  const what = assignee !== undefined ? (assignee === "" ? "unassigned" : "assigned") : attributes.state === "archived" ? `archived: ${archiveReasons[attributes.archive_reason ?? "none"]}` : attributes.state === "open" ? "open again" : "under review";
  tell(`${plural(ids.length, "signal")} ${what}`);
}
