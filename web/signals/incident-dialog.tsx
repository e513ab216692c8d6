import { useState } from "react";
import { call } from "../lib/api.ts";
import { Dialog } from "../ui/dialog.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { type Signal, SIGNALS } from "./model.ts";

/** The numbers of the incidents that a signal belongs to, wherever these are kept. */
export function IncidentDialog({ signal: { id, attributes }, onClose, onDone }: { readonly signal: Signal; readonly onClose: () => void; readonly onDone: () => void }) {
  const { incidentIds = [], version } = attributes.custom.workflow.triage;
  const [text, setText] = useState(incidentIds.join(", "));
  const save = async (): Promise<void> => {
    try {
      const numbers = text.split(",").map((each) => each.trim().replace(/^#/, "")).filter(Boolean).map(Number);
      await call("PATCH", `${SIGNALS}/${encodeURIComponent(id)}/incidents`, { data: { attributes: { incident_ids: numbers, ...(version === undefined ? {} : { version }) } } });
      tell(numbers.length ? "Attached" : "Attached to no incident");
      onClose();
      onDone();
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <Dialog title="Attach to incidents" onClose={onClose}>
      <form className="form" onSubmit={(event) => (event.preventDefault(), void save())}>
        <label>Numbers of the incidents, separated by commas<input value={text} pattern="\s*(#?\d{1,15}\s*(,\s*#?\d{1,15}\s*)*)?" title="whole numbers, such as 17, 21" onChange={(event) => setText(event.target.value)} /></label>
        <div className="form-end"><button type="submit" className="primary">Attach</button></div>
      </form>
    </Dialog>
  );
}
