import { visible } from "../lib/text.ts";

export const severities = ["critical", "high", "medium", "low", "info"] as const;
export type SeverityName = (typeof severities)[number];

export const stateNames: Readonly<Record<string, string>> = { open: "Open", under_review: "Under review", archived: "Archived" };

export function Severity({ value }: { readonly value: string }) {
  const known = (severities as readonly string[]).includes(value) ? value : "info";
  return <span className={`pill severity-${known}`}>{visible(value)}</span>;
}

export function State({ value }: { readonly value: string }) {
  return (
    <span className={`state state-${Object.hasOwn(stateNames, value) ? value : "open"}`}>
      <span className="state-mark" aria-hidden="true" />
      {stateNames[value] ?? visible(value)}
    </span>
  );
}
