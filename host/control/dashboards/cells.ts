/** What stands at the top of a log or a signal, its tags among them. */
type Top = Readonly<Record<string, unknown>> & { readonly tags: readonly string[] };

const MOST_CHARS = 500;

/** The texts of columns: a name at the top (`status`, `title`, `host`), `@path` within, or a tag's key. Empty where there is none. */
export function cellsOf(fields: readonly string[], top: Top, within: unknown): string[] {
  return fields.map((field) => shortened(field.startsWith("@") ? textOf(valueAt(within, field.slice(1))) : Object.hasOwn(top, field) ? textOf(top[field]) : tagged(top.tags, field)));
}

function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, name) => (typeof inner === "object" && inner !== null && Object.hasOwn(inner, name) ? (inner as Readonly<Record<string, unknown>>)[name] : undefined), value);
}

function tagged(tags: readonly string[], key: string): string {
  return tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1)).join(", ");
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}

function shortened(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
