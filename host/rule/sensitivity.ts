import { unreachable } from "../problem.ts";
import type { Comparison, Condition, ConditionNode } from "./condition.ts";
import { printCondition } from "./condition-print.ts";
import type { MethodOptions, SequenceOptions } from "./method.ts";
import type { Rule } from "./rule.ts";

/** A rule with its one dial turned. */
export interface TurnedRule {
  readonly factor: number;
  /** What the dial says then, as the rule would write it. */
  readonly setting: string;
  readonly rule: Rule;
}

/** How loud a rule would be if it were stricter or milder. */
export interface Sensitivity {
  /** What is turned; undefined where the method has nothing that could be. */
  readonly dial: string | undefined;
  /** One for each factor; settings that come out the same are the same object's. */
  readonly turned: readonly TurnedRule[];
}

export const sensitivityFactors = [0.5, 1, 2, 4] as const;

/**
 * The rule at several multiples of its thresholds: the numbers that conditions want more of. Upper bounds stay, and so does
 * `> 0`, which asks whether there was anything at all, unless nothing else could be moved. Methods that count nothing are
 * turned at what makes them strict: how long they learn, or how far above the bound a volume must lie.
 */
export function sensitivityOf(rule: Rule, factors: readonly number[] = sensitivityFactors): Sensitivity {
  const dial = dialOf(rule);
  if (!dial) return { dial: undefined, turned: [{ factor: 1, setting: "", rule }] };
  const own = dial.setting(rule);
  const turned = factors.map((factor): TurnedRule => {
    if (factor === 1) return { factor, setting: own, rule };
    const changed = dial.turn(factor);
    const setting = dial.setting(changed);
    return setting === own ? { factor, setting, rule } : { factor, setting, rule: named(changed, rule, factor) };
  });
  return { dial: dial.name, turned: turned.map((each) => turned.find((other) => other.setting === each.setting)!).map(({ setting, rule: same }, i) => ({ factor: factors[i]!, setting, rule: same })) };
}

interface Dial {
  readonly name: string;
  turn(factor: number): Rule;
  setting(rule: Rule): string;
}

function dialOf(rule: Rule): Dial | undefined {
  const { method } = rule.options;
  switch (method.kind) {
    case "threshold":
    case "content_anomaly": {
      const conditions = rule.cases.flatMap((each) => each.condition ?? []);
      const scale = scaling(conditions, rule.options.evaluationWindowMs > 0);
      if (!scale) return undefined;
      return {
        name: "thresholds of the cases",
        turn: (factor) => ({ ...rule, cases: rule.cases.map((each) => ({ ...each, condition: each.condition && scale(each.condition, factor) })) }),
        setting: ({ cases }) => cases.map((each) => (each.condition ? printCondition(each.condition) : "any event")).join("; "),
      };
    }
    case "sequence_detection": {
      const scale = scaling(method.steps.flatMap((step) => step.condition ?? []), method.steps.some((step) => step.windowMs > 0));
      if (!scale) return undefined;
      return {
        name: "thresholds of the steps",
        turn: (factor) => withMethod(rule, { ...method, steps: method.steps.map((step) => ({ ...step, condition: step.condition && scale(step.condition, factor) })) }),
        setting: (turned) => (turned.options.method as SequenceOptions).steps.map((step) => `${step.name}: ${step.condition ? printCondition(step.condition) : "any event"}`).join("; "),
      };
    }
    case "new_value": {
      const { learning } = method;
      if (learning.kind === "duration" && learning.days > 0) {
        return daysDial(rule, "learning duration", learning.days, (days) => ({ ...method, learning: { kind: "duration", days } }));
      }
      return daysDial(rule, "forgetting after", method.forgetAfterDays, (forgetAfterDays) => ({ ...method, forgetAfterDays }));
    }
    case "anomaly_detection":
      return {
        name: "tolerance",
        turn: (factor) => withMethod(rule, { ...method, tolerance: method.tolerance * factor }),
        setting: ({ options }) => `tolerance ${options.method.kind === "anomaly_detection" ? options.method.tolerance : ""}`,
      };
    case "impossible_travel":
      return method.baselineDays === undefined ? undefined : daysDial(rule, "learning of locations", method.baselineDays, (baselineDays) => ({ ...method, baselineDays }));
    case "third_party":
    case "hardcoded":
      return undefined;
    default:
      return unreachable(method);
  }
}

