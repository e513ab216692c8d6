import { describe, expect, test } from "vitest";
import { hasShared, readShared } from "../support/shared.ts";
import { cloudPack, found, madeEvent, queriesOf } from "./cloud-support.ts";

/** One unit test of another engine's rule: does that rule tell this event? */
interface Labelled {
  readonly rule: string;
  readonly test: string;
  readonly expected: boolean;
  readonly event: { readonly [name: string]: unknown };
}

/**
 * Their rule, and our queries that look for the same. Counts and joins are not looked at: a query that finds the event is what a
 * labelled single event can show. Rules of theirs not named here have no counterpart in the packs.
 */
const counterparts: Readonly<Record<string, readonly string[]>> = {
  "Azure.MonitorActivity.ActionGroups.Deleted": ["azure-diagnostics-removed/alerting"],
  "Azure.MonitorActivity.AlertRules.Deleted": ["azure-diagnostics-removed/alerting"],
  "Azure.MonitorActivity.Security.AlertSuppressionRuleCreated": ["azure-diagnostics-removed/alerting"],
  "Azure.MonitorActivity.LogAnalyticsWorkspace.Deleted": ["azure-diagnostics-removed/diag"],
  "Azure.MonitorActivity.KeyVault.Deleted": ["azure-keyvault-destroyed/purge"],
  "Azure.MonitorActivity.ResourceGroup.Deleted": ["azure-resource-group-deleted/rg"],
  "Azure.MonitorActivity.StorageAccount.KeysListed": ["azure-storage-keys-listed/keys"],
  "Azure.MonitorActivity.StorageAccount.BlobAnonymousAccessEnabled": ["azure-blob-public/public"],
  "Azure.MonitorActivity.Compute.DiskSASURIGenerated": ["azure-disk-export/export"],
  "Azure.MonitorActivity.Advisor.SecurityRecommendation": ["azure-security-notice/notice"],
  "Azure.MonitorActivity.Automation.AccountCreated": ["azure-automation-changed/made"],
  "Azure.MonitorActivity.Automation.RunbookCreatedOrModified": ["azure-automation-changed/made"],
  "Azure.MonitorActivity.Automation.ScheduleCreated": ["azure-automation-changed/made"],
  "Azure.MonitorActivity.Automation.WebhookCreated": ["azure-automation-changed/made"],
  "Azure.MonitorActivity.Compute.DiskDeleted": ["azure-compute-destroyed/gone"],
  "Azure.MonitorActivity.Compute.RestorePointCollectionDeleted": ["azure-backup-destroyed/gone"],
  "Azure.MonitorActivity.KeyVault.CertificateAccessed": ["azure-keyvault-read/read"],
  "Azure.MonitorActivity.Kubernetes.RoleBindingCreated": ["azure-kubernetes-rights/bound"],
  "Azure.MonitorActivity.Network.FirewallPolicyDeleted": ["azure-network-guard-removed/gone"],
  "Azure.MonitorActivity.Network.IPDiscovery": ["azure-discovery/looked"],
  "Azure.MonitorActivity.Network.PacketCaptureEnabled": ["azure-packet-capture/capture"],
  "Azure.MonitorActivity.Network.VNetDeleted": ["azure-network-destroyed/gone"],
  "Azure.MonitorActivity.Policy.DeployIfNotExists": ["azure-policy-weakened/deploys"],
  "Azure.MonitorActivity.RecoveryServices.ProtectionContainerDeleted": ["azure-backup-destroyed/gone"],
  "Azure.MonitorActivity.SQL.ServerDeleted": ["azure-database-destroyed/gone"],
  "Azure.MonitorActivity.Storage.Blob.BulkDeletion": ["azure-blobs-mass-deleted/objects"],
  "Azure.MonitorActivity.Storage.BlobPermissionsModified": ["azure-storage-changed/written"],
  "Azure.MonitorActivity.Storage.FileShareModified": ["azure-storage-changed/written"],
  "Azure.MonitorActivity.StorageAccount.BlobSoftDeleteDisabled": ["azure-storage-recovery-off/kept"],
  "Azure.MonitorActivity.StorageAccount.KeyRegenerated": ["azure-service-keys-changed/keys"],
  "Azure.MonitorActivity.VirtualMachine.Deleted": ["azure-compute-destroyed/gone"],
  "Azure.Audit.GraphSessionMultipleIPs": ["entra-session-many-addresses/session"],
  "Azure.Audit.RiskLevelPassthrough": ["entra-risk-told/signin", "entra-risk-told/user"],
  "Azure.Audit.VSCodeOAuthPhishing": ["entra-developer-client-graph/client"],
  "Azure.Audit.ExcessiveAccountLockouts": ["entra-lockout-wave/locked"],
  "Azure.Audit.HighRiskSignIn": ["entra-risky-signin/high"],
  "Azure.Audit.MultipleProtectionAlerts": ["entra-risky-signin/high", "entra-risky-signin/medium"],
  "Azure.Audit.LegacyAuth": ["entra-legacy-auth/legacy"],
  "Azure.Audit.MFADisabled": ["entra-conditional-access-weakened/mfa_gone"],
  "Azure.Audit.PolicyChanged": ["entra-conditional-access-weakened/ca"],
  "Azure.Audit.OIDC.Changed": ["entra-issuer-changed/issuer"],
  "GCP.Cloud.Run.Set.IAM.Policy": ["gcp-service-policy-set/policy"],
  "GCP.GCS.BulkObjectRewrite": ["gcp-objects-rewritten/objects"],
  "GCP.IAM.CustomRoleChanges": ["gcp-custom-role/role"],
  "GCP.iam.serviceAccountKeys.create": ["gcp-credential-made/made"],
  "GCP.KMS.BulkEncryption": ["gcp-objects-rewritten/encrypted"],
  "GCP.Privilege.Escalation.By.Deployments.Create": ["gcp-escalation-permission/deploy"],
  "GCP.serviceusage.apiKeys.create.Privilege.Escalation": ["gcp-credential-made/made"],
  "GCP.Storage.Hmac.Keys.Create": ["gcp-credential-made/made"],
  "GCP.UnusedRegions": ["gcp-machine-new-zone/made", "gcp-store-new-location/made"],
  "GCP.User.Added.to.IAP.Protected.Service": ["gcp-service-policy-set/policy"],
  "GCP.Workforce.Pool.Created.or.Updated": ["gcp-federation-changed/pool"],
  "GCP.Workload.Identity.Pool.Created.or.Updated": ["gcp-federation-changed/pool"],
  "GCP.Access.Attempts.Violating.IAP.Access.Controls": ["gcp-balancer-refused/proxy"],
  "GCP.K8S.Pod.Create.Or.Modify.Host.Path.Volume.Mount": ["gcp-gke-pod-escapes/folder"],
  "GCP.K8s.Pod.Using.Host.PID.Namespace": ["gcp-gke-pod-escapes/node"],
  "GCP.K8S.Service.Type.NodePort.Deployed": ["gcp-gke-exposed/port"],
  "GCP.Compute.IAM.Policy.Update": ["gcp-image-or-disk-shared/shared"],
  "GCP.Firewall.Rule.Created": ["gcp-firewall-open/changed", "gcp-firewall-open/world"],
  "GCP.GCS.Public": ["gcp-public-principal-granted/public"],
  "GCP.IAM.serviceAccounts.getAccessToken.Privilege.Escalation": ["gcp-impersonation-spike/imp"],
  "GCP.IAM.serviceAccounts.signBlob": ["gcp-impersonation-spike/imp"],
  "GCP.KMS.EraseKey": ["gcp-kms-destroy/destroy"],
  "GCP.Log.Bucket.Or.Sink.Deleted": ["gcp-log-sink-impaired/deleted"],
  "GCP.Logging.Settings.Modified": ["gcp-log-sink-impaired/updated"],
  "GCP.Permissions.Granted.to.Create.or.Manage.Service.Account.Key": ["gcp-service-account-policy/sa_policy"],
  "GCP.Service.Account.Access.Denied": ["gcp-permission-denied-burst/denied"],
  "GCP.Service.Account.or.Keys.Created": ["gcp-service-account-key/key", "gcp-new-admin-service-account/created"],
  "GCP.VPC.Flow.Logs.Disabled": ["gcp-flow-or-dns-logs-off/switched_off"],
  "GCP.Access.Attempts.Violating.VPC.Service.Controls": ["gcp-permission-denied-burst/denied"],
  "Microsoft365.Brute.Force.Login.by.User": ["m365-login-bruteforce/failed"],
  "Microsoft.Graph.Passthrough": ["m365-security-alert/high", "m365-security-alert/medium", "m365-security-alert/low"],
  "Microsoft365.MFA.Disabled": ["m365-second-factor-removed/removed", "m365-second-factor-removed/disabled"],
  "Microsoft365.Exchange.External.Forwarding": ["m365-inbox-forwarding/rule", "m365-inbox-forwarding/mailbox"],
};

