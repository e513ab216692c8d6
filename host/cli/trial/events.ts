// Made logs in the shapes their senders have; addresses and names are those of documentation.

export const ATTACKER = "203.0.113.66";
const ACCOUNT = "210987654321";

/** Lines of sshd for one user, a second apart, the last one now. */
export function sshLines(results: ReadonlyArray<"Failed" | "Accepted">, { user, host = "web-1", from = ATTACKER }: { readonly user: string; readonly host?: string; readonly from?: string }): string {
  const endMs = Date.now();
  return results.map((result, i) => `${new Date(endMs - (results.length - 1 - i) * 1000).toISOString()} ${host} sshd[411]: ${result} password for ${user} from ${from} port 4022 ssh2\n`).join("");
}

/** A record of CloudTrail. */
export function cloudTrail(eventSource: string, eventName: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ddsource: "cloudtrail", eventVersion: "1.09", eventTime: new Date().toISOString(), eventSource: `${eventSource}.amazonaws.com`, eventName, awsRegion: "eu-central-1", sourceIPAddress: ATTACKER, userAgent: "aws-cli/2.15",
    userIdentity: { type: "IAMUser", arn: `arn:aws:iam::${ACCOUNT}:user/deploy`, accountId: ACCOUNT, userName: "deploy" }, requestParameters: null, responseElements: null, recipientAccountId: ACCOUNT, eventType: "AwsApiCall", ...more,
  };
}

export function rootLogin(): Record<string, unknown> {
  return cloudTrail("signin", "ConsoleLogin", { userIdentity: { type: "Root", arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT }, responseElements: { ConsoleLogin: "Success" }, additionalEventData: { MFAUsed: "No" }, eventType: "AwsConsoleSignIn" });
}

/** A failed sign-in of Windows, as its Agent sends it. */
export function windowsFailure(user: string): Record<string, unknown> {
  return {
    ddsource: "windows.events", hostname: "dc-1", message: "An account failed to log on.", evt: { id: "4625" },
    Event: { System: { EventID: "4625", Channel: "Security", Computer: "dc-1", TimeCreated: { SystemTime: new Date().toISOString() } }, EventData: { Data: { TargetUserName: user, IpAddress: ATTACKER, LogonType: "3", Status: "0xc000006d" } } },
  };
}

/** What the Agent's runtime security tells when one of its rules matched. */
export function agentEvent(ruleId: string, host = "web-1"): Record<string, unknown> {
  return {
    ddsource: "runtime-security-agent", hostname: host, message: `agent rule ${ruleId}`, agent: { rule_id: ruleId, version: "7.71.0" }, evt: { name: "open" },
    process: { executable: { name: "vim", path: "/usr/bin/vim" } }, file: { path: "/root/.ssh/authorized_keys" }, usr: { id: "root" },
  };
}

/** The custom rule of the how-to, with its graver case first. */
export const bruteForceRule = {
  name: "Brute Force Login Detection - Custom", message: "{{@usr.id}} failed to sign in {{events_matched}} times.", isEnabled: true, type: "log_detection", tags: ["security:attack", "tactic:TA0006-credential-access", "technique:T1110-brute-force"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 86400 },
  queries: [{ name: "failed", query: "source:auth status:error @evt.name:authentication @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }],
  cases: [{ name: "Extreme brute force attempt", status: "critical", condition: "failed > 50", notifications: [] }, { name: "High volume failed logins", status: "high", condition: "failed > 10", notifications: [] }],
};
