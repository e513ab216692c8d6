/** A log as the API gives it. */
export interface Log {
  readonly id: string;
  readonly attributes: {
    readonly timestamp: string;
    readonly message?: string;
    readonly status?: string;
    readonly host?: string;
    readonly service?: string;
    readonly tags?: readonly string[];
    readonly attributes: Readonly<Record<string, unknown>>;
  };
}

export interface LogList {
  readonly data: readonly Log[];
  readonly meta: {
    readonly status: string;
    readonly elapsed: number;
    readonly page?: { readonly after?: string };
    readonly facets?: ReadonlyArray<{ readonly facet: string; readonly values: ReadonlyArray<{ readonly value: string; readonly count: number }>; readonly missing: number }>;
  };
}

export const EVENTS = "/api/v2/logs/events";
/** More are not kept on a page; a narrower question shows the rest. */
export const MOST_LOGS = 10_000;

export function sourceOf({ attributes: { tags = [] } }: Log): string {
  return tags.find((tag) => tag.startsWith("source:"))?.slice("source:".length) ?? "";
}

/** What a table shows under a column: a known word, `@path`, or the key of a tag. */
export function logCell(log: Log, column: string): unknown {
  const { attributes } = log;
  if (column === "source") return sourceOf(log);
  if (column.startsWith("@")) return column.slice(1).split(".").reduce<unknown>((at, name) => (typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined), attributes.attributes);
  if (Object.hasOwn(attributes, column)) return attributes[column as keyof typeof attributes];
  return (attributes.tags ?? []).filter((tag) => tag.startsWith(`${column}:`)).map((tag) => tag.slice(column.length + 1)).join(", ");
}
