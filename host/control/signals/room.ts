import { retain } from "../../store/signals-retention.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { exploreRoutes } from "./explore.ts";
import { investigationRoutes } from "./investigate.ts";
import { Sight } from "./sight.ts";
import { triageRoutes } from "./triage.ts";
import { viewRoutes } from "./views.ts";

const RETAIN_MS = 3_600_000;

/** Signals: found, looked into, judged by people, kept for as long as they are to be. */
export function signalsRoom(context: ControlContext): Room {
  const sight = new Sight(context.signals);
  let retainedMs = 0;
  return {
    routes: [...exploreRoutes(context), ...investigationRoutes(context, sight), ...triageRoutes(context, sight), ...viewRoutes(context)],
    async tend(nowMs) {
      if (nowMs - retainedMs < RETAIN_MS) return;
      retainedMs = nowMs;
      await retain(context.sql, nowMs, { onDeleted: (ids) => void context.signalSearch.gone(ids).catch((error: unknown) => context.onFault("signal search", error)) });
    },
  };
}