/** `tp` told and labelled so, `fn` labelled so and not told, `fp` told and labelled not to be; of `theirs` rules, `ours` have a counterpart. */
interface Measured {
  readonly theirs: number;
  readonly ours: number;
  readonly tp: number;
  readonly fn: number;
  readonly fp: number;
  readonly tn: number;
  /** Labelled events of rules without a counterpart. */
  readonly beyond: number;
  /** Tests not answered as labelled. */
  readonly wrong: readonly string[];
}

function measured(packName: string, file: string): Measured {
  const pack = cloudPack(packName);
  const queries = pack.rules.flatMap(queriesOf);
  const known = new Set(queries.map(({ rule, label }) => `${rule.id}/${label}`));
  const labelled = new TextDecoder().decode(readShared(file)).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Labelled);
  const rules = [...new Set(labelled.map(({ rule }) => rule))];
  const told = { tp: 0, fn: 0, fp: 0, tn: 0 };
  const wrong: string[] = [];
  let beyond = 0;
  for (const each of labelled) {
    const wanted = counterparts[each.rule];
    if (!wanted) {
      if (each.expected) beyond++;
      continue;
    }
    expect(wanted.filter((query) => !known.has(query))).toEqual([]);
    const names = found(queries, madeEvent(pack, each.event));
    const isTold = wanted.some((query) => names.includes(query));
    told[each.expected ? (isTold ? "tp" : "fn") : isTold ? "fp" : "tn"]++;
    if (isTold !== each.expected) wrong.push(`${each.rule}: ${each.test}`);
  }
  const ours = rules.filter((rule) => counterparts[rule]).length;
  const percent = (part: number, whole: number): string => (whole ? `${((100 * part) / whole).toFixed(0)} %` : "-");
  process.stdout.write(`${file.replace(/.*\//, "")}: ${ours} of ${rules.length} rules have a counterpart; of their events recall ${percent(told.tp, told.tp + told.fn)} (${told.tp} of ${told.tp + told.fn}), precision ${percent(told.tp, told.tp + told.fp)} (${told.tp} of ${told.tp + told.fp}); of all ${told.tp + told.fn + beyond} events that must alert ${percent(told.tp, told.tp + told.fn + beyond)} are told\n`);
  return { theirs: rules.length, ours, ...told, beyond, wrong };
}

