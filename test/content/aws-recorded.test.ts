import { describe, expect, test } from "vitest";
import { hasShared } from "../support/shared.ts";
import { attackStream, detonations, exfiltration, folders } from "./aws-measure.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

describe.skipIf(!hasShared(folders.stratus))("recorded attacks, each alone (skipped where the data is not there)", () => {
  // The rule that is there for the technique; others may speak too.
  const wanted: Readonly<Record<string, string>> = {
    "aws.credential-access.ec2-steal-instance-credentials": "aws-instance-role-first-questions",
    "aws.credential-access.secretsmanager-retrieve-secrets": "aws-secrets-read-burst",
    "aws.defense-evasion.cloudtrail-event-selectors": "aws-cloudtrail-impaired",
    "aws.defense-evasion.cloudtrail-stop": "aws-cloudtrail-impaired",
    "aws.defense-evasion.organizations-leave": "aws-organization-leave",
    "aws.discovery.ec2-download-user-data": "aws-ec2-userdata-harvest",
    "aws.execution.ec2-user-data": "aws-ec2-userdata-tampered",
    "aws.execution.ssm-start-session": "aws-ssm-remote-execution",
    "aws.exfiltration.ec2-security-group-open-port-22-ingress": "aws-sg-open-admin-port",
    "aws.exfiltration.ec2-share-ebs-snapshot": "aws-snapshot-shared",
    "aws.impact.bedrock-invoke-model": "aws-bedrock-model-access",
    "aws.initial-access.console-login-without-mfa": "aws-console-login-no-mfa",
    "aws.lateral-movement.ec2-serial-console-send-ssh-public-key": "aws-ssh-key-pushed",
    "aws.persistence.iam-backdoor-user": "aws-iam-access-key-created",
    "aws.persistence.iam-create-admin-user": "aws-iam-new-user-made-admin",
    "aws.persistence.lambda-backdoor-function": "aws-lambda-opened",
    "aws.persistence.lambda-overwrite-code": "aws-lambda-code-by-person",
    "aws.persistence.sts-federation-token": "aws-federation-token",
  };

  test("every technique is told by the rule that is there for it", async () => {
    const told = await detonations();
    for (const { technique, signals } of told) say(`${technique}: ${signals.join(" ") || "nothing"}`);
    expect(told.map(({ technique }) => technique).sort()).toEqual(Object.keys(wanted).sort());
    expect(told.filter(({ technique, signals }) => !signals.some((signal) => signal.startsWith(`${wanted[technique]}/`)))).toEqual([]);
  });
});

describe.skipIf(!hasShared(folders.invictus))("an account under attack (skipped where the data is not there)", () => {
  test("each step of the attacks is one signal, and the quiet between them fewer than one in 500 events", async () => {
    const { all, quiet } = await attackStream();
    say(`invictus: ${JSON.stringify({ all, quiet })}`);
    expect(all).toEqual({
      events: 1448,
      rules: {
        "aws-cloudtrail-bucket-lifecycle": 1, "aws-cloudtrail-impaired": 1, "aws-compute-burst": 1, "aws-ec2-password-data": 1, "aws-ec2-userdata-harvest": 1,
        "aws-instance-role-first-questions": 1, "aws-network-logs-removed": 1, "aws-organization-leave": 1, "aws-secrets-read-burst": 1, "aws-ssm-parameters-bulk-read": 1,
      },
    });
    // Terraform takes a trail down again: what the rule is for, whoever does it.
    expect(quiet).toEqual({ events: 1274, rules: { "aws-cloudtrail-impaired": 1 } });
    expect(Object.values(quiet.rules).reduce((sum, each) => sum + each, 0) / quiet.events).toBeLessThan(1 / 500);
  });
});

describe.skipIf(!hasShared(folders.s3))("a bucket read with a machine's credentials (skipped where the data is not there)", () => {
  test("the attack is told, the administrator's work is not", async () => {
    expect(await exfiltration()).toEqual({ attack: { events: 11, rules: { "aws-instance-role-first-questions": 1 } }, quiet: { events: 92, rules: {} } });
  });
});
