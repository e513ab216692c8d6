/** Display name and group of each permission, by the names Datadog gives them (platform spec 4.1). */
const SECURITY = "Cloud Security Platform";
const CASES = "Case and Incident Management";

const table = {
  security_monitoring_rules_read: ["Security Rules Read", SECURITY],
  security_monitoring_rules_write: ["Security Rules Write", SECURITY],
  security_monitoring_signals_read: ["Security Signals Read", SECURITY],
  security_monitoring_signals_write: ["Security Signals Write", SECURITY],
  security_monitoring_filters_read: ["Security Filters Read", SECURITY],
  security_monitoring_filters_write: ["Security Filters Write", SECURITY],
  security_monitoring_notification_profiles_read: ["Security Notification Rules Read", SECURITY],
  security_monitoring_notification_profiles_write: ["Security Notification Rules Write", SECURITY],
  security_monitoring_suppressions_read: ["Security Suppressions Read", SECURITY],
  security_monitoring_suppressions_write: ["Security Suppressions Write", SECURITY],
  security_monitoring_cws_agent_rules_read: ["Workload Protection Agent Rules Read", SECURITY],
  security_monitoring_cws_agent_rules_write: ["Workload Protection Agent Rules Write", SECURITY],
  security_monitoring_cws_agent_rules_actions: ["Workload Protection Agent Rules Actions", SECURITY],
  security_monitoring_findings_read: ["Security Findings Read", SECURITY],
  security_monitoring_findings_write: ["Security Findings Write", SECURITY],
  security_monitoring_datasets_read: ["Security Datasets Read", SECURITY],
  security_monitoring_datasets_write: ["Security Datasets Write", SECURITY],
  security_pipelines_read: ["Security Pipelines Read", SECURITY],
  security_pipelines_write: ["Security Pipelines Write", SECURITY],
  cases_read: ["Cases Read", CASES],
  cases_write: ["Cases Write", CASES],
  cases_shared_settings_write: ["Cases Shared Settings Write", CASES],
  incident_read: ["Incidents Read", CASES],
  incident_write: ["Incidents Write", CASES],
  incident_settings_read: ["Incident Settings Read", CASES],
  incident_settings_write: ["Incident Settings Write", CASES],
  incident_notification_settings_read: ["Incident Notification Settings Read", CASES],
  incident_notification_settings_write: ["Incident Notification Settings Write", CASES],
  workflows_read: ["Workflows Read", "App Builder & Workflow Automation"],
  workflows_write: ["Workflows Write", "App Builder & Workflow Automation"],
  workflows_run: ["Workflows Run", "App Builder & Workflow Automation"],
  reference_tables_read: ["Reference Tables Read", "Reference Tables"],
  reference_tables_write: ["Reference Tables Write", "Reference Tables"],
  audit_logs_read: ["Audit Trail Read", "Compliance"],
  audit_logs_write: ["Audit Trail Write", "Compliance"],
  logs_read_data: ["Logs Read Data", "Log Management"],
  logs_read_index_data: ["Logs Read Index Data", "Log Management"],
  logs_write_pipelines: ["Logs Write Pipelines", "Log Management"],
  dashboards_read: ["Dashboards Read", "Dashboards"],
  dashboards_write: ["Dashboards Write", "Dashboards"],
  api_keys_read: ["API Keys Read", "API and Application Keys"],
  api_keys_write: ["API Keys Write", "API and Application Keys"],
  api_keys_delete: ["API Keys Delete", "API and Application Keys"],
  org_app_keys_read: ["Org App Keys Read", "API and Application Keys"],
  org_app_keys_write: ["Org App Keys Write", "API and Application Keys"],
  user_access_invite: ["User Access Invite", "Access Management"],
  user_access_manage: ["User Access Manage", "Access Management"],
  org_management: ["Org Management", "Access Management"],
  integrations_read: ["Integrations Read", "Integrations"],
  manage_integrations: ["Integrations Manage", "Integrations"],
} as const satisfies Readonly<Record<string, readonly [display: string, group: string]>>;

export type Permission = keyof typeof table;

export interface PermissionFacts {
  readonly name: Permission;
  readonly displayName: string;
  readonly group: string;
}

export const permissions: readonly PermissionFacts[] = Object.entries(table).map(([name, [displayName, group]]) => ({ name: name as Permission, displayName, group }));
export const allPermissions: ReadonlySet<Permission> = new Set(permissions.map(({ name }) => name));

export function isPermission(name: string): name is Permission {
  return allPermissions.has(name as Permission);
}
