import type { DocumentDetails } from "../../host/signal/document.ts";
import type { Signal } from "../../host/signal/signal.ts";
import { type Person, archiveReasons, triageStates } from "../../host/signal-model/stored.ts";
import type { TriageChange } from "../../host/signal-model/triage.ts";
import { aDocument } from "../signal-model/support.ts";

export const actors: readonly Person[] = ["ann", "bob", "eve"].map((name) => ({ uuid: `u-${name}`, handle: `${name}@example.com`, name }));
export const firstMs = Date.parse("2026-03-02T08:41:00Z");

/** A signal as detection hands it to the store; its user hangs on its number, its host on the turn. */
export function signalOf(number: number, turn = 0, more: Partial<Signal> & { readonly attributes?: DocumentDetails["attributes"] } = {}): Signal {
  const { details, ...document } = aDocument();
  const user = `user-${number % 10}`;
  const { attributes, ...rest } = more;
  return {
    id: `s${number}`, ruleId: document.rule_id, ruleName: document.rule_name, ruleVersion: 1, caseName: document.case, severity: document.severity, group: { "@usr.id": user },
    firstSeenMs: firstMs + number * 60_000, lastSeenMs: firstMs + number * 60_000 + turn, eventsMatched: turn, title: document.title, message: document.message, tags: [], samples: [], samplesText: "[]", revision: turn,
    documentDetails: { ...details!, attributes: attributes ?? { usr: { id: user } }, hosts: [`host-${turn % 7}`], services: [] }, documentSamples: "[]", ...rest,
  };
}

/** Some change, good or bad. */
export function changeOf(next: () => number): TriageChange {
  const pick = (count: number): number => Math.floor(next() * count);
  return {
    ...(next() < 0.7 ? { state: triageStates[pick(3)] } : {}), ...(next() < 0.3 ? { archiveReason: archiveReasons[pick(8)], archiveComment: `c${pick(9)}` } : {}),
    ...(next() < 0.4 ? { assignee: [...actors, null][pick(4)]! } : {}), ...(next() < 0.2 ? { incidentIds: [pick(5)] } : {}), ...(next() < 0.1 ? { addCaseIds: [`SEC-${pick(4)}`] } : {}),
  };
}
