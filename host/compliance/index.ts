export { type Check, type CheckResult, type CheckStatus, findingOf } from "./check.ts";
export { readChecks } from "./read-checks.ts";
export { runChecks } from "./run-checks.ts";
