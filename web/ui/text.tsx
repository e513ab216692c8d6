import { useState } from "react";
import { plural, visible } from "../lib/text.ts";

const MOST_CHARS = 4000;
/** A text of megabytes is shown in parts of this size. */
const PART_CHARS = 100_000;

/** Text from logs: as text whatever it holds, apart from its neighbours' direction, and never more at once than a page bears. */
export function Text({ children, most = MOST_CHARS }: { readonly children: string; readonly most?: number }) {
  const [shown, setShown] = useState(most);
  if (children.length <= shown) return <bdi>{visible(children)}</bdi>;
  return (
    <>
      <bdi>{visible(children.slice(0, shown))}…</bdi>{" "}
      <button type="button" className="linkish" onClick={(event) => (event.stopPropagation(), setShown(shown + PART_CHARS))}>
        {plural(children.length - shown, "more character")}
      </button>
    </>
  );
}

/** One line of a table: cut by the eye's width, not by a button. */
export function Line({ children }: { readonly children: string }) {
  return <bdi>{visible(children.length > 400 ? `${children.slice(0, 400)}…` : children)}</bdi>;
}
