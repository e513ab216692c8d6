import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiFault, post } from "../lib/api.ts";
import { EVENTS, type Log, type LogList, MOST_LOGS } from "./model.ts";

const PAGE = 200;

export interface FoundLogs {
  readonly logs: readonly Log[];
  /** Nothing more comes: it is the end, or as much as a page holds. */
  readonly isWhole: boolean;
  readonly isLoading: boolean;
  readonly fault: ApiFault | undefined;
  /** The search had to stop early: what is shown is not all. */
  readonly isCut: boolean;
  more(): void;
  reload(): void;
}

interface State {
  readonly logs: readonly Log[];
  readonly after: string | undefined;
  readonly isLoading: boolean;
  readonly isCut: boolean;
  readonly fault: ApiFault | undefined;
}

const nothing: State = { logs: [], after: undefined, isLoading: true, isCut: false, fault: undefined };

/** Logs from the newest on, page by page as they are asked for. */
export function useLogs(filter: { readonly query: string; readonly from: string; readonly to: string }, sort: string): FoundLogs {
  const key = JSON.stringify([filter, sort]);
  const [state, setState] = useState<State>(nothing);
  const [turn, setTurn] = useState(0);
  const running = useRef<AbortController>(undefined);
  const ask = useCallback((after: string | undefined): void => {
    running.current?.abort();
    const abort = (running.current = new AbortController());
    setState((before) => ({ ...before, isLoading: true }));
    const [asked, order] = JSON.parse(key) as [object, string];
    post<LogList>(`${EVENTS}/search`, { filter: asked, sort: order, page: { limit: PAGE, ...(after ? { cursor: after } : {}) } }, abort.signal).then(
      ({ data, meta }) => !abort.signal.aborted && setState((before) => ({ logs: after ? [...before.logs, ...data] : data, after: meta.page?.after, isLoading: false, isCut: meta.status !== "done", fault: undefined })),
      (fault: ApiFault) => !abort.signal.aborted && setState((before) => ({ ...before, isLoading: false, fault })),
    );
  }, [key]);
  useEffect(() => {
    ask(undefined);
    return () => running.current?.abort();
  }, [ask, turn]);
  const isWhole = state.after === undefined || state.logs.length >= MOST_LOGS;
  return {
    logs: state.logs, isWhole, isLoading: state.isLoading, isCut: state.isCut, fault: state.fault,
    more: () => !state.isLoading && !isWhole && ask(state.after),
    reload: useCallback(() => setTurn((before) => before + 1), []),
  };
}
