import type { Json } from "../../event/event.ts";
import { RecordDraft, isMembers, textAt } from "../record.ts";

type Members = { readonly [name: string]: Json };

/** Diagnostic logs have a resource or a tenant, a category and an operation. */
export function looksAzure(record: Members): boolean {
  return typeof record.category === "string" && (typeof record.operationName === "string" || isMembers(record.operationName)) && ("resourceId" in record || "tenantId" in record || "time" in record);
}

/** Categories of Entra ID, whose results are in small letters. */
const DIRECTORY = /(?:SignInLogs|AuditLogs|ProvisioningLogs|RiskyUsers|UserRiskEvents|ServicePrincipalRiskEvents)$/i;

/**
 * One record of an event hub, its names kept, standard names beside them where they are free.
 *
 * Source: content-packs.md 2.3. The documented source of activity logs, `azure.activitylogs`, is given to all but the directory's
 * categories; the provider is in the tag `azure_provider`.
 */
export function azureRecord(bytes: Buffer, value: Members, source: string | undefined): RecordDraft {
  const record = new RecordDraft().putObject(bytes, 0, bytes.length);
  const category = textAt(value, "category") ?? "";
  const isDirectory = DIRECTORY.test(category);
  const operation = textAt(value, "operationName") ?? textAt(value, "operationName", "value");
  const fill = (name: string, text: string | undefined): void => {
    if (text !== undefined) record.fill(name, JSON.stringify(text));
  };
  if (!("evt" in value)) {
    fill("evt.category", category || undefined);
    fill("evt.name", isDirectory ? operation : operation?.toUpperCase());
    fill("evt.outcome", isDirectory ? directoryOutcome(value) : textAt(value, "resultType"));
  }
  const address = textAt(value, "callerIpAddress") ?? textAt(value, "properties", "ipAddress");
  if (!("network" in value)) fill("network.client.ip", address);
  if (!("usr" in value)) fill("usr.id", textAt(value, "properties", "userPrincipalName") ?? textAt(value, "caller") ?? textAt(value, "properties", "appId"));
  const provider = /\/providers\/(?:microsoft\.)?([^/]+)/i.exec(textAt(value, "resourceId") ?? "")?.[1] ?? /^(?:microsoft\.)([^/]+)\//i.exec(operation ?? "")?.[1];
  const time = textAt(value, "time");
  return record.reserve({
    source: source ?? textAt(value, "ddsource") ?? (isDirectory ? "azure.activedirectory" : "azure.activitylogs"),
    ...(time && !("timestamp" in value) ? { timestamp: time } : {}),
    tags: provider && !isDirectory ? [`azure_provider:${provider.toLowerCase()}`] : [],
  });
}

/** A number that is an error's, or words. */
function directoryOutcome(value: Members): string | undefined {
  const result = textAt(value, "resultType") ?? textAt(value, "properties", "result");
  if (result === undefined) return undefined;
  return result === "0" || /^success/i.test(result) ? "success" : "failure";
}
