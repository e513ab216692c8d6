import { useSyncExternalStore } from "react";
import { visible } from "../lib/text.ts";

interface Note {
  readonly id: number;
  readonly kind: "good" | "bad";
  readonly text: string;
}

const SHOWN_MS = 6000;
let notes: readonly Note[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Note[]): void {
  notes = next;
  listeners.forEach((listener) => listener());
}

/** Tells what was done, or why not. */
export function tell(text: string, kind: Note["kind"] = "good"): void {
  const id = ++last;
  change([...notes.slice(-3), { id, kind, text }]);
  setTimeout(() => change(notes.filter((note) => note.id !== id)), kind === "bad" ? SHOWN_MS * 2 : SHOWN_MS);
}

export const tellFault = (error: unknown): void => tell(error instanceof Error ? error.message : String(error), "bad");

export function Toasts() {
  const shown = useSyncExternalStore((listener) => (listeners.add(listener), () => listeners.delete(listener)), () => notes);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((note) => (
        <div key={note.id} className={`toast toast-${note.kind}`}>
          {visible(note.text)}
          <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => change(notes.filter(({ id }) => id !== note.id))}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
