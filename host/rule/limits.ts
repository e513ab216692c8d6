import type { Problem } from "../problem.ts";
import { readField } from "../query/field.ts";
import { PATH_NAMES_CAP } from "../query/parse.ts";
import type { Field } from "../query/tree.ts";
import type { Rule } from "./rule.ts";

/** Fields that one query groups by, counts distinct values of, or looks at. */
const MOST_FIELDS = 50;

/** What no rule of anybody's needs and every log would pay for. Paths within queries are held to the same where these are read. */
export function limitProblems(rule: Rule): Problem[] {
  const problems: Problem[] = [];
  const deep = (place: string, fields: readonly Field[]): void => {
    const field = fields.find((each) => each.kind === "attribute" && each.path.length > PATH_NAMES_CAP);
    if (field) problems.push({ code: "rule/deep-path", place, message: "an attribute's path is too deep", hint: `attributes are seen up to ${PATH_NAMES_CAP} names deep` });
  };
  const many = (place: string, fields: readonly Field[]): void => {
    if (fields.length > MOST_FIELDS) problems.push({ code: "rule/too-many-fields", place, message: `there are ${fields.length} fields`, hint: `keep to ${MOST_FIELDS}` });
    deep(place, fields);
  };
  rule.queries.forEach((query, i) => {
    const place = `queries[${i}]`;
    many(`${place}.groupByFields`, query.groupBy);
    many(`${place}.distinctFields`, query.distinct);
    many(`${place}.metrics`, query.metrics);
  });
  const { method } = rule.options;
  if (method.kind === "third_party") {
    method.rootQueries.forEach((root, i) => {
      const place = `options.thirdPartyRuleOptions.rootQueries[${i}]`;
      many(`${place}.groupByFields`, root.groupBy);
    });
  }
  rule.referenceTables.forEach(({ fieldPath }, i) => deep(`referenceTables[${i}].logFieldPath`, [readField(fieldPath.startsWith("@") ? fieldPath : `@${fieldPath}`)]));
  return problems;
}
