import { describe, expect, test } from "vitest";
import { hasShared, readShared } from "../support/shared.ts";
import { cloudPack, found, madeEvent, queriesOf } from "./cloud-support.ts";

const google = "data/gcp-audit-google/events.jsonl";
describe.skipIf(!hasShared(google))("Google's own samples (skipped where the data is not there)", () => {
  test("[IN-22] each entry is read, and those of our rules are told", () => {
    const pack = cloudPack("gcp");
    const queries = pack.rules.flatMap(queriesOf);
    const events = new TextDecoder().decode(readShared(google)).split("\n").filter((line) => line.trim() !== "").map((line) => madeEvent(pack, JSON.parse(line)));
    const names = events.flatMap((event) => found(queries, event));
    process.stdout.write(`gcp-audit-google: ${events.length} entries, told: ${names.toSorted().join(" ")}\n`);
    expect(events.length).toBe(18);
    expect(events.filter(({ attributes }) => attributes?.evt === undefined).length).toBe(3);
    expect(names.toSorted()).toEqual([
      "gcp-balancer-refused/proxy", "gcp-escalation-permission/speak", "gcp-escalation-permission/speak", "gcp-flow-or-dns-logs-off/switched_off", "gcp-iam-policy-changed/changed", "gcp-iam-policy-changed/owner_added", "gcp-new-admin-service-account/created",
      "gcp-permission-denied-burst/denied", "gcp-service-account-policy/sa_policy", "gcp-service-account-policy/sa_policy",
      "gcp-service-policy-set/policy",
    ]);
  });
});
