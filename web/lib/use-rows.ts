import { useCallback, useEffect, useRef, useState } from "react";
import type { ApiFault } from "./api.ts";

export interface Page<R> {
  readonly count: number;
  readonly rows: readonly R[];
}

export interface Rows<R> {
  /** Undefined until the first answer. */
  readonly count: number | undefined;
  readonly fault: ApiFault | undefined;
  readonly isLoading: boolean;
  rowAt(index: number): R | undefined;
  onSight(from: number, to: number): void;
  /** Asks again for what is in sight. */
  reload(): void;
}

const PAGE_ROWS = 100;
/** Further away from what is in sight, pages are let go. */
const MOST_PAGES = 40;
/** Pages asked for at a time. Whoever passes many by asks for those in sight once one of these has come. */
const MOST_ASKED = 3;

/** Rows of a long list, fetched by pages as they come in sight, wherever that is. A new `key` is a new list. */
export function useRows<R>(key: string, load: (skip: number, limit: number, signal: AbortSignal) => Promise<Page<R>>): Rows<R> {
  const pages = useRef(new Map<number, readonly R[]>());
  const asked = useRef(new Map<number, AbortController>());
  const sight = useRef<readonly [number, number]>([0, 1]);
  const latest = useRef(load);
  latest.current = load;
  const [state, setState] = useState<{ readonly count: number | undefined; readonly fault: ApiFault | undefined; readonly turn: number; readonly waiting: number }>({ count: undefined, fault: undefined, turn: 0, waiting: 0 });

  /** Asks for what is in sight and not here yet. */
  const fetchSight = useRef(() => {});
  const fetchPage = useCallback((page: number): void => {
    asked.current.get(page)?.abort();
    const abort = new AbortController();
    asked.current.set(page, abort);
    setState((before) => ({ ...before, waiting: before.waiting + 1 }));
    const done = (change: { readonly count?: number; readonly fault: ApiFault | undefined }): void => {
      if (asked.current.get(page) === abort) asked.current.delete(page);
      setState((before) => ({ ...before, ...(abort.signal.aborted ? {} : change), turn: before.turn + 1, waiting: before.waiting - 1 }));
      if (!change.fault) fetchSight.current();
    };
    latest.current(page * PAGE_ROWS, PAGE_ROWS, abort.signal).then(
      ({ count, rows }) => {
        if (!abort.signal.aborted) pages.current.set(page, rows);
        const [from, to] = sight.current;
        const middle = (from + to) / 2 / PAGE_ROWS;
        if (pages.current.size > MOST_PAGES) for (const far of [...pages.current.keys()].toSorted((a, b) => Math.abs(b - middle) - Math.abs(a - middle)).slice(0, pages.current.size - MOST_PAGES)) pages.current.delete(far);
        done({ count, fault: undefined });
      },
      (fault: ApiFault) => done({ fault }),
    );
  }, []);

  useEffect(() => {
    pages.current.clear();
    sight.current = [0, 1];
    fetchPage(0);
    const waiting = asked.current;
    return () => {
      for (const abort of waiting.values()) abort.abort();
      waiting.clear();
    };
  }, [key, fetchPage]);

  fetchSight.current = (): void => {
    const [from, to] = sight.current;
    for (let page = Math.floor(from / PAGE_ROWS); page <= Math.floor((to - 1) / PAGE_ROWS); page++) if (asked.current.size < MOST_ASKED && !pages.current.has(page) && !asked.current.has(page)) fetchPage(page);
  };

  const onSight = useCallback((from: number, to: number): void => {
    sight.current = [from, to];
    fetchSight.current();
  }, []);

  const reload = useCallback((): void => {
    const [from, to] = sight.current;
    const [first, last] = [Math.floor(from / PAGE_ROWS), Math.floor(Math.max(from, to - 1) / PAGE_ROWS)];
    for (const page of pages.current.keys()) if (page < first || page > last) pages.current.delete(page);
    for (let page = first; page <= last; page++) fetchPage(page);
  }, [fetchPage]);

  const rowAt = useCallback((index: number): R | undefined => pages.current.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS], []);
  return { count: state.count, fault: state.fault, isLoading: state.waiting > 0, rowAt, onSight, reload };
}
