import type { Json } from "../event.ts";
import type { Problem } from "../../problem.ts";
import { readDateFormat } from "./grok-date.ts";
import { type FilterStep, buildStep } from "./grok-filter.ts";
import { matchers } from "./grok-matchers.ts";
import { RegexWriter } from "./grok-regex.ts";
import { type GrokToken, readToken } from "./grok-token.ts";
import { type LinearRegex, linearRegex } from "./linear-regex.ts";
import { type Members, isMembers, memberOf, setMember } from "./members.ts";
import type { GrokCapture, GrokFilter, GrokRule } from "./pipeline.ts";

export type ReadGrok =
  | { readonly ok: true; readonly rules: readonly GrokRule[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Longest regex a rule may be written out to; support rules that use each other grow fast. */
export const GROK_REGEX_CAP = 65_536;
const REPEATS_CAP = 5000;
const DEPTH_CAP = 40;
const CAPTURE_CAP = 500;

interface Line {
  readonly name: string;
  readonly pattern: string;
  /** 1-based. */
  readonly line: number;
  readonly place: "grok.match_rules" | "grok.support_rules";
}

/**
 * Datadog's grok rules, one a line as `name pattern`, written out to one regex each.
 *
 * `#` begins a line of comment. All problems at once: `place` names the text, `line` is the line in it. A capture that
 * took no text makes no attribute; two captures of one name make an array, as in Datadog.
 */
export function readGrok(matchRules: string, supportRules: string): ReadGrok {
  const problems: Problem[] = [];
  const support = new Map<string, Line>();
  for (const line of linesOf(supportRules, "grok.support_rules", problems)) {
    if (support.has(line.name)) problems.push(problem(line, "grok/duplicate-rule", `a support rule ${line.name} stands above already`, "give each rule a name of its own"));
    else support.set(line.name, line);
  }
  const matching = linesOf(matchRules, "grok.match_rules", problems);
  if (!matching.length && !problems.length) problems.push({ code: "grok/no-rule", place: "grok.match_rules", line: 1, message: "there is no match rule", hint: "write one a line: its name, a blank, and its pattern" });
  const names = new Set<string>();
  const rules: GrokRule[] = [];
  for (const line of matching) {
    if (names.has(line.name)) problems.push(problem(line, "grok/duplicate-rule", `a match rule ${line.name} stands above already`, "give each rule a name of its own"));
    names.add(line.name);
    const rule = new RuleReader(support, line, problems).rule();
    if (rule) rules.push(rule);
  }
  // A fault in a support rule shows in every rule that uses it.
  const told = new Map(problems.map((each) => [`${each.place}\n${each.line}\n${each.message}`, each]));
  return told.size ? { ok: false, problems: [...told.values()] } : { ok: true, rules };
}

function problem(line: Line, code: string, message: string, hint: string): Problem {
  return { code, place: line.place, line: line.line, message: `rule ${line.name}: ${message}`, hint };
}

function linesOf(text: string, place: Line["place"], problems: Problem[]): Line[] {
  const lines: Line[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const head = /^([\w.-]+)[ \t]+/.exec(raw.trimStart());
    const line = { name: head?.[1] ?? trimmed.slice(0, 40), pattern: head ? raw.trimStart().slice(head[0].length) : "", line: i + 1, place };
    if (head) lines.push(line);
    else problems.push({ code: "grok/not-a-rule", place, line: i + 1, message: `${JSON.stringify(line.name)} is no rule`, hint: "write a name of letters, digits, _ . and -, then a blank, then the pattern" });
  }
  return lines;
}

/** Writes one match rule out. */
class RuleReader {
  readonly #support: ReadonlyMap<string, Line>;
  readonly #rule: Line;
  readonly #problems: Problem[];
  readonly #writer: RegexWriter;
  readonly #captures: GrokCapture[] = [];
  readonly #open: Line[] = [];
  #isFaulty = false;
  #isTooLarge = false;

  constructor(support: ReadonlyMap<string, Line>, rule: Line, problems: Problem[]) {
    this.#support = support;
    this.#rule = rule;
    this.#problems = problems;
    this.#writer = new RegexWriter((message, hint) => this.#refuse("grok/pattern", message, hint));
  }

  rule(): GrokRule | undefined {
    this.#write(this.#rule);
    if (this.#isFaulty) return undefined;
    const rule: GrokRule = { name: this.#rule.name, regex: this.#writer.text, captures: this.#captures };
    try {
      compile(rule);
      return rule;
    } catch (error) {
      this.#refuse("grok/pattern", (error as Error).message, "mend the pattern: a repetition needs something before it, and goes up to 1000");
      return undefined;
    }
  }

  #refuse(code: string, message: string, hint: string): void {
    this.#isFaulty = true;
    this.#problems.push(problem(this.#open.at(-1) ?? this.#rule, code, message, hint));
  }

  #write(line: Line): void {
    this.#open.push(line);
    const depth = this.#writer.depth;
    const { pattern } = line;
    let from = 0;
    let at = 0;
    while (at < pattern.length && !this.#isTooLarge) {
      if (pattern[at] === "\\") at += 2;
      else if (pattern.startsWith("%{", at)) {
        this.#writer.copy(pattern, from, at);
        const token = readToken(pattern, at);
        if ("message" in token) this.#refuse("grok/token", token.message, token.hint);
        else this.#token(token);
        at = from = token.end;
      } else at++;
    }
    this.#writer.copy(pattern, from, pattern.length);
    if (this.#writer.depth !== depth) {
      this.#refuse("grok/pattern", "a ( is not closed, or closes outside", "close every group in the rule that opens it, or escape the parenthesis as \\(");
      while (this.#writer.depth > depth) this.#writer.close();
      while (this.#writer.depth < depth) this.#writer.open("(?:");
    }
    if ((this.#writer.text.length > GROK_REGEX_CAP || this.#writer.repeats > REPEATS_CAP) && !this.#isTooLarge) {
      this.#isTooLarge = true;
      this.#refuse("grok/too-large", `the rule is over ${GROK_REGEX_CAP} characters or ${REPEATS_CAP} counted repetitions when written out`, "split it in several rules, or use simpler matchers");
    }
    this.#open.pop();
  }

  #token(token: GrokToken): void {
    if (this.#isTooLarge) return;
    const filters: GrokFilter[] = [];
    const isCapture = token.attribute !== undefined && (token.attribute !== "" || token.filters.length > 0);
    const group = this.#captures.length + 1;
    if (isCapture) {
      const path = this.#path(token.attribute);
      this.#captures.push({ group, path, filters });
      if (this.#captures.length === CAPTURE_CAP + 1) this.#refuse("grok/too-large", `the rule captures over ${CAPTURE_CAP} attributes`, "split it in several rules");
      this.#writer.open("(");
    } else this.#writer.open("(?:");
    const own = this.#matcher(token);
    this.#writer.close();
    if (own) filters.push(own);
    for (const filter of token.filters) {
      const step = buildStep(filter);
      if (typeof step !== "function") this.#refuse("grok/filter", `${filter.name}: ${step.message}`, step.hint);
      filters.push(filter);
    }
  }

  #path(attribute: string | undefined): readonly string[] | undefined {
    if (!attribute) return undefined;
    const path = attribute.split(".");
    if (path.some((segment) => segment === "") || path.length > 20) this.#refuse("grok/token", `${attribute} is no path of an attribute`, "write names with single dots between them, as in http.status_code");
    return path;
  }

  /** Writes what the matcher stands for; what it makes of its text comes back as a filter. */
  #matcher(token: GrokToken): GrokFilter | undefined {
    const { matcher, args } = token;
    const line = this.#support.get(matcher);
    if (line) {
      if (args.length) this.#refuse("grok/token", `${matcher} is a support rule and takes no arguments`, "take the parentheses out");
      if (this.#open.includes(line)) this.#refuse("grok/recursion", `the support rule ${matcher} uses itself`, "write out what should repeat with * or +");
      else if (this.#open.length > DEPTH_CAP) this.#refuse("grok/too-large", `support rules are nested over ${DEPTH_CAP} deep`, "join some of them");
      else this.#write(line);
      return undefined;
    }
    switch (matcher) {
      case "regex": {
        const pattern = args[0];
        if (args.length !== 1 || typeof pattern !== "string") this.#refuse("grok/token", "regex takes one pattern", 'write regex("[a-z]+")');
        else this.#balanced(pattern);
        return undefined;
      }
      case "date": {
        const step = buildStep({ name: "date", args });
        if (typeof step !== "function") {
          this.#refuse("grok/token", `date: ${step.message}`, step.hint);
          return undefined;
        }
        const format = readDateFormat(args[0] as string, args[1] as string | undefined);
        if (typeof format !== "string") this.#writer.text += format.regex;
        return { name: "date", args };
      }
      case "boolean":
        if (!args.length) this.#balanced("(?i)true|false");
        else if (!args.every((arg) => typeof arg === "string")) this.#refuse("grok/token", "boolean takes two patterns", 'write boolean("yes", "no")');
        else (args as string[]).forEach((pattern, i) => {
          if (i > 0) this.#writer.text += "|";
          this.#writer.open("(?:");
          this.#balanced(pattern);
          this.#writer.close();
        });
        if (args.length) {
          const step = buildStep({ name: "boolean", args });
          if (typeof step !== "function") this.#refuse("grok/token", `boolean: ${step.message}`, step.hint);
        }
        return { name: "boolean", args };
      default: {
        const known = matchers.get(matcher);
        if (!known) this.#refuse("grok/matcher", `there is no matcher or support rule ${matcher}`, `write a support rule of that name, or use ${[...matchers.keys()].slice(0, 24).join(" ")} regex date boolean …`);
        else if (args.length) this.#refuse("grok/token", `${matcher} takes no arguments`, "take the parentheses out");
        // With (?s) before it, data takes line breaks too.
        else if (known.regex === ".*") this.#writer.copy(".*", 0, 2);
        else this.#writer.text += known.regex;
        return known?.filter;
      }
    }
  }

  #balanced(pattern: string): void {
    const depth = this.#writer.depth;
    this.#writer.copy(pattern, 0, pattern.length);
    if (this.#writer.depth === depth) return;
    this.#refuse("grok/pattern", `${JSON.stringify(pattern)} opens and closes groups unevenly`, "close each group within the pattern");
    while (this.#writer.depth > depth) this.#writer.close();
    while (this.#writer.depth < depth) this.#writer.open("(?:");
  }
}

interface Compiled {
  readonly pattern: LinearRegex;
  readonly captures: ReadonlyArray<{ readonly group: number; readonly path: readonly string[] | undefined; readonly steps: readonly FilterStep[] }>;
}

const compiledOf = new WeakMap<GrokRule, Compiled>();

function compile(rule: GrokRule): Compiled {
  let compiled = compiledOf.get(rule);
  if (!compiled) {
    const captures = rule.captures.map(({ group, path, filters }) => ({ group, path, steps: filters.map(stepOf) }));
    compiled = { pattern: linearRegex(rule.regex), captures };
    compiledOf.set(rule, compiled);
  }
  return compiled;
}

function stepOf(filter: GrokFilter): FilterStep {
  const step = buildStep(filter);
  if (typeof step !== "function") throw new Error(`grok filter ${filter.name}: ${step.message}`);
  return step;
}

export interface GrokMatch {
  readonly rule: GrokRule;
  /** Attributes by their names, nested where paths have dots. */
  readonly values: Members;
}

/** The first rule that takes the whole text, in time linear in its length; dates without a year are read as of the arrival. */
export function matchGrok(rules: readonly GrokRule[], text: string, arrivalMs?: number): GrokMatch | undefined {
  for (const rule of rules) {
    const { pattern, captures } = compile(rule);
    const matcher = pattern.matcher(text);
    if (!matcher.matches()) continue;
    const values: Members = {};
    for (const { group, path, steps } of captures) {
      const taken = matcher.group(group);
      if (!taken) continue;
      let value: Json | undefined = taken;
      for (const step of steps) {
        value = step(value, arrivalMs);
        if (value === undefined) break;
      }
      if (value === undefined) continue;
      if (path) put(values, path, value);
      else if (isMembers(value)) for (const name of Object.keys(value)) setMember(values, name, value[name]!);
    }
    return { rule, values };
  }
  return undefined;
}

/** A second value of one name makes an array of both. */
function put(values: Members, path: readonly string[], value: Json): void {
  let members = values;
  for (const name of path.slice(0, -1)) {
    const below = memberOf(members, name);
    const next: Members = isMembers(below) ? below : {};
    if (next !== below) setMember(members, name, next);
    members = next;
  }
  const name = path.at(-1)!;
  const before = memberOf(members, name);
  setMember(members, name, before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]);
}

