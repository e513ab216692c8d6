import { useCallback, useEffect, useRef, useState } from "react";
import type { ApiFault } from "./api.ts";

export interface Loaded<T> {
  /** Of the last good answer, while the next is awaited too. */
  readonly data: T | undefined;
  readonly fault: ApiFault | undefined;
  readonly isLoading: boolean;
  reload(): void;
}

/**
 * What `load` answers, asked again whenever `key` changes; an undefined key asks nothing. Answers that are overtaken by a newer
 * question are dropped.
 */
export function useLoad<T>(key: string | undefined, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ readonly key: string | undefined; readonly data: T | undefined; readonly fault: ApiFault | undefined }>({ key: undefined, data: undefined, fault: undefined });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const [isLoading, setLoading] = useState(key !== undefined);
  useEffect(() => {
    if (key === undefined) return setLoading(false);
    const abort = new AbortController();
    setLoading(true);
    latest.current(abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        setState({ key, data, fault: undefined });
        setLoading(false);
      },
      (fault: ApiFault) => {
        if (abort.signal.aborted) return;
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, fault }));
        setLoading(false);
      },
    );
    return () => abort.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { data: state.data, fault: state.fault, isLoading, reload };
}
