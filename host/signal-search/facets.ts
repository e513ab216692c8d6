import { ProblemError } from "../problem.ts";
import { fieldText, readField } from "../query/field.ts";
import type { Field } from "../query/tree.ts";
import { fieldsOf } from "./aliases.ts";

/** Facets of the explorer's panel (platform spec 6) and the field each counts. */
export const panelFacets: Readonly<Record<string, string>> = {
  "Status": "status", "Signal State": "@workflow.triage.state", "Rule Name": "@workflow.rule.name", "Rule Type": "@workflow.rule.type",
  "Detection Method": "@workflow.rule.detectionMethod", "Source": "source", "Tactic": "tactic", "Technique": "technique", "Env": "env", "Service": "service",
  "Host": "host", "Team": "team", "Assignee": "@workflow.triage.assignee.handle", "Archive Reason": "@workflow.triage.archiveReason",
  "State Updated By": "@workflow.triage.updater.handle", "Acted Upon": "@workflow.triage.acted", "Has Case": "@workflow.triage.hasCase",
  "Has Incident": "@workflow.triage.hasIncident", "Has Workflow Run": "@workflow.triage.hasWorkflowRun", "Country": "@network.client.geoip.country.name",
  "AS Name": "@network.client.geoip.as.name", "TI Category": "@threat_intel.results.category", "TI Intention": "@threat_intel.results.intention",
  "Security": "security", "User": "@usr.id", "Client IP": "@network.client.ip", "AWS Account": "@workflow.awsAccount",
};

/** Short names of numbers and times, where a field is wanted and no tag can be meant. */
const shortNames: Readonly<Record<string, string>> = {
  last_seen: "@workflow.last_seen", first_seen: "@workflow.first_seen", events_matched: "@workflow.events_matched", title: "@title", state: "@workflow.triage.state",
  time_to_detect: "@workflow.timings.time_to_detect", time_to_acknowledge: "@workflow.timings.time_to_acknowledge",
  time_to_resolve: "@workflow.timings.time_to_resolve", triage_time: "@workflow.timings.triage_time",
};

/** The field that a facet, a sort or a group is by: a name of the panel, an alias, `@path`, a reserved attribute, a tag key. Throws `signals/bad-facet`. */
export function facetField(name: string, place: string): Field {
  if (name === "" || name === "@" || name.length > 1000) {
    throw new ProblemError([{ code: "signals/bad-facet", place, message: `${JSON.stringify(name.slice(0, 40))} is no facet`, hint: "write such as status, @workflow.rule.name, service or env" }]);
  }
  const known = (Object.hasOwn(panelFacets, name) ? panelFacets[name]! : Object.hasOwn(shortNames, name) ? shortNames[name]! : name);
  const fields = fieldsOf(readField(known));
  // `network.client.geoip.country.name` is an attribute here: no tag of such a name is counted.
  return fields.find(({ kind }) => kind !== "tag") ?? fields[0]!;
}

/** Query text that finds signals with a value of a field: what a click on the value adds. */
export function facetQuery(field: Field, value: string): string {
  return `${fieldText(field)}:"${value.replace(/[\\"]/g, "\\$&")}"`;
}
