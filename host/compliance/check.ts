/** How a host is to be set up: one thing, told by files below its root. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly severity: CheckSeverity;
  /** Such as `pci:10.2.2`: the requirements it serves. */
  readonly tags: readonly string[];
  /** What it comes to where the file it looks at is not there. */
  readonly missing: "skipped" | "fail" | "pass";
  readonly asks: Question;
}

export const checkSeverities = ["info", "low", "medium", "high", "critical"] as const;
export type CheckSeverity = (typeof checkSeverities)[number];

/** What a value is to be. One of them is given. */
export interface Wanted {
  /** One of these, in small letters. */
  readonly is?: readonly string[];
  readonly most?: number;
  readonly least?: number;
}

export type Question =
  /** @param most bits a mode may have. */
  | { readonly type: "file_mode"; readonly path: string; readonly most: number }
  | { readonly type: "file_owner"; readonly path: string; readonly users: readonly string[]; readonly groups: readonly string[] }
  | { readonly type: "file_contains"; readonly path: string; readonly pattern: RegExp; readonly lacks: boolean }
  | { readonly type: "file_absent"; readonly path: string }
  | { readonly type: "setting"; readonly path: string; readonly key: string; readonly wanted: Wanted; readonly default: string | undefined }
  | { readonly type: "sshd_option"; readonly option: string; readonly wanted: Wanted; readonly default: string | undefined }
  | { readonly type: "sysctl"; readonly key: string; readonly wanted: Wanted }
  | { readonly type: "process_running"; readonly names: readonly string[] }
  | { readonly type: "mount_option"; readonly path: string; readonly option: string };

export type CheckStatus = "pass" | "fail" | "error" | "skipped";

export interface CheckResult {
  readonly check: Check;
  readonly status: CheckStatus;
  /** What was seen. It may hold text of the host's files. */
  readonly evidence: string;
}

/** The result as `POST /api/v2/security/findings` takes it. @param nowMs when it was looked at. */
export function findingOf({ check, status, evidence }: CheckResult, host: string, nowMs: number): Record<string, unknown> {
  return {
    rule_id: check.id, name: check.title, status, severity: check.severity, type: "misconfiguration", resource: { type: "host", id: host, name: host }, host,
    evaluated_at: new Date(nowMs).toISOString(), evidence, tags: check.tags,
  };
}
