import type { Json } from "../event/event.ts";
import type { Severity } from "../rule/rule.ts";
import type { DocumentDetails, SignalDocument } from "./document.ts";

/** The record that case hits of one rule and group open and extend. */
export interface Signal {
  readonly id: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly ruleVersion: number;
  caseName: string;
  severity: Severity;
  /** Field as the rule writes it to its text value, in group-by order. */
  readonly group: Readonly<Record<string, string>>;
  firstSeenMs: number;
  lastSeenMs: number;
  eventsMatched: number;
  title: string;
  message: string;
  readonly tags: readonly string[];
  /** The first five and the last five events, as received. */
  readonly samples: readonly Json[];
  /** The same as JSON text, a list. */
  readonly samplesText: string;
  /** Number of its latest change among the changes of all signals: one that is greater came later. */
  readonly revision: number;
  /** What is stored beside, and samples as they are stored (JSON of a list); only of an engine that was asked for `signalDetails`. */
  readonly documentDetails?: DocumentDetails | undefined;
  readonly documentSamples?: string;
}

/** The signal as `--json` prints it and the Arrow file holds it: members in fixed order, times in ms. */
export function signalJson(signal: Signal): Record<string, unknown> {
  return { ...withoutSamples(signal), samples: signal.samples };
}

/** The same as text: samples are taken over as they came. */
export function signalText(signal: Signal, before: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ ...before, ...withoutSamples(signal) }).slice(0, -1)},"samples":${signal.samplesText}}`;
}

/** The signal as it is stored: its document but for the samples, and all of it as JSON text. */
export function storedForm(signal: Signal): { readonly document: Omit<SignalDocument, "samples">; readonly text: string } {
  const { documentDetails } = signal;
  if (!documentDetails) return { document: withoutSamples(signal), text: signalText(signal) };
  const document = { ...withoutSamples(signal), details: documentDetails };
  return { document, text: `${JSON.stringify(document).slice(0, -1)},"samples":${signal.documentSamples}}` };
}

function withoutSamples(signal: Signal): Omit<SignalDocument, "samples" | "details"> {
  return {
    id: signal.id,
    rule_id: signal.ruleId,
    rule_name: signal.ruleName,
    case: signal.caseName,
    severity: signal.severity,
    group: signal.group,
    first_seen: signal.firstSeenMs,
    last_seen: signal.lastSeenMs,
    events_matched: signal.eventsMatched,
    title: signal.title,
    message: signal.message,
    tags: signal.tags,
  };
}
