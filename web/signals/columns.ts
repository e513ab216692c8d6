import type { GridColumn } from "../ui/grid.tsx";

/** Columns by the name the API knows them by. */
export const known: readonly GridColumn[] = [
  { id: "severity", title: "Severity", width: "86px", sort: "severity" },
  { id: "timestamp", title: "Created", width: "132px", sort: "timestamp" },
  { id: "title", title: "Signal", width: "minmax(240px, 3fr)", sort: "@title" },
  { id: "entities", title: "Entities", width: "minmax(140px, 2fr)" },
  { id: "rule", title: "Rule", width: "minmax(140px, 2fr)", sort: "@workflow.rule.name" },
  { id: "source", title: "Source", width: "100px", sort: "source" },
  { id: "service", title: "Service", width: "100px", sort: "service" },
  { id: "host", title: "Host", width: "110px", sort: "host" },
  { id: "env", title: "Env", width: "80px", sort: "env" },
  { id: "events", title: "Events", width: "76px", sort: "@workflow.events_matched" },
  { id: "first_seen", title: "First seen", width: "132px", sort: "@workflow.first_seen" },
  { id: "last_seen", title: "Last seen", width: "132px", sort: "@workflow.last_seen" },
  { id: "state", title: "Signal State", width: "118px", sort: "@workflow.triage.state" },
  { id: "assignee", title: "Assignee", width: "130px", sort: "@workflow.triage.assignee.handle" },
  { id: "archive_reason", title: "Archive reason", width: "130px", sort: "@workflow.triage.archiveReason" },
  { id: "changed", title: "Last action", width: "132px" },
  { id: "method", title: "Method", width: "120px", sort: "@workflow.rule.detectionMethod" },
  { id: "tags", title: "Tags", width: "minmax(140px, 2fr)" },
];

export const standard: readonly string[] = ["severity", "timestamp", "title", "entities", "source", "events", "state", "assignee", "changed"];

/** Columns of an address (`cols=severity,@usr.id`), in its order; any attribute may be one. */
export function columnsOf(text: string | null): readonly GridColumn[] {
  const names = (text ?? "").split(",").map((name) => name.trim()).filter(Boolean).slice(0, 20);
  return (names.length ? names : standard).map((name) => known.find(({ id }) => id === name) ?? { id: name, title: name, width: "minmax(110px, 1fr)", sort: name });
}
