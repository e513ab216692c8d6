import { Type } from "typebox";
import { severities } from "../../rule/rule.ts";
import { jobStatuses } from "../../store/jobs.ts";

/** Shapes of Datadog's historical jobs API (rule-api spec 6). What a rule says in a job is read by whoever reads rules. */
const Time = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
const Index = Type.String({ maxLength: 200 });
const Name = Type.String({ minLength: 1, maxLength: 1000 });

const FromRule = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }), from: Time, to: Time, index: Index, caseIndex: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })), notifications: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })) });
const Definition = Type.Object({ name: Name, message: Type.String({ maxLength: 100_000 }), from: Time, to: Time, index: Index, queries: Type.Array(Type.Object({})), cases: Type.Array(Type.Object({})) });

export const RunJob = Type.Object({
  data: Type.Object({
    type: Type.Optional(Type.Literal("historicalDetectionsJobCreate")),
    attributes: Type.Object({ fromRule: Type.Optional(FromRule), jobDefinition: Type.Optional(Definition), signalOutput: Type.Optional(Type.Boolean()), sensitivity: Type.Optional(Type.Boolean({ description: "Tells how many signals the rule would make at other thresholds too." })) }),
  }),
});
export const ConvertResults = Type.Object({
  data: Type.Object({
    type: Type.Optional(Type.Literal("historicalDetectionsJobResultSignalConversion")),
    attributes: Type.Object({
      jobResultIds: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 1000 }), notifications: Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 100 }),
      signalMessage: Type.String({ maxLength: 100_000 }), signalSeverity: Type.Enum([...severities]),
    }),
  }),
});

export const JobId = Type.Object({ job_id: Type.String() });
export const JobCreated = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("historicalDetectionsJob") }) });
const Job = Type.Object({
  id: Type.String(), type: Type.Literal("historicalDetectionsJob"),
  attributes: Type.Object({
    createdAt: Type.String(), createdByHandle: Type.String(), createdByName: Type.String(), createdFromRuleId: Type.Optional(Type.String()), jobDefinition: Type.Object({}), jobName: Type.String(),
    jobStatus: Type.Enum([...jobStatuses]), modifiedAt: Type.String(), progressRate: Type.Number(), signalOutput: Type.Boolean(),
    sensitivity: Type.Optional(Type.Object({
      dial: Type.Optional(Type.String()), fixed: Type.Optional(Type.String()),
      settings: Type.Array(Type.Object({ factor: Type.Number(), setting: Type.String(), signals: Type.Integer(), groups: Type.Integer(), bySeverity: Type.Object({}) })),
    })),
  }),
});
export const OneJob = Type.Object({ data: Job });
export const Jobs = Type.Object({ data: Type.Array(Job), meta: Type.Object({ totalCount: Type.Integer() }) });

export const JobsQuery = Type.Object({ "page[size]": Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })), "page[number]": Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })), sort: Type.Optional(Type.String({ maxLength: 100 })), "filter[query]": Type.Optional(Type.String({ maxLength: 10_000 })) });
export const ResultsQuery = Type.Object({ "filter[query]": Type.Optional(Type.String()), "filter[from]": Type.Optional(Type.String()), "filter[to]": Type.Optional(Type.String()), sort: Type.Optional(Type.String()), "page[cursor]": Type.Optional(Type.String()), "page[limit]": Type.Optional(Type.Integer()) });

const Bound = Type.Union([Type.String({ maxLength: 100 }), Type.Number()]);
const Sort = Type.Union([Type.String({ maxLength: 100 }), Type.Object({ field: Type.String({ maxLength: 100 }), order: Type.Optional(Type.Enum(["asc", "desc"])) })]);
export const ResultsBody = Type.Object({
  filter: Type.Optional(Type.Object({ query: Type.Optional(Type.String()), from: Type.Optional(Bound), to: Type.Optional(Bound) })), sort: Type.Optional(Sort),
  page: Type.Optional(Type.Object({ cursor: Type.Optional(Type.String()), limit: Type.Optional(Type.Integer()) })),
});