function daysDial(rule: Rule, name: string, own: number, methodOf: (days: number) => MethodOptions): Dial {
  const daysOf = new Map<Rule, number>([[rule, own]]);
  return {
    name,
    turn(factor) {
      const turned = withMethod(rule, methodOf(own * factor));
      daysOf.set(turned, own * factor);
      return turned;
    },
    setting: (turned) => `${name} ${daysOf.get(turned)} days`,
  };
}

function withMethod(rule: Rule, method: MethodOptions): Rule {
  return { ...rule, options: { ...rule.options, method } };
}

/** An id of its own, while what selects rules by their id still finds it; its words are nobody's to read. */
function named(changed: Rule, rule: Rule, factor: number): Rule {
  const own = ["id", "ruleId", "rule_id"].map((key) => `${key}:${rule.id}`);
  return { ...changed, id: `${rule.id}*${factor}`, tags: [...rule.tags, ...own], message: "" };
}

/** How conditions are scaled; undefined where they hold no number that could be moved. */
function scaling(conditions: readonly Condition[], hasWindow: boolean): ((condition: Condition, factor: number) => Condition) | undefined {
  const numbers = conditions.flatMap((condition) => [condition.first, ...(condition.then ? [condition.then] : [])]).flatMap(comparisons);
  const wanted = numbers.filter(isLowerBound);
  if (wanted.some((each) => !isPresence(each))) return (condition, factor) => mapped(condition, (each) => (isPresence(each) ? each : scaledBound(each, factor)));
  // One event of many in a window can be asked for more often; the only event of no window cannot.
  if (hasWindow && wanted.length) return (condition, factor) => mapped(condition, (each) => scaledPresence(each, factor));
  return undefined;
}

function comparisons(node: ConditionNode): Comparison[] {
  return node.kind === "compare" ? [node] : node.nodes.flatMap(comparisons);
}

/** More is needed of something: `a > 5`. Two labels beside each other: the factor of the right one is the threshold. */
function isLowerBound(node: Comparison): boolean {
  return (node.op === ">" || node.op === ">=") && (typeof node.right !== "number" || node.right > 0 || node.op === ">");
}

/** Asks only whether there is any. */
function isPresence(node: Comparison): boolean {
  return typeof node.right === "number" && (node.op === ">" ? node.right === 0 : node.right === node.left.factor);
}

/** On counts `> 2.5` is `> 2`, and `>= 2.5` is `>= 3`. */
function scaledBound(node: Comparison, factor: number): Comparison {
  if (!isLowerBound(node)) return node;
  if (typeof node.right === "number") return { ...node, right: node.op === ">" ? Math.floor(node.right * factor) : Math.ceil(node.right * factor) };
  // Whole numbers on both sides: half of the right one is twice the left one.
  return factor < 1 ? { ...node, left: { ...node.left, factor: node.left.factor / factor } } : { ...node, right: { ...node.right, factor: node.right.factor * factor } };
}

function scaledPresence(node: Comparison, factor: number): Comparison {
  if (!isLowerBound(node) || !isPresence(node)) return node;
  return { ...node, op: ">", right: Math.max(0, Math.ceil(factor * node.left.factor) - 1) };
}

function mapped(condition: Condition, change: (node: Comparison) => Comparison): Condition {
  const walk = (node: ConditionNode): ConditionNode => (node.kind === "compare" ? change(node) : { ...node, nodes: node.nodes.map(walk) });
  return { first: walk(condition.first), ...(condition.then ? { then: walk(condition.then) } : {}) };
}
