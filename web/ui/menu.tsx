import { type ReactNode, useEffect, useId, useRef, useState } from "react";

/** A button that opens something beside it; Escape and a press elsewhere close it. */
export function Popup({ label, children, className = "", title, align = "left" }: { readonly label: ReactNode; readonly children: (close: () => void) => ReactNode; readonly className?: string; readonly title?: string; readonly align?: "left" | "right" }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!isOpen) return;
    const press = (event: MouseEvent): void => void (!box.current?.contains(event.target as Node) && setOpen(false));
    document.addEventListener("mousedown", press);
    return () => document.removeEventListener("mousedown", press);
  }, [isOpen]);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className={`popup ${className}`} ref={box} onKeyDown={(event) => event.key === "Escape" && isOpen && (event.stopPropagation(), event.preventDefault(), close())}>
      <button ref={button} type="button" aria-expanded={isOpen} aria-controls={id} title={title} onClick={() => setOpen(!isOpen)}>
        {title && <span className="visually-hidden">{title}: </span>}
        {label}
      </button>
      {isOpen && (
        <div id={id} className={`popup-body popup-${align}`}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
