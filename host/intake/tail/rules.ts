import { type LinearRegex, linearRegex } from "../../event/pipeline/linear-regex.ts";

/** What is done to the lines of a file before they are events; Datadog's `log_processing_rules`, in the order written. */
export type LineRule =
  /** A line that begins with the pattern begins an event; others belong to the one before. */
  | { readonly kind: "multi_line"; readonly name: string; readonly pattern: LinearRegex }
  | { readonly kind: "exclude_at_match" | "include_at_match"; readonly name: string; readonly pattern: LinearRegex }
  | { readonly kind: "mask_sequences"; readonly name: string; readonly pattern: LinearRegex; readonly placeholder: string };

/** Compiles a rule as it stands in a configuration. Throws an `Error` that says what is wrong with it. */
export function readLineRule(wire: unknown): LineRule {
  if (typeof wire !== "object" || wire === null) throw new Error("a processing rule is a mapping with type, name and pattern");
  const { type, name, pattern, replace_placeholder: placeholder } = wire as Record<string, unknown>;
  if (typeof pattern !== "string" || pattern === "") throw new Error("a processing rule needs a pattern");
  const label = typeof name === "string" ? name : String(type);
  // Datadog's Agent binds the pattern of a multi-line rule to the line's beginning.
  if (type === "multi_line") return { kind: type, name: label, pattern: linearRegex(`^(?:${pattern})`) };
  if (type === "exclude_at_match" || type === "include_at_match") return { kind: type, name: label, pattern: linearRegex(pattern) };
  if (type === "mask_sequences") return { kind: type, name: label, pattern: linearRegex(pattern), placeholder: (typeof placeholder === "string" ? placeholder : "").replace(/\$\{(\d+)\}/g, "$$$1") };
  throw new Error(`there is no processing rule of type ${JSON.stringify(type)}`);
}

/** The text after masks, or undefined when the rules leave it out. */
export function applyRules(text: string, rules: readonly LineRule[]): string | undefined {
  let changed = text;
  for (const rule of rules) {
    if (rule.kind === "mask_sequences") changed = rule.pattern.matcher(changed).replaceAll(rule.placeholder);
    else if (rule.kind === "exclude_at_match" && rule.pattern.matcher(changed).find()) return undefined;
    else if (rule.kind === "include_at_match" && !rule.pattern.matcher(changed).find()) return undefined;
  }
  return changed;
}

export function startPattern(rules: readonly LineRule[]): LinearRegex | undefined {
  return rules.find((rule) => rule.kind === "multi_line")?.pattern;
}
