/** An entity as the API tells it (host/control/entities). */
export interface Entity {
  readonly id: string;
  readonly attributes: {
    readonly type: string;
    readonly value: string;
    readonly score: number;
    readonly severity: string;
    readonly score_change: number;
    readonly last_updated?: string;
    readonly first_seen: string;
    readonly last_seen: string;
    readonly signals: number;
    readonly contributing_signals: number;
    readonly signal_counts: Readonly<Record<string, number>>;
    readonly sources: readonly string[];
    readonly attributes: { readonly services: readonly string[]; readonly environments: readonly string[]; readonly accounts: readonly string[]; readonly tactics: readonly string[]; readonly techniques: readonly string[]; readonly last_signal_title: string };
    readonly href: string;
    readonly signals_query: string;
  };
}

export interface EntityList {
  readonly data: readonly Entity[];
  readonly meta: { readonly as_of: string; readonly total: number; readonly types: Readonly<Record<string, number>>; readonly severities: Readonly<Record<string, number>> };
}

export interface Contribution {
  readonly signal_id: string;
  readonly points: number;
  readonly expires_at: string;
  readonly expires_in_seconds: number;
}

export interface RulePoints {
  readonly id: string;
  readonly name: string;
  readonly points: number;
  /** Of the score, from 0 to 1. */
  readonly share: number;
  readonly signals: number;
  readonly last_signal_at: string;
  readonly next_expiry_at: string;
}

export interface RiskPoint {
  readonly timestamp: string;
  readonly score: number;
  readonly signals: Readonly<Record<string, number>>;
}

export interface EntityDetail {
  readonly id: string;
  readonly attributes: Entity["attributes"] & {
    readonly as_of: string;
    readonly contributions: readonly Contribution[];
    readonly rules: readonly RulePoints[];
    readonly timeline: readonly RiskPoint[];
    readonly related: ReadonlyArray<{ readonly id: string; readonly type: string; readonly value: string; readonly score: number; readonly severity: string; readonly shared_signals: number; readonly href: string }>;
    readonly queries: { readonly signals: string; readonly contributing: string; readonly logs?: string; readonly suppression?: string };
  };
}

export const ENTITIES = "/api/v2/security/entities";

const typeNames: Readonly<Record<string, string>> = {
  user: "User", aws_principal: "AWS principal", aws_account: "AWS account", gcp_service_account: "GCP service account", ip: "IP address", host: "Host", container: "Container", k8s_object: "Kubernetes object", s3_bucket: "S3 bucket", repository: "Repository", service: "Service",
};

export const typeName = (type: string): string => typeNames[type] ?? type;

export const changeText = (change: number): string => (change > 0 ? `+${change}` : String(change));
