import { useState } from "react";
import { plural } from "../lib/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { archiveReasons } from "./model.ts";
import type { Change } from "./triage.ts";

export function ArchiveDialog({ count, onClose, onArchive }: { readonly count: number; readonly onClose: () => void; readonly onArchive: (change: Change) => void }) {
  const [reason, setReason] = useState("false_positive");
  const [comment, setComment] = useState("");
  return (
    <Dialog title={`Archive ${plural(count, "signal")}`} onClose={onClose}>
      <form className="form" onSubmit={(event) => (event.preventDefault(), onArchive({ state: "archived", archive_reason: reason, ...(comment ? { archive_comment: comment } : {}) }))}>
        <fieldset>
          <legend>Reason</legend>
          {Object.entries(archiveReasons).filter(([id]) => id !== "none").map(([id, name]) => (
            <label key={id} className="radio">
              <input type="radio" name="reason" value={id} checked={reason === id} onChange={() => setReason(id)} /> {name}
            </label>
          ))}
        </fieldset>
        <label>
          Comment
          <textarea rows={3} maxLength={10_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        </label>
        <div className="form-end">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" className="primary">Archive</button>
        </div>
      </form>
    </Dialog>
  );
}
