import { Type } from "typebox";
import { severities } from "../../rule/rule.ts";

const Severity = Type.Enum([...severities]);
const Texts = Type.Array(Type.String());
const Counts = Type.Object({ info: Type.Integer(), low: Type.Integer(), medium: Type.Integer(), high: Type.Integer(), critical: Type.Integer() });
const Count = Type.Object({ name: Type.String(), count: Type.Integer(), href: Type.String() });

const row = {
  type: Type.String(), value: Type.String(), score: Type.Number(), severity: Severity, score_change: Type.Number(), last_updated: Type.Optional(Type.String()), first_seen: Type.String(), last_seen: Type.String(),
  signals: Type.Integer(), contributing_signals: Type.Integer(), signal_counts: Counts, sources: Texts, misconfigurations: Type.Array(Type.Object({})), attributes: Type.Object({}), href: Type.String(), signals_query: Type.String(),
};
const entity = <A extends object>(attributes: A) => Type.Object({ id: Type.String(), type: Type.Literal("entity"), attributes: Type.Object(attributes as never) });

export const EntityList = Type.Object({
  data: Type.Array(entity(row)), links: Type.Optional(Type.Object({ next: Type.String() })),
  meta: Type.Object({ as_of: Type.String(), total: Type.Integer(), types: Type.Object({}), severities: Counts }),
});
export const OneEntity = Type.Object({ data: entity({ ...row, as_of: Type.String(), contributions: Type.Array(Type.Object({})), rules: Type.Array(Type.Object({})), timeline: Type.Array(Type.Object({})), related: Type.Array(Type.Object({})), queries: Type.Object({}) }) });
export const EntitySummary = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("entities_summary"), attributes: Type.Object({ top: Type.Array(entity(row)), types: Type.Array(Count), severities: Type.Array(Count) }) }) });

/** Datadog's own form of the same (rule-api spec 9): its clients need every field that is not optional here. */
const Flags = Type.Object({ hasIdentityRisk: Type.Boolean(), hasMisconfiguration: Type.Boolean(), hasPrivilegedRole: Type.Boolean(), isPrivileged: Type.Boolean(), isProduction: Type.Boolean(), isPubliclyAccessible: Type.Boolean() });
const Metadata = Type.Object({ environments: Texts, mitreTactics: Texts, mitreTechniques: Texts, services: Texts, sources: Texts, accountID: Type.Optional(Type.String()) });
const RiskScore = Type.Object({
  id: Type.String(), type: Type.Literal("SecurityEntityRiskScore"),
  attributes: Type.Object({
    accountIds: Texts, configRisks: Flags, entityMetadata: Metadata, entityName: Type.String(), entityProviders: Texts, entityRoles: Texts, entitySubTypes: Texts, entityType: Type.String(), entityTypes: Texts,
    firstDetected: Type.Number(), lastActivityTitle: Type.String(), lastDetected: Type.Number(), riskScore: Type.Number(), riskScoreEvolution: Type.Number(), severity: Severity, signalsDetected: Type.Integer(),
  }),
});
export const RiskScores = Type.Object({ data: Type.Array(RiskScore), meta: Type.Object({ pageNumber: Type.Integer(), pageSize: Type.Integer(), queryId: Type.String(), totalRowCount: Type.Integer() }) });
export const OneRiskScore = Type.Object({ data: RiskScore });
