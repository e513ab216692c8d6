import { useEffect, useRef } from "react";

/** What the keys of a view do: shown in the help, and done. */
export interface KeyDeed {
  /** One key (`j`, `?`, `Escape`), or two after another (`g s`). */
  readonly keys: string;
  readonly label: string;
  readonly run: (event: KeyboardEvent) => void;
  /** Works while somebody writes, too. */
  readonly inText?: boolean;
}

export interface KeyGroup {
  readonly name: string;
  readonly deeds: readonly KeyDeed[];
}

const groups: Array<{ readonly current: KeyGroup }> = [];
const SECOND_MS = 1200;
let first: { readonly key: string; readonly atMs: number } | undefined;

/** Keys of the groups in sight; a later one goes first. */
export function keyGroups(): readonly KeyGroup[] {
  return groups.map(({ current }) => current);
}

const isText = (target: EventTarget | null): boolean => target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]):not([type=radio]),textarea,select"));

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const writes = isText(event.target);
  // A dialog keeps keys to itself.
  const dialog = document.querySelector("dialog[open]");
  const before = first !== undefined && event.timeStamp - first.atMs < SECOND_MS ? `${first.key} ${event.key}` : undefined;
  first = undefined;
  for (const { current } of groups.toReversed()) {
    for (const deed of current.deeds) {
      if ((writes && !deed.inText) || (dialog && !deed.inText)) continue;
      if (deed.keys !== event.key && deed.keys !== before) continue;
      // Enter and Space on a button are the button's.
      if ((event.key === "Enter" || event.key === " ") && event.target instanceof HTMLElement && event.target.closest("button,a,summary,[role=option]")) return;
      event.preventDefault();
      deed.run(event);
      return;
    }
  }
  if (!writes) first = { key: event.key, atMs: event.timeStamp };
}

/** Lets keys do something while the view is there. */
export function useKeys(name: string, deeds: readonly KeyDeed[]): void {
  const latest = useRef<KeyGroup>({ name, deeds });
  latest.current = { name, deeds };
  useEffect(() => {
    if (groups.length === 0) window.addEventListener("keydown", press);
    groups.push(latest);
    return () => {
      groups.splice(groups.indexOf(latest), 1);
      if (groups.length === 0) window.removeEventListener("keydown", press);
    };
  }, []);
}
