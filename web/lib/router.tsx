import { type AnchorHTMLAttributes, type ReactNode, useSyncExternalStore } from "react";

/** Addresses hold the whole state of a view, so that a copied one shows the same. */
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

const here = (): string => `${location.pathname}${location.search}`;

export interface Place {
  readonly path: string;
  readonly params: URLSearchParams;
}

export function usePlace(): Place {
  const text = useSyncExternalStore(subscribe, here);
  const mark = text.indexOf("?");
  return { path: mark < 0 ? text : text.slice(0, mark), params: new URLSearchParams(mark < 0 ? "" : text.slice(mark)) };
}

/** `replace`: the back button does not come back to what was before. */
export function go(address: string, { replace = false } = {}): void {
  if (address === here()) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  listeners.forEach((listener) => listener());
}

export type ParamValue = string | number | undefined | null;

/** Changes some parameters of the address and keeps the others; undefined, null and "" take one away. */
export function setParams(changes: Readonly<Record<string, ParamValue>>, options?: { readonly replace?: boolean }): void {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === null || value === "") params.delete(name);
    else params.set(name, String(value));
  }
  go(addressOf(location.pathname, params), options);
}

export function addressOf(path: string, params: URLSearchParams | Readonly<Record<string, ParamValue>>): string {
  const text = (params instanceof URLSearchParams ? params : new URLSearchParams(Object.entries(params).flatMap(([name, value]) => (value === undefined || value === null || value === "" ? [] : [[name, String(value)]])))).toString();
  return text ? `${path}?${text}` : path;
}

/** A link within these pages. */
export function Link({ href, children, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string; readonly children: ReactNode }) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(href);
      }}
    >
      {children}
    </a>
  );
}
