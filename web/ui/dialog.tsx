import { type ReactNode, useEffect, useId, useRef } from "react";

/** A modal: focus stays within it, Escape closes it, and what had the focus before gets it back. */
export function Dialog({ title, children, onClose, width = "32rem" }: { readonly title: string; readonly children: ReactNode; readonly onClose: () => void; readonly width?: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    if (!element.open) element.showModal();
    // The first thing to do, not the button that closes.
    element.querySelector<HTMLElement>(".dialog-body :is(input, select, textarea, button)")?.focus();
    return () => {
      element.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={heading} className="dialog" style={{ width: `min(${width}, calc(100vw - 2rem))` }} onCancel={(event) => (event.preventDefault(), close.current())} onMouseDown={(event) => event.target === dialog.current && close.current()}>
      <div className="dialog-inner">
        <header className="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </header>
        <div className="dialog-body">{children}</div>
      </div>
    </dialog>
  );
}
