import { Type } from "typebox";
import { entityRisk } from "../../insight/entities.ts";
import { arranged, overviewIds, readOverview } from "../../insight/overview.ts";
import type { OverviewAsk, OverviewNeed } from "../../insight/overview-ask.ts";
import { SignalNumbers } from "../../insight/signal-numbers.ts";
import { attack } from "../../mitre/attack.ts";
import type { CoverRule } from "../../mitre/coverage.ts";
import { contentFolder } from "../../packs.ts";
import { readTimeBound } from "../../search/index.ts";
import { LayoutStore, type StoredLayout } from "../../store/overview-layouts.ts";
import { ApiError, badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import type { PacksRoom } from "../packs/room.ts";
import type { Permission } from "../permission.ts";
import type { Principal } from "../principal.ts";
import { ok, route } from "../route.ts";
import { OverviewFacts } from "./facts.ts";
import { newsOf } from "./news.ts";
import { Layout, Overview, StoredLayout as LayoutAnswer } from "./schemas.ts";

const BASE = "/api/v2/security/overview";
const permissionOf: Readonly<Record<OverviewNeed, Permission | undefined>> = {
  signals: "security_monitoring_signals_read", rules: "security_monitoring_rules_read", logs: "logs_read_data", cases: "cases_read", known: undefined,
};
/** Packs' logs are looked at for so long, so that what came just now is told. */
const LOOK_MS = 30;
/** Signals a rule has at least to be ranked by its false positives. */
const LEAST_SIGNALS = 5;
const MOST_SPAN_MS = 500 * 86_400_000;
const plain: StoredLayout = { order: [], hidden: [] };

/** The overview page: what every module tells, and how each user has arranged them (platform spec 15). */
export function overviewRoom(context: ControlContext, packs: PacksRoom): Room {
  const layouts = new LayoutStore(context.sql);
  const facts = new OverviewFacts(context, packs);

  const askOf = (principal: Principal, span: OverviewAsk["span"], nowMs: number, leastSignals: number): OverviewAsk => {
    const numbers = new SignalNumbers(context.signalSearch, principal.restriction);
    const risk = entityRisk(context, { toMs: Math.min(span.toMs, nowMs), sight: principal });
    const told = once(() => packs.told(nowMs, LOOK_MS));
    return {
      span, nowMs, numbers, leastSignals, isRestricted: principal.restriction !== undefined,
      rules: () => context.setup().rules as readonly CoverRule[], attack: () => attack(contentFolder()), risk: () => risk,
      packs: async () => (await told()).map(({ pack, isEnabled, state }) => ({ id: pack.name, title: pack.title, category: pack.category ?? null, sources: pack.sources, isEnabled, status: state.status, reasons: state.reasons })),
      sources: async () => {
        await told();
        return facts.sources(nowMs, principal);
      },
      logs: async (asked, widthMs) => {
        await told();
        return await facts.logs(asked, widthMs, principal);
      },
      news: () => newsOf(context.folder), onboarding: () => facts.onboarding(numbers),
    };
  };

  return {
    routes: [
      route({
        method: "GET", path: BASE, operationId: "getSecurityOverview", summary: "What the modules of the overview page tell of a span of time, in one's own order", tag: "Overview", permission: ["security_monitoring_signals_read", "security_monitoring_rules_read"], isSearch: true,
        query: Type.Object({ from: Type.Optional(Type.String({ maxLength: 100 })), to: Type.Optional(Type.String({ maxLength: 100 })), modules: Type.Optional(Type.String({ maxLength: 2000 })), fp_min_signals: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })) }),
        answers: { 200: Overview }, refuses: [503],
      }, async ({ query, principal, nowMs }) => {
        await whole(context);
        const span = spanOf(query.from ?? "now-7d", query.to ?? "now", nowMs);
        const wanted = query.modules === undefined ? undefined : wantedOf(query.modules);
        const ask = askOf(principal, span, nowMs, query.fp_min_signals ?? LEAST_SIGNALS);
        const modules = await readOverview(ask, layouts.get(principal.userId) ?? plain, wanted, (need) => permissionOf[need] === undefined || principal.permissions.has(permissionOf[need]));
        return ok({ from: span.fromMs, to: span.toMs, modules });
      }),
      route({
        method: "PUT", path: `${BASE}/layout`, operationId: "updateSecurityOverviewLayout", summary: "Orders and hides the modules for oneself; ids that are none are left out", tag: "Overview", permission: ["security_monitoring_signals_read", "security_monitoring_rules_read"],
        body: Layout, answers: { 200: LayoutAnswer },
      }, ({ body, principal, nowMs }) => {
        const isKnown = (id: string): boolean => overviewIds.some((each) => each === id);
        const layout = { order: [...new Set((body.order ?? []).filter(isKnown))], hidden: [...new Set((body.hidden ?? []).filter(isKnown))] };
        layouts.set(principal.userId, layout, nowMs);
        return ok({ order: arranged(layout), hidden: layout.hidden });
      }),
    ],
  };
}

function spanOf(from: string, to: string, nowMs: number): OverviewAsk["span"] {
  const [fromMs, toMs] = [readTimeBound(from, nowMs, "from"), readTimeBound(to, nowMs, "to")];
  if (fromMs >= toMs) throw badRequest("from: it is not before to");
  if (toMs - fromMs > MOST_SPAN_MS) throw badRequest("from: the span is longer than signals are kept");
  return { fromMs, toMs };
}

function wantedOf(text: string): ReadonlySet<string> {
  const ids = text.split(",").map((id) => id.trim()).filter((id) => id !== "");
  const unknown = ids.filter((id) => !overviewIds.some((each) => each === id));
  if (unknown.length) throw badRequest(`modules: there is no ${unknown.slice(0, 5).join(", ")}; there are ${overviewIds.join(", ")}`);
  return new Set(ids);
}

/** A server that has just started reads its signals in, and has no numbers before. */
async function whole({ signalSearch }: Pick<ControlContext, "signalSearch">): Promise<void> {
  const { isWhole, signals, stored } = await signalSearch.status();
  if (!isWhole) throw new ApiError(503, `signals are being read in: ${signals} of ${stored}; ask again in a few seconds`, { headers: { "retry-after": "5" } });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
