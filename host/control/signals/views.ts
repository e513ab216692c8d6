import { Type } from "typebox";
import { type SavedView, ViewStore } from "../../store/views.ts";
import { ApiError, badRequest, notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { type Call, type Route, type RouteFacts, created, empty, ok, route } from "../route.ts";

const VIEWS = "/api/v2/security_monitoring/views";
const facts: Pick<RouteFacts, "tag" | "permission"> = { tag: "Saved views", permission: "security_monitoring_signals_read" };
const MOST_OF_ONE = 200;
const MOST_CONTENT = 20_000;
const Attributes = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }), page: Type.Enum(["signals", "logs", "rules"]), shared: Type.Optional(Type.Boolean()), content: Type.Object({}) });
const Body = Type.Object({ data: Type.Object({ type: Type.Literal("saved_views"), attributes: Attributes }) });
const Change = Type.Object({ data: Type.Object({ type: Type.Literal("saved_views"), attributes: Type.Object({ name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })), shared: Type.Optional(Type.Boolean()), content: Type.Optional(Type.Object({})) }) }) });
const View = Type.Object({ id: Type.String(), type: Type.Literal("saved_views"), attributes: Attributes });

/** Explorer views that people keep: a query, columns, times. One's own, or shared with all. */
export function viewRoutes(context: ControlContext): readonly Route[] {
  const store = new ViewStore(context.sql);
  const seen = (call: Pick<Call, "params" | "principal">): SavedView => {
    const view = store.get(call.params.view_id!);
    if (!view || (!view.isShared && view.owner !== call.principal.userId)) throw notFound("View not found");
    return view;
  };
  const own = (call: Pick<Call, "params" | "principal">): SavedView => {
    const view = seen(call);
    if (view.owner !== call.principal.userId) throw new ApiError(403, "a view is changed by whom it belongs to; save one of your own");
    return view;
  };
  const answer = (view: SavedView): unknown => ({ id: view.id, type: "saved_views", attributes: { name: view.name, page: view.page, shared: view.isShared, content: view.content, owner: view.owner, version: view.version, created_at: new Date(view.createdMs).toISOString(), modified_at: new Date(view.updatedMs).toISOString() } });
  const checkContent = (content: object): void => {
    if (JSON.stringify(content).length > MOST_CONTENT) throw badRequest(`data.attributes.content: a view holds at most ${MOST_CONTENT} characters`);
  };
  return [
    route({ ...facts, method: "GET", path: VIEWS, operationId: "listSavedViews", summary: "Views of one's own and shared ones", query: Type.Object({ page: Type.Optional(Type.String()) }), answers: { 200: Type.Object({ data: Type.Array(View) }) } },
      ({ query, principal }) => ok({ data: store.list(principal.userId, query.page).map(answer) })),
    route({ ...facts, method: "POST", path: VIEWS, operationId: "createSavedView", summary: "Saves a view", body: Body, answers: { 201: Type.Object({ data: View }) } },
      ({ body, principal, nowMs }) => {
        const { name, page, shared = false, content } = body.data.attributes;
        checkContent(content);
        if (store.countOf(principal.userId) >= MOST_OF_ONE) throw badRequest(`one keeps at most ${MOST_OF_ONE} views`);
        return created({ data: answer(store.create({ name, page, owner: principal.userId, isShared: shared, content: content as SavedView["content"] }, nowMs)) });
      }),
    route({ ...facts, method: "GET", path: `${VIEWS}/:view_id`, operationId: "getSavedView", summary: "One view", answers: { 200: Type.Object({ data: View }) }, refuses: [404] },
      (call) => {
        const view = seen(call);
        return ok({ data: answer(view) }, view.version);
      }),
    route({ ...facts, method: "PATCH", path: `${VIEWS}/:view_id`, operationId: "updateSavedView", summary: "Changes a view of one's own", body: Change, answers: { 200: Type.Object({ data: View }) }, refuses: [404, 412] },
      (call) => {
        const view = own(call);
        call.checkMatch(view.version);
        const { name = view.name, shared = view.isShared, content = view.content } = call.body.data.attributes;
        checkContent(content);
        const changed = store.update(view.id, { name, isShared: shared, content: content as SavedView["content"] }, call.nowMs);
        return ok({ data: answer(changed) }, changed.version);
      }),
    route({ ...facts, method: "DELETE", path: `${VIEWS}/:view_id`, operationId: "deleteSavedView", summary: "Takes a view of one's own away", answers: { 204: undefined }, refuses: [404] },
      (call) => {
        store.delete(own(call).id);
        return empty;
      }),
  ];
}
