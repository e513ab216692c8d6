const bySeverity = ["emergency", "alert", "critical", "error", "warn", "notice", "info", "debug"] as const;

/** Datadog's log status of a text or number: syslog numbers, else by first letters; `info` when it says nothing. */
export function normalizeStatus(value: unknown): string {
  const text = value === null || value === undefined || typeof value === "object" ? "" : String(value).trim().toLowerCase();
  if (/^[0-7]$/.test(text)) return bySeverity[Number(text)]!;
  if (text.startsWith("emerg") || text.startsWith("f")) return "emergency";
  switch (text[0]) {
    case "a": return "alert";
    case "c": return "critical";
    case "e": return "error";
    case "w": return "warn";
    case "n": return "notice";
    case "d": case "t": case "v": return "debug";
    case "o": case "s": return "ok";
    default: return "info";
  }
}
