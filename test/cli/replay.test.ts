import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasShared, sharedFolder } from "../support/shared.ts";
import { root, vespid, workFolder } from "./support.ts";

const folder = workFolder();
const bundled = join(root, "fixtures/emulations");
/** Some of the rules ask where addresses are, which no database tells here; that is said as a warning. */
const withoutPlaces = (stderr: string): string => stderr.replace(/^warning \d+ queries ask where addresses are.*\n/, "");
const told = (stdout: string): any[] => stdout.trim().split("\n").map((line) => JSON.parse(line));
const call = (eventName: string, second: number): string => JSON.stringify({ eventVersion: "1.08", eventTime: `2026-03-02T10:00:${String(second).padStart(2, "0")}Z`, eventSource: "cloudtrail.amazonaws.com", eventName, awsRegion: "eu-central-1", sourceIPAddress: "198.51.100.23", userAgent: "x", userIdentity: { type: "IAMUser", userName: "drill", arn: "arn:aws:iam::210987654321:user/drill", accountId: "210987654321" }, requestParameters: { name: "trail" }, responseElements: null, eventID: `e${second}` });

describe("vespid replay", () => {
  test("[MI-08] each emulation that comes along is told by the rule that is there for it", async () => {
    const { code, stdout, stderr } = await vespid(["replay", "--rules", "pack:cloudtrail", "--json", bundled]);
    expect([code, withoutPlaces(stderr)]).toEqual([0, `${readdirSync(bundled).length} of ${readdirSync(bundled).length} emulations told\n`]);
    expect(Object.fromEntries(told(stdout).map(({ technique, signals }) => [technique, signals.map(({ rule }: any) => rule)]))).toEqual({
      "aws.credential-access.secretsmanager-retrieve-secrets": ["aws-secrets-read-burst"], "aws.defense-evasion.cloudtrail-stop": ["aws-cloudtrail-impaired"], "aws.exfiltration.ec2-share-ebs-snapshot": ["aws-snapshot-shared"],
      "aws.initial-access.console-login-without-mfa": ["aws-console-login-no-mfa"], "aws.persistence.iam-create-admin-user": ["aws-iam-admin-policy-attached", "aws-iam-new-user-made-admin", "aws-iam-user-created", "aws-iam-access-key-created"],
    });
    const shown = await vespid(["replay", "--rules", "pack:cloudtrail", bundled]);
    expect(shown.stdout).toMatch(/^aws\.defense-evasion\.cloudtrail-stop +1 +1 +high +aws-cloudtrail-impaired$/m);
  });

  test.skipIf(!hasShared("data/cloudtrail-stratus/techniques.json"))("[MI-08] recorded detonations of Stratus, cut out of one file: every technique is told (skipped where the data is not there)", async () => {
    const { code, stdout, stderr } = await vespid(["replay", "--rules", "pack:cloudtrail", "--techniques", join(sharedFolder, "data/cloudtrail-stratus/techniques.json"), "--json"]);
    expect([code, withoutPlaces(stderr)]).toEqual([0, "18 of 18 emulations told, 2 of them by no rule with a tag of their technique\n"]);
    expect(told(stdout).reduce((sum, { events }) => sum + events, 0)).toBe(184);
    expect(told(stdout).filter(({ by_its_technique: by }) => !by).map(({ technique }) => technique)).toHaveLength(2);
  });

  test("[MI-08] one that no rule tells is named, and the command fails; each begins with nothing known", async () => {
    folder.write("drills/quiet.ndjson", `${call("DescribeTrails", 1)}\n`);
    folder.write("drills/stop.json", `[\n${call("StopLogging", 2)},\n${call("DeleteTrail", 3)}\n]\n`);
    folder.write("drills/again.ndjson", `${call("StopLogging", 2)}\n`);
    const { code, stdout } = await vespid(["replay", "--rules", "pack:cloudtrail", "drills"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^quiet +1 +0 +- +not told$/m);
    expect(stdout).toMatch(/^stop +2 +1 +high/m);
    expect(stdout).toMatch(/^again +1 +1 +high/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("2 of 3 emulations told; not told: quiet");
  });

  test.each<[string, string, RegExp]>([
    ["no list", "{}", /techniques\.json: no list; it is a list of/],
    ["no file", '[{"technique":"x"}]', /entry 1 has no technique or no file/],
    ["lines that are not there", '[{"technique":"x","file":"one.ndjson","first_line":3,"events":9}]', /one\.ndjson: x is to have lines 4 to 12, and there are 2/],
    ["a file that is not there", '[{"technique":"x","file":"none.ndjson"}]', /none\.ndjson: no such file/],
  ])("%s: told, exit 2", async (_name, list, message) => {
    folder.write("one.ndjson", `${call("StopLogging", 1)}\n`);
    folder.write("techniques.json", list);
    const { code, stderr } = await vespid(["replay", "--rules", "pack:cloudtrail", "--techniques", "techniques.json"], { cwd: folder.path });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
