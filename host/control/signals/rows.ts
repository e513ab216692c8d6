import { Type } from "typebox";
import { apiSignal } from "../../signal-model/api.ts";
import { signalCell } from "../../signal-model/cells.ts";
import type { ControlContext } from "../context.ts";
import { type Route, type RouteFacts, ok, route } from "../route.ts";
import { within } from "./explore.ts";
import { SIGNALS } from "./schemas.ts";

const MOST_ROWS = 500;
const MOST_COLUMNS = 30;
const Cell = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null(), Type.Array(Type.Unknown())]);

/** A part of a long list as a table shows it: chosen columns of the rows in sight, wherever they are, and how many there are in all. */
export function rowRoute(facts: Pick<RouteFacts, "tag" | "permission" | "isSearch">, { signalSearch, signals }: ControlContext): Route {
  return route({
    ...facts, method: "POST", path: `${SIGNALS}/rows`, operationId: "listSignalRows", summary: "Some columns of the signals from one place of a list to another",
    body: Type.Object({
      query: Type.Optional(Type.String()), from: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Number()])), to: Type.Optional(Type.Union([Type.String({ maxLength: 100 }), Type.Number()])),
      sort: Type.Optional(Type.String({ maxLength: 1000 })), skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_ROWS })),
      columns: Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { minItems: 1, maxItems: MOST_COLUMNS }),
    }),
    answers: { 200: Type.Object({ count: Type.Integer(), rows: Type.Array(Type.Object({ id: Type.String(), cells: Type.Array(Cell) })) }) },
  }, async ({ body: { columns, ...asked }, principal }) => {
    const { ids, count } = await signalSearch.search({ limit: 100, ...asked, ...within(principal) });
    return ok({ count, rows: ids.flatMap((id) => {
      const stored = signals.get(id);
      if (!stored) return [];
      const signal = apiSignal(stored);
      return [{ id, cells: columns.map((column) => signalCell(signal, column)) }];
    }) });
  });
}
