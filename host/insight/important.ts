/** Severities whose signals are called important (platform spec 3). */
const important: readonly string[] = ["critical", "high", "medium"];

/** The query that finds them. */
export const IMPORTANT = `status:(${important.join(" OR ")})`;

export function isImportant(severity: string): boolean {
  return important.includes(severity);
}
