import type { LogEvent } from "../../event/event.ts";
import type { Rule } from "../../rule/rule.ts";
import { ruleEvent } from "../../rule/select.ts";
import { readRuleWire } from "../../rule/wire.ts";
import { notFound, problemsError } from "../api-error.ts";
import type { ControlContext } from "../context.ts";

/** A rule as rule queries see it. */
export type AskedRule = LogEvent;

/** Throws a 404. */
export function ruleOf({ setup }: Pick<ControlContext, "setup">, id: string): Rule {
  const found = (setup().rules as readonly Rule[]).find((rule) => rule.id === id);
  if (!found) throw notFound(`Threat detection rule not found: ${id}`);
  return found;
}

export function knownRule(context: Pick<ControlContext, "setup">, id: string): AskedRule {
  return ruleEvent(ruleOf(context, id));
}

/** Throws a 400 with everything that is wrong with it. */
export function futureRule(payload: Readonly<Record<string, unknown>>): AskedRule {
  const read = readRuleWire({ id: "new-new-new", version: 1, ...payload });
  if (!read.ok) throw problemsError(read.problems, "Invalid rule configuration");
  return ruleEvent(read.rule);
}
