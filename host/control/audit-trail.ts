import type { CallHead } from "./route.ts";
import type { Principal } from "./principal.ts";

export type AuditAction = "created" | "modified" | "deleted" | "accessed" | "login" | "executed";

/** Something that was done, as the one who does it tells it (platform spec 5). */
export interface AuditEntry {
  /** `evt.name`; default "Cloud Security Platform". */
  readonly event?: "Cloud Security Platform" | "Access Management" | "Authentication" | "Dashboard" | "Log Management" | "Reference Table" | "Integration" | "Case Management" | "Incident" | "Workflow" | "Request";
  readonly action: AuditAction;
  readonly asset: { readonly type: string; readonly id: string; readonly name?: string };
  /** Before and after; secrets are masked when it is written. */
  readonly before?: unknown;
  readonly after?: unknown;
  readonly outcome?: "success" | "failure";
  readonly message?: string;
}

/** Where it is written down. */
export interface AuditTrail {
  record(who: Principal, entry: AuditEntry, head: Pick<CallHead, "method" | "path" | "peer" | "userAgent" | "requestId"> | undefined, nowMs: number): void;
}
