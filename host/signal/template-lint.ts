import type { Problem } from "../problem.ts";
import type { Rule } from "../rule/rule.ts";
import { type Piece, parseTemplate } from "./template-parse.ts";

const known = /^(?:severity|severity_name|rule_name|case_name|(?:timestamp|first_seen|last_seen|last_triggered_at)(?:_epoch)?|events_matched|host|service|source|status|signal\..+|.+\.name)$/s;
const PER_QUERY = /^events_matched_per_query\.(.+)$/s;

/** What is wrong with the templates of a rule: they still render, but not as meant. */
export function lintTemplates(rule: Rule): Problem[] {
  const problems = lintTemplate(rule.message, "message", rule);
  const { method } = rule.options;
  if (method.kind !== "third_party") return problems;
  return [...problems, ...lintTemplate(method.signalTitleTemplate, "options.thirdPartyRuleOptions.signalTitleTemplate", rule)];
}

function lintTemplate(template: string, place: string, rule: Rule): Problem[] {
  const read = parseTemplate(template);
  if (!read.ok) return [{ code: "lint/bad-template", level: "warning", place, message: read.message, hint: "mend it, or it is shown as it stands", at: read.at }];
  return [...new Set(namesOf(read.pieces))].flatMap((name): Problem[] => {
    const label = PER_QUERY.exec(name)?.[1];
    if (label !== undefined && !rule.queries.some((query) => query.label === label)) {
      return [{ code: "lint/unknown-variable", level: "warning", place, message: `no query is named ${label}`, hint: `the labels are ${rule.queries.map((query) => query.label).join(", ")}` }];
    }
    if (name.startsWith("@") || label !== undefined || known.test(name)) return [];
    return [{ code: "lint/unknown-variable", level: "warning", place, message: `{{${name}}} stands for the tag ${name}, and is empty where there is none`, hint: `write {{@${name}}} for the attribute, or {{${name}.name}} for the tag` }];
  });
}

function namesOf(pieces: readonly Piece[]): string[] {
  return pieces.flatMap((piece) => {
    switch (piece.kind) {
      case "text":
        return [];
      case "variable":
        return [piece.name];
      case "call":
        return piece.helper === "eval" ? [] : [piece.args[0]!];
      case "block":
        return [piece.test.name, ...namesOf(piece.pieces)];
    }
  });
}
