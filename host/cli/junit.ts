import type { TestOutcome } from "./rules-test.ts";

function escapeXml(text: string): string {
  // XML 1.0 has no place for control characters, not even escaped.
  return text.replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, "").replace(/[<>&"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Outcomes as JUnit XML, which CI systems read. */
export function junitXml(outcomes: readonly TestOutcome[]): string {
  const suites = new Map<string, TestOutcome[]>();
  for (const outcome of outcomes) suites.set(outcome.suite, [...(suites.get(outcome.suite) ?? []), outcome]);
  const tally = (list: readonly TestOutcome[]): string =>
    `tests="${list.length}" failures="${list.filter((each) => each.outcome === "failed").length}" skipped="${list.filter((each) => each.outcome === "skipped").length}"`;
  const body = [...suites].map(([suite, list]) => `  <testsuite name="${escapeXml(suite)}" ${tally(list)}>\n${list.map(testCase).join("\n")}\n  </testsuite>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${tally(outcomes)}>\n${body.join("\n")}\n</testsuites>\n`;
}

function testCase(outcome: TestOutcome): string {
  const start = `    <testcase classname="${escapeXml(outcome.suite)}" name="${escapeXml(outcome.name)}"`;
  switch (outcome.outcome) {
    case "passed":
      return `${start}/>`;
    case "skipped":
      return `${start}><skipped message="${escapeXml(outcome.detail ?? "")}"/></testcase>`;
    case "failed":
      return `${start}><failure message="${escapeXml(outcome.detail ?? "")}"/></testcase>`;
  }
}
