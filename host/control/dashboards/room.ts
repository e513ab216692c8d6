import { randomInt } from "node:crypto";
import { Type } from "typebox";
import { dashboardHref } from "../../insight/links.ts";
import { readTimeBound } from "../../search/index.ts";
import { DashboardStore, type StoredDashboard } from "../../store/dashboards.ts";
import { ApiError, badRequest, notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import type { PacksRoom } from "../packs/room.ts";
import { type Call, ok, route } from "../route.ts";
import { type FileDashboard, fileDashboards } from "./files.ts";
import { CloneBody, Dashboard, DashboardBody, DashboardList, WidgetsAnswer, WidgetsBody } from "./schemas.ts";
import { shownWidget } from "./shown.ts";
import type { Variable } from "./variables.ts";
import { type Widget, readWidgets } from "./widgets.ts";

const BASE = "/api/v1/dashboard";
const ONE = `${BASE}/:dashboard_id`;
const reading = { tag: "Dashboards", permission: "dashboards_read" } as const;
const writing = { tag: "Dashboards", permission: "dashboards_write" } as const;
const MOST = 1000;
const MOST_CHARS = 500_000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Who made those that come along. */
const PROGRAM = "vespid";

/** A dashboard whoever made it. */
interface Shown {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly layoutType: "ordered" | "free";
  readonly widgets: readonly Widget[];
  readonly variables: readonly Variable[];
  readonly author: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly version: number;
  readonly isDefault: boolean;
  readonly pack: string | undefined;
}

/** What is kept of a request. */
interface Document {
  readonly title: string;
  readonly description: string | null;
  readonly layout_type: "ordered" | "free";
  readonly widgets: readonly Widget[];
  readonly template_variables: readonly Variable[];
}

/** Dashboards: those that people make, and those that come along with the program and its enabled packs (platform spec 16). */
export function dashboardsRoom(context: ControlContext, packs: PacksRoom): Room {
  const store = new DashboardStore(context.sql);
  const given = (): FileDashboard[] => fileDashboards().filter(({ pack }) => pack === undefined || packs.part.names.has(pack));
  const find = (id: string): Shown => {
    const file = given().find((each) => each.id === id);
    const stored = file ? undefined : store.get(id);
    if (file) return ofFile(file);
    if (stored) return ofStore(stored);
    throw notFound(`Dashboard with ID ${id} not found`);
  };
  const own = (id: string): StoredDashboard => {
    if (fileDashboards().some((each) => each.id === id)) throw new ApiError(403, "this dashboard comes along with the program and stays as it is; clone it to change it");
    return store.get(id) ?? refuse(id);
  };
  const create = (call: Pick<Call, "principal" | "nowMs" | "audit">, document: Document): Shown => {
    if (store.count >= MOST) throw badRequest(`there are at most ${MOST} dashboards`);
    return ofStore(context.sql.transaction(() => {
      const made = store.create({ id: newId((id) => store.get(id) !== undefined), title: document.title, document: { ...document }, author: call.principal.handle }, call.nowMs);
      call.audit({ event: "Dashboard", action: "created", asset: { type: "dashboard", id: made.id, name: made.title }, after: document });
      return made;
    }));
  };

  return {
    routes: [
      route({ ...reading, method: "GET", path: BASE, operationId: "listDashboards", summary: "Dashboards: those that come along first, then those that people made, by title", answers: { 200: DashboardList } },
        () => ok({ dashboards: [...given().map(ofFile), ...store.list().map(ofStore)].map(summaryOf) })),
      route({ ...writing, method: "POST", path: BASE, operationId: "createDashboard", summary: "Makes a dashboard", body: DashboardBody, answers: { 200: Dashboard } },
        (call) => ok(answerOf(create(call, documentOf(call.body))))),
      route({ ...reading, method: "GET", path: ONE, operationId: "getDashboard", summary: "One dashboard", answers: { 200: Dashboard }, refuses: [404] },
        ({ params }) => {
          const found = find(params.dashboard_id!);
          return ok(answerOf(found), found.version);
        }),
      route({ ...writing, method: "PUT", path: ONE, operationId: "updateDashboard", summary: "Replaces a dashboard that somebody made", body: DashboardBody, answers: { 200: Dashboard }, refuses: [404, 412] },
        (call) => {
          const before = own(call.params.dashboard_id!);
          call.checkMatch(before.version);
          const document = documentOf(call.body);
          const after = context.sql.transaction(() => {
            const changed = store.update(before.id, { title: document.title, document: { ...document } }, call.nowMs);
            call.audit({ event: "Dashboard", action: "modified", asset: { type: "dashboard", id: before.id, name: document.title }, before: before.document, after: document });
            return changed;
          });
          return ok(answerOf(ofStore(after)), after.version);
        }),
      route({ ...writing, method: "DELETE", path: ONE, operationId: "deleteDashboard", summary: "Takes a dashboard away that somebody made", answers: { 200: Type.Object({ deleted_dashboard_id: Type.String() }) }, refuses: [404, 412] },
        (call) => {
          const before = own(call.params.dashboard_id!);
          call.checkMatch(before.version);
          context.sql.transaction(() => {
            store.delete(before.id);
            call.audit({ event: "Dashboard", action: "deleted", asset: { type: "dashboard", id: before.id, name: before.title }, before: before.document });
          });
          return ok({ deleted_dashboard_id: before.id });
        }),
      route({ ...writing, method: "POST", path: `${ONE}/clone`, operationId: "cloneDashboard", summary: "Makes one of one's own that is like another", body: CloneBody, isBodyOptional: true, answers: { 200: Dashboard }, refuses: [404] },
        (call) => {
          const { title, description, layoutType, widgets, variables } = find(call.params.dashboard_id!);
          return ok(answerOf(create(call, { title: call.body?.title ?? `${title} (copy)`.slice(0, 300), description, layout_type: layoutType, widgets, template_variables: variables })));
        }),
      route({ ...reading, method: "POST", path: "/api/v2/dashboards/widgets/query", operationId: "queryDashboardWidgets", summary: "What widgets show of a span of time, whether or not they are of a dashboard yet", isSearch: true, body: WidgetsBody, answers: { 200: WidgetsAnswer } },
        async ({ body, principal, nowMs }) => {
          const { from, to, widgets: asked, template_variables: variables = [], values = {} } = body.data.attributes;
          const span = { fromMs: readTimeBound(from, nowMs, "from"), toMs: readTimeBound(to, nowMs, "to") };
          if (span.fromMs >= span.toMs) throw badRequest("from: it is not before to");
          const read = readWidgets(asked, variables);
          const widgets = await Promise.all(read.map(({ definition }) => shownWidget(definition, { context, principal, span, nowMs, variables, values })));
          return ok({ data: { type: "dashboard_widgets", attributes: { widgets } } });
        }),
    ],
  };

  function refuse(id: string): never {
    throw notFound(`Dashboard with ID ${id} not found`);
  }
}

type Body = { readonly title: string; readonly description?: string | null; readonly layout_type: "ordered" | "free"; readonly widgets: Parameters<typeof readWidgets>[0]; readonly template_variables?: readonly Variable[] | null };

function documentOf({ title, description = null, layout_type, widgets, template_variables: given }: Body): Document {
  const variables = given ?? [];
  const document = { title, description, layout_type, widgets: readWidgets(widgets, variables), template_variables: variables };
  if (JSON.stringify(document).length > MOST_CHARS) throw badRequest(`a dashboard holds at most ${MOST_CHARS} characters`);
  return document;
}

/** As Datadog has them, `abc-def-ghi`. */
function newId(isTaken: (id: string) => boolean): string {
  const part = (): string => Array.from({ length: 3 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  for (;;) {
    const id = `${part()}-${part()}-${part()}`;
    if (!isTaken(id)) return id;
  }
}

function ofFile({ id, title, description, layoutType, widgets, variables, pack }: FileDashboard): Shown {
  return { id, title, description, layoutType, widgets, variables, author: PROGRAM, createdMs: 0, modifiedMs: 0, version: 1, isDefault: true, pack };
}

function ofStore({ id, title, document, author, version, createdMs, modifiedMs }: StoredDashboard): Shown {
  const { description, layout_type: layoutType, widgets, template_variables: variables } = document as unknown as Document;
  return { id, title, description, layoutType, widgets, variables, author, createdMs, modifiedMs, version, isDefault: false, pack: undefined };
}

function summaryOf({ id, title, description, layoutType, author, createdMs, modifiedMs, isDefault, pack }: Shown): Record<string, unknown> {
  return {
    id, title, description, layout_type: layoutType, url: dashboardHref(id), author_handle: author, created_at: new Date(createdMs).toISOString(), modified_at: new Date(modifiedMs).toISOString(),
    is_read_only: isDefault, is_default: isDefault, ...(pack === undefined ? {} : { pack }),
  };
}

function answerOf(shown: Shown): Record<string, unknown> {
  return { ...summaryOf(shown), widgets: shown.widgets, template_variables: shown.variables, version: shown.version, notify_list: [], reflow_type: "auto", tags: [] };
}
