/** A span of time in epoch milliseconds, from its start on and before its end. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A value as a query's phrase: whatever it holds, it is found as it stands. */
export function phrase(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** Several queries that must all hold; those that ask for nothing are left out. */
export function all(...queries: readonly string[]): string {
  return queries.filter((query) => query !== "" && query !== "*").join(" ");
}

/** The signal explorer, showing what a query finds. */
export function signalsHref(query: string, { fromMs, toMs }: TimeSpan): string {
  return href("/security/signals", { query, from: String(fromMs), to: String(toMs) });
}

export function logsHref(query: string, { fromMs, toMs }: TimeSpan): string {
  return href("/logs", { query, from: String(fromMs), to: String(toMs) });
}

export function rulesHref(query: string): string {
  return href("/security/rules", { query });
}

export function ruleHref(id: string): string {
  return `/security/rules/${encodeURIComponent(id)}`;
}

/** @param filter such as `{ status: "broken" }` */
export function packsHref(filter: Readonly<Record<string, string>> = {}): string {
  return href("/security/packs", filter);
}

/** @param filter such as `{ density: "low" }` */
export function mitreHref(filter: Readonly<Record<string, string>> = {}): string {
  return href("/security/mitre", filter);
}

/** @param filter such as `{ type: "user" }` */
export function entitiesHref(filter: Readonly<Record<string, string>> = {}): string {
  return href("/security/entities", filter);
}

export function entityHref(type: string, name: string): string {
  return `/security/entities/${encodeURIComponent(type)}/${encodeURIComponent(name)}`;
}

export function dashboardHref(id: string): string {
  return `/dashboards/${encodeURIComponent(id)}`;
}

function href(path: string, parameters: Readonly<Record<string, string>>): string {
  // `%20`, not `+`: a reader of plain percent encoding reads the same.
  const text = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&");
  return text === "" ? path : `${path}?${text}`;
}