const folder = "data/labelled-panther";
describe.skipIf(!hasShared(folder))("labelled events of another engine, per source (skipped where the data is not there)", () => {
  // Wrong are exceptions of that engine's authors, a rule of ours that looks wider, and whose domain an address is of: no record says it.
  test.each<[string, string, string, Measured]>([
    ["", "azure", "azure_activity_rules", { theirs: 31, ours: 31, tp: 76, fn: 0, fp: 0, tn: 34, beyond: 0, wrong: [] }],
    ["", "azure", "azure_signin_rules", { theirs: 10, ours: 10, tp: 12, fn: 0, fp: 2, tn: 14, beyond: 0, wrong: [
      "Azure.Audit.ExcessiveAccountLockouts: Microsoft Corporate ASN Excluded",
      "Azure.Audit.LegacyAuth: Sign-In with legacy auth, KNOWN_EXCEPTION",
    ] }],
    ["", "gcp", "gcp_audit_rules", { theirs: 25, ours: 25, tp: 36, fn: 0, fp: 0, tn: 29, beyond: 0, wrong: [] }],
    ["", "gcp", "gcp_http_lb_rules", { theirs: 1, ours: 1, tp: 1, fn: 0, fp: 0, tn: 1, beyond: 0, wrong: [] }],
    ["", "gcp", "gcp_k8s_rules", { theirs: 4, ours: 3, tp: 3, fn: 0, fp: 0, tn: 5, beyond: 1, wrong: [] }],
    ["[CP-06] ", "microsoft-365", "microsoft_rules", { theirs: 4, ours: 4, tp: 10, fn: 0, fp: 3, tn: 5, beyond: 0, wrong: [
      "Microsoft365.Exchange.External.Forwarding: Internal Organization Forwarding", "Microsoft365.Exchange.External.Forwarding: Subdomain Forwarding (Internal)",
      "Microsoft365.Exchange.External.Forwarding: Non-Com TLD Organization",
    ] }],
  ])("%s%s: %s", (_, pack, file, want) => {
    expect(measured(pack, `${folder}/${file}.jsonl.gz`)).toEqual(want);
  });
});

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
