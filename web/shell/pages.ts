import { type ComponentType, type LazyExoticComponent, lazy } from "react";

type View = () => Promise<{ readonly default: ComponentType<PageProps> }>;

export interface PageProps {
  /** What stands in the address behind the page's own path, decoded: `["rule-id"]`. */
  readonly rest: readonly string[];
}

export interface PageEntry {
  /** First parts of its address. */
  readonly path: string;
  readonly title: string;
  /** Where it stands in the navigation; not there when absent. */
  readonly group?: "Security" | "Data" | "Settings";
  /** One of several permissions lets somebody see it. */
  readonly permissions: readonly string[];
  /** Key that leads to it after `g`. */
  readonly key?: string;
  readonly icon: string;
  readonly view: LazyExoticComponent<ComponentType<PageProps>>;
  /** Fetches its scripts and looks before it is shown. */
  readonly load: View;
}

const viewed = (load: View): Pick<PageEntry, "view" | "load"> => ({ view: lazy(load), load });

const signalsRead = ["security_monitoring_signals_read"];

/** Every page, in the order of the navigation. The longest path that fits an address wins. */
export const pages: readonly PageEntry[] = [
  { path: "/security/overview", title: "Overview", group: "Security", permissions: signalsRead, key: "o", icon: "chart", ...viewed(() => import("../overview/page.tsx")) },
  { path: "/security/signals", title: "Signals", group: "Security", permissions: signalsRead, key: "s", icon: "bell", ...viewed(() => import("../signals/page.tsx")) },
  { path: "/security/entities", title: "Entities", group: "Security", permissions: signalsRead, key: "e", icon: "person", ...viewed(() => import("../entities/page.tsx")) },
  { path: "/security/mitre", title: "ATT&CK", group: "Security", permissions: ["security_monitoring_rules_read"], key: "m", icon: "map", ...viewed(() => import("../mitre/page.tsx")) },
  { path: "/security/rules", title: "Rules", group: "Security", permissions: ["security_monitoring_rules_read"], key: "r", icon: "rule", ...viewed(() => import("../rules/page.tsx")) },
  { path: "/logs", title: "Logs", group: "Data", permissions: ["logs_read_data"], key: "l", icon: "logs", ...viewed(() => import("../logs/page.tsx")) },
  { path: "/dashboards", title: "Dashboards", group: "Data", permissions: ["dashboards_read"], key: "d", icon: "grid", ...viewed(() => import("../dashboards/page.tsx")) },
  { path: "/security/packs", title: "Content packs", group: "Data", permissions: ["security_monitoring_rules_read"], key: "p", icon: "pack", ...viewed(() => import("../packs/page.tsx")) },
  { path: "/security/suppressions", title: "Suppressions", group: "Data", permissions: ["security_monitoring_suppressions_read"], key: "u", icon: "stop", ...viewed(() => import("../suppressions/page.tsx")) },
  { path: "/settings/tables", title: "Reference tables", group: "Data", permissions: ["reference_tables_read"], key: "b", icon: "table", ...viewed(() => import("../tables/page.tsx")) },
  { path: "/settings/filters", title: "Security filters", group: "Settings", permissions: ["security_monitoring_filters_read"], key: "f", icon: "funnel", ...viewed(() => import("../settings/filters-page.tsx")) },
  { path: "/settings/assets", title: "Critical assets", group: "Settings", permissions: ["security_monitoring_rules_read"], key: "c", icon: "star", ...viewed(() => import("../settings/assets-page.tsx")) },
  { path: "/settings/intake", title: "Intake", group: "Settings", permissions: ["logs_read_data"], key: "i", icon: "pulse", ...viewed(() => import("../settings/intake-page.tsx")) },
  { path: "/settings/keys", title: "Keys", group: "Settings", permissions: ["api_keys_read", "org_app_keys_read", "security_monitoring_signals_read"], key: "k", icon: "key", ...viewed(() => import("../settings/keys-page.tsx")) },
  { path: "/settings/people", title: "Users and roles", group: "Settings", permissions: ["user_access_manage", "user_access_invite", "security_monitoring_signals_read"], key: "h", icon: "person", ...viewed(() => import("../settings/people-page.tsx")) },
  { path: "/settings/audit", title: "Audit trail", group: "Settings", permissions: ["audit_logs_read", "security_monitoring_signals_read"], key: "a", icon: "list", ...viewed(() => import("../settings/audit-page.tsx")) },
  { path: "/settings/onboarding", title: "Get started", group: "Settings", permissions: signalsRead, icon: "gear", ...viewed(() => import("../settings/onboarding-page.tsx")) },
];

export function pageOf(path: string): { readonly page: PageEntry; readonly rest: readonly string[] } | undefined {
  const fits = pages.filter((each) => path === each.path || path.startsWith(`${each.path}/`)).toSorted((a, b) => b.path.length - a.path.length)[0];
  if (!fits) return undefined;
  return { page: fits, rest: path.slice(fits.path.length + 1).split("/").filter(Boolean).map(decoded) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
