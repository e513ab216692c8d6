export interface Metrics {
  readonly names: readonly string[];
  /** Labels as they are written between the braces. */
  get(name: string, labels?: string): number | undefined;
  labelled(name: string): ReadonlyArray<{ readonly labels: string; readonly value: number }>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

/** The text form of Prometheus; histograms' buckets are left out. */
export function readMetrics(text: string): Metrics {
  const found = new Map<string, Map<string, number>>();
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (!match || match[1]!.endsWith("_bucket")) continue;
    const [, name, labels = "", value] = match;
    const known = found.get(name!) ?? new Map<string, number>();
    known.set(labels, Number(value));
    found.set(name!, known);
  }
  return { names: [...found.keys()], get: (name, labels = "") => found.get(name)?.get(labels), labelled: (name) => [...(found.get(name) ?? [])].map(([labels, value]) => ({ labels, value })) };
}
