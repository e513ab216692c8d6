import type { Problem } from "../../problem.ts";
import { readField } from "../../query/field.ts";
import type { Field, QueryNode } from "../../query/tree.ts";
import type { Rule } from "../../rule/rule.ts";

/** Names in the path of an attribute; what looks deeper costs memory with each log, and no log is so deep. */
const MOST_NAMES = 64;
/** Fields that one query groups by, counts distinct values of, or looks at. */
const MOST_FIELDS = 50;

/** What no rule of anybody's needs and every log would pay for. */
export function limitProblems(rule: Rule): Problem[] {
  const problems: Problem[] = [];
  const deep = (place: string, fields: readonly Field[]): void => {
    const field = fields.find((each) => each.kind === "attribute" && each.path.length > MOST_NAMES);
    if (field) problems.push({ code: "rule-api/deep-path", place, message: "an attribute's path is too deep", hint: `attributes are seen up to ${MOST_NAMES} names deep` });
  };
  const many = (place: string, fields: readonly Field[]): void => {
    if (fields.length > MOST_FIELDS) problems.push({ code: "rule-api/too-many-fields", place, message: `there are ${fields.length} fields`, hint: `keep to ${MOST_FIELDS}` });
    deep(place, fields);
  };
  rule.queries.forEach((query, i) => {
    const place = `queries[${i}]`;
    deep(`${place}.query`, fieldsIn(query.node));
    many(`${place}.groupByFields`, query.groupBy);
    many(`${place}.distinctFields`, query.distinct);
    many(`${place}.metrics`, query.metrics);
  });
  const { method } = rule.options;
  if (method.kind === "third_party") {
    method.rootQueries.forEach((root, i) => {
      const place = `options.thirdPartyRuleOptions.rootQueries[${i}]`;
      deep(`${place}.query`, fieldsIn(root.node));
      many(`${place}.groupByFields`, root.groupBy);
    });
    rule.cases.forEach((each, i) => each.query && deep(`thirdPartyCases[${i}].query`, fieldsIn(each.query.node)));
  }
  rule.filters.forEach((filter, i) => deep(`filters[${i}].query`, fieldsIn(filter.node)));
  rule.referenceTables.forEach(({ fieldPath }, i) => deep(`referenceTables[${i}].logFieldPath`, [readField(fieldPath.startsWith("@") ? fieldPath : `@${fieldPath}`)]));
  return problems;
}

function fieldsIn(node: QueryNode): Field[] {
  switch (node.kind) {
    case "all":
      return [];
    case "leaf":
    case "cidr":
      return [node.field];
    case "not":
      return fieldsIn(node.node);
    default:
      return node.nodes.flatMap(fieldsIn);
  }
}
