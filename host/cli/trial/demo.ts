import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { severities } from "../../rule/rule.ts";
import { coloured, jsonLine, safe, styled } from "../text.ts";
import { ATTACKER, cloudTrail, sshLines } from "./events.ts";
import { type ShownSignal, TrialServer } from "./server.ts";

export interface DemoOptions {
  readonly json?: boolean;
}

interface Scenario {
  readonly id: string;
  readonly title: string;
  /** What is sent, as the one who watches is told. */
  readonly story: string;
  send(server: TrialServer): Promise<void>;
  /** Signals that tell of it, and no others. */
  readonly query: string;
  /** Rules that must be among them. */
  readonly told: readonly string[];
}

const KNOWN_BAD = "198.51.100.201";

const logs = async (server: TrialServer, body: unknown, path = "/api/v2/logs"): Promise<void> => {
  const { status, body: answer } = await server.ask("POST", path, body);
  if (status !== 202) throw new Error(`${path} answers ${status}: ${JSON.stringify(answer)}`);
};

const scenarios: readonly Scenario[] = [
  {
    id: "targeted_attack", title: "A targeted attack",
    story: `${ATTACKER} guesses the password of deploy, gets in, and with deploy's key makes itself an administrator of the cloud`,
    async send(server) {
      await logs(server, sshLines([...Array.from({ length: 12 }, () => "Failed" as const), "Accepted"], { user: "deploy" }), "/api/v2/logs?ddsource=auth&service=linux-auth");
      await logs(server, [
        cloudTrail("iam", "CreateUser", { requestParameters: { userName: "support-tmp" }, responseElements: { user: { userName: "support-tmp" } } }),
        cloudTrail("iam", "AttachUserPolicy", { requestParameters: { userName: "support-tmp", policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" } }),
        cloudTrail("cloudtrail", "StopLogging", { requestParameters: { name: "all-regions" } }),
      ]);
    },
    query: "(source:auth OR source:cloudtrail) -rule_type:compliance -@network.client.ip:198.51.100.201",
    told: ["linux-ssh-bruteforce-success", "aws-iam-admin-policy-attached", "aws-cloudtrail-impaired"],
  },
  {
    id: "threat_intelligence", title: "An address that is on a list of bad ones",
    story: `${KNOWN_BAD}, which a feed calls malicious, signs in as mina at Okta`,
    async send(server) {
      await logs(server, [{ ddsource: "okta", message: "sign-in", evt: { name: "user.session.start", outcome: "SUCCESS" }, usr: { id: "mina" }, network: { client: { ip: KNOWN_BAD } } }]);
    },
    query: "@threat_intel.indicators_matched:*",
    told: ["x-threat-intel-login"],
  },
  {
    id: "insecure_configuration", title: "An insecure configuration",
    story: "a scanner finds that root signs in to web-1 over SSH, and that a bucket of logs is public",
    async send(server) {
      await logs(server, [
        { rule_id: "ssh-root-password", name: "Root does not sign in over SSH with a password", status: "fail", severity: "high", resource: { type: "host", id: "web-1" }, host: "web-1" },
        { rule_id: "s3-public", name: "Bucket is public", status: "fail", severity: "critical", resource: { type: "aws_s3_bucket", id: "arn:aws:s3:::audit-logs" } },
      ], "/api/v2/security/findings");
    },
    query: "rule_type:compliance",
    told: ["host-benchmark-fail", "cloud-posture-fail"],
  },
];

/**
 * `vespid demo`: three kinds of threats, from what is sent to the signals, on a whole server of its own.
 *
 * Exit code 1 when one of them is not told.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const server = await TrialServer.start((folder) => {
    const feed = join(folder, "known-bad.csv");
    writeFileSync(feed, `ip_address,category,intention,source\n${KNOWN_BAD},hosting,malicious,"{""name"":""demo feed""}"\n`);
    return { rules: ["linux-auth", "cloudtrail", "cross-source", "workload"].map((pack) => `pack:${pack}`), intelFeeds: [{ name: "known-bad", path: feed, refreshMs: 3_600_000 }] };
  });
  let missed = 0;
  try {
    for (const scenario of scenarios) {
      if (!options.json) process.stdout.write(`${styled("bold", scenario.title)}\n  ${scenario.story}\n`);
      await scenario.send(server);
      const signals = await server.signals(scenario.query);
      const absent = scenario.told.filter((rule) => !signals.some((signal) => signal.rule === rule));
      missed += absent.length ? 1 : 0;
      tell(scenario, signals, absent, options.json === true);
    }
  } finally {
    await server.close();
  }
  if (!options.json) process.stdout.write(`${scenarios.length - missed} of ${scenarios.length} told\n`);
  return missed ? 1 : 0;
}

function tell({ id, title }: Scenario, signals: readonly ShownSignal[], absent: readonly string[], isJson: boolean): void {
  if (isJson) {
    process.stdout.write(jsonLine({ scenario: id, title, told: absent.length === 0, ...(absent.length ? { not_told: absent } : {}), signals: signals.map(({ severity, title: what, rule, group }) => ({ severity, title: what, rule, group })) }));
    return;
  }
  for (const { severity, title: what, group } of signals) {
    const grave = severities.find((each) => each === severity);
    const named = Object.entries(group).map(([name, value]) => `${safe(name)}:${safe(value)}`).join("  ");
    process.stdout.write(`  ${grave ? coloured(grave, severity.padEnd(8)) : safe(severity)}  ${safe(what)}${named === "" ? "" : `  ${named}`}\n`);
  }
  if (absent.length) process.stdout.write(`  ${styled("red", "not told")} by ${absent.join(", ")}\n`);
  process.stdout.write("\n");
}
