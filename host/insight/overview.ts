import { ProblemError } from "../problem.ts";
import type { OverviewAsk, OverviewModule, OverviewNeed } from "./overview-ask.ts";
import { coverageModules } from "./overview-coverage.ts";
import { importantModules } from "./overview-important.ts";
import { mitreModules } from "./overview-mitre.ts";
import type { OverviewData, OverviewModuleId } from "./overview-model.ts";
import { riskModules } from "./overview-risk.ts";
import { ruleModules } from "./overview-rules.ts";
import { signalModules } from "./overview-signals.ts";
import { startModules } from "./overview-start.ts";
import { threatModules } from "./overview-threat.ts";

/** Every module of the overview page by its id, in the order that the page has for whoever has not changed it. */
const order: readonly OverviewModuleId[] = [
  "onboarding", "news", "coverage.packs", "coverage.health", "coverage.logs", "important.signals", "important.cases", "risk.top", "risk.types", "risk.severity", "threat.ips", "threat.country", "threat.isp",
  "overview.kpi", "overview.flow", "overview.mttr", "mitre.covered", "mitre.density", "mitre.tactics", "mitre.techniques",
  "perf.mttd", "perf.activity", "perf.rules_change", "perf.severity_change", "perf.archived_reasons", "perf.tp_malicious", "perf.tp_benign", "perf.fp",
];
const known = new Map([...startModules, ...coverageModules, ...importantModules, ...riskModules, ...threatModules, ...signalModules, ...mitreModules, ...ruleModules].map((module) => [module.id, module]));

export const overviewModules: readonly OverviewModule[] = order.map((id) => known.get(id)!);
export const overviewIds: readonly OverviewModuleId[] = order;

/** How somebody has arranged the page. */
export interface OverviewLayout {
  readonly order: readonly string[];
  readonly hidden: readonly string[];
}

/** One module as it is shown. */
export interface ShownModule<I extends OverviewModuleId = OverviewModuleId> {
  readonly id: I;
  readonly title: string;
  readonly visible: boolean;
  /** From 0 on. */
  readonly order: number;
  /** Null: it is hidden and was not asked for, or `note` says why not. */
  readonly data: OverviewData[I] | null;
  readonly href: string;
  readonly note?: string;
}

/** Ids in the order of a layout; modules it does not know come last, in their own order. */
export function arranged({ order: wanted }: Pick<OverviewLayout, "order">): readonly OverviewModuleId[] {
  const first = [...new Set(wanted)].filter((id): id is OverviewModuleId => known.has(id as OverviewModuleId));
  return [...first, ...order.filter((id) => !first.includes(id))];
}

/**
 * The page's modules in somebody's order, those that are hidden without their data.
 *
 * @param wanted ids that are asked for, hidden or not; undefined: all
 * @param may whether they may be told of what a module needs
 */
export async function readOverview(ask: OverviewAsk, layout: OverviewLayout, wanted: ReadonlySet<string> | undefined, may: (need: OverviewNeed) => boolean): Promise<ShownModule[]> {
  const ids = arranged(layout);
  return await Promise.all(ids.flatMap((id, i) => {
    if (wanted && !wanted.has(id)) return [];
    const isHidden = layout.hidden.includes(id);
    return [shown(ask, known.get(id)!, i, !isHidden, wanted !== undefined || !isHidden, may)];
  }));
}

async function shown(ask: OverviewAsk, module: OverviewModule, at: number, isVisible: boolean, isRead: boolean, may: (need: OverviewNeed) => boolean): Promise<ShownModule> {
  const { id, title, needs, note } = module;
  const outside = { id, title, order: at, href: module.href(ask) };
  if (!may(needs)) return { ...outside, visible: isVisible, data: null, note: `your roles do not let you see ${needs}` };
  if (!isRead) return { ...outside, visible: isVisible, data: null };
  try {
    const data = await module.read(ask);
    // The list of first steps goes when all are taken.
    const isDone = id === "onboarding" && (data as OverviewData["onboarding"]).open === 0;
    return { ...outside, visible: isVisible && !isDone, data, ...(note === undefined ? {} : { note }) };
  } catch (error) {
    // What cannot be told of one module keeps none of the others from being told.
    if (!(error instanceof ProblemError)) throw error;
    return { ...outside, visible: isVisible, data: null, note: error.problems[0]?.message ?? "it cannot be told" };
  }
}
