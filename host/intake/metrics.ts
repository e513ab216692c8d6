import type { IntakeCounts } from "./contract.ts";

/** Text exposition of Prometheus, version 0.0.4. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: ReadonlyArray<readonly [labels: Labels, value: number]>;
}

export function metricsText(metrics: readonly Metric[]): string {
  return metrics.map(({ name, help, type, samples }) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`)].join("\n") + "\n").join("");
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`);
  return pairs.length ? `{${pairs.join(",")}}` : "";
}

export function emptyCounts(): IntakeCounts {
  return { requests: 0, bytes: 0, unpackedBytes: 0, events: 0, truncated: 0, refused: 0, refusals: new Map(), rejected: new Map() };
}

export function countOne(counts: Map<string, number>, reason: string, by = 1): void {
  counts.set(reason, (counts.get(reason) ?? 0) + by);
}

/** What intake counts, by input. */
export function intakeMetrics(inputs: ReadonlyMap<string, IntakeCounts>): Metric[] {
  const of = (name: string, help: string, value: (counts: IntakeCounts) => number): Metric => ({
    name: `vespid_intake_${name}_total`, help, type: "counter", samples: [...inputs].map(([input, counts]) => [{ input }, value(counts)] as const),
  });
  const byReason = (name: string, help: string, value: (counts: IntakeCounts) => ReadonlyMap<string, number>): Metric => ({
    name: `vespid_intake_${name}_total`, help, type: "counter",
    samples: [...inputs].flatMap(([input, counts]) => [...value(counts)].map(([reason, count]) => [{ input, reason }, count] as const)),
  });
  return [
    of("requests", "Requests that came.", (counts) => counts.requests),
    of("bytes", "Bytes of bodies as they came.", (counts) => counts.bytes),
    of("unpacked_bytes", "Bytes of bodies unpacked.", (counts) => counts.unpackedBytes),
    of("events", "Events taken.", (counts) => counts.events),
    of("truncated", "Events shortened to the size of a log.", (counts) => counts.truncated),
    byReason("refused", "Requests not taken.", (counts) => counts.refusals),
    byReason("rejected", "Records of accepted requests not taken.", (counts) => counts.rejected),
  ];
}
