import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Person, type Triage, archiveReasons, triageStates, untouched } from "../../host/signal-model/stored.ts";
import { meanTimes, timingsOf } from "../../host/signal-model/timings.ts";
import { type TriageChange, changedTriage } from "../../host/signal-model/triage.ts";

const day = 86_400_000;
const t1 = Date.parse("2026-03-01T00:00:00Z");
const ann: Person = { uuid: "u-ann", handle: "ann@example.com", name: "Ann" };
const bob: Person = { uuid: "u-bob", handle: "bob@example.com", name: "Bob" };
const change = (triage: Triage, what: TriageChange, atMs = t1 + day) => changedTriage(triage, t1, what, ann, atMs);

function changed(triage: Triage, what: TriageChange, atMs?: number): Triage {
  const verdict = change(triage, what, atMs);
  if (verdict.kind !== "changed") throw new Error(`it is ${JSON.stringify(verdict)}`);
  return verdict.triage;
}

describe("states", () => {
  test.each(triageStates.flatMap((from) => triageStates.map((to) => [from, to] as const)))("[SI-06] [SI-07] %s to %s", (from, to) => {
    const start = from === "open" ? untouched : changed(untouched, { state: from }, t1 + 1);
    const verdict = change(start, { state: to });
    if (from === to) expect(verdict).toEqual({ kind: "unchanged" });
    else expect(verdict).toMatchObject({ kind: "changed", triage: { state: to, stateUpdatedBy: ann, stateUpdatedMs: t1 + day, version: start.version + 1 }, steps: [{ action: "state_changed", before: { state: from }, after: { state: to } }] });
  });

  test.each([[29, "changed"], [30, "changed"], [31, "refused"]])("[SI-08] archived and open again on day %i: %s", (days, kind) => {
    const archived = changed(untouched, { state: "archived", archiveReason: "false_positive", archiveComment: "scanner" }, t1 + day);
    const verdict = change(archived, { state: "open" }, t1 + days * day);
    expect(verdict.kind).toBe(kind);
    // Reason and comment go with it; history has them.
    if (verdict.kind === "changed") expect(verdict).toMatchObject({ triage: { state: "open", archiveReason: "none", archiveComment: "" }, steps: [{ before: { state: "archived", archive_reason: "false_positive" } }, { action: "comment", before: "scanner", after: "" }] });
    if (verdict.kind === "changed") expect(verdict.triage).not.toHaveProperty("archiveCommentBy");
  });

  test.each<TriageChange>([{ state: "under_review" }, { assignee: bob }, { archiveComment: "x", state: "archived" }, { incidentIds: [1] }, { addCaseIds: ["SEC-1"] }, { state: "nonsense" }, {}])("[SI-09] after thirty days %j is refused", (what) => {
    expect(change(untouched, what, t1 + 30 * day + 1)).toEqual({ kind: "refused", refusal: { code: "signal/locked", status: 400, text: "Signal is locked: it is older than 30 days" } });
  });

  test.each(archiveReasons)("[SI-19] archived as %s, with a comment", (reason) => {
    expect(changed(untouched, { state: "archived", archiveReason: reason, archiveComment: "see SEC-1" })).toMatchObject({
      state: "archived", archiveReason: reason, archiveComment: "see SEC-1", archiveCommentBy: ann, archiveCommentMs: t1 + day, lastArchivedMs: t1 + day,
    });
  });

  test("[SI-19] reason and comment of what is archived can be told anew, one without the other", () => {
    const archived = changed(untouched, { state: "archived", archiveReason: "other", archiveComment: "first" });
    const later = changed(archived, { archiveReason: "true_positive_benign" }, t1 + 2 * day);
    expect(later).toMatchObject({ archiveReason: "true_positive_benign", archiveComment: "first", archiveCommentMs: t1 + day, lastArchivedMs: t1 + day, stateUpdatedMs: t1 + day });
    expect(changed(later, { state: "archived", archiveComment: "second" }, t1 + 3 * day)).toMatchObject({ archiveReason: "true_positive_benign", archiveComment: "second", archiveCommentMs: t1 + 3 * day, version: 4 });
  });

  test.each<[TriageChange, RegExp]>([
    [{ state: "closed" }, /state must be one of open, under_review, archived/], [{ state: 1 }, /state/], [{ state: "archived", archiveReason: "fp" }, /archive_reason must be one of/],
    [{ state: "open", archiveReason: "false_positive" }, /goes with state archived only/], [{ archiveReason: "other" }, /goes with state archived only/],
    [{ state: "under_review", archiveComment: "x" }, /goes with state archived only/], [{ state: "archived", archiveComment: 7 }, /must be a text/],
    [{ state: "archived", archiveComment: "x".repeat(10_001) }, /longer than/], [{ incidentIds: ["1"] }, /whole numbers/], [{ incidentIds: "12" }, /whole numbers/], [{ incidentIds: null }, /whole numbers/],
    [{ incidentIds: [1.5] }, /whole numbers/], [{ incidentIds: [-1] }, /whole numbers/], [{ incidentIds: Array.from({ length: 101 }, (_, i) => i) }, /at most 100/], [{ version: "1" }, /version/], [{ version: 1.5 }, /version/],
  ])("%j is refused", (what, text) => {
    expect(change(untouched, what)).toEqual({ kind: "refused", refusal: { code: "signal/bad-value", status: 400, text: expect.stringMatching(text) as string } });
  });

  test("words of the prototype are no states", () => {
    for (const state of ["constructor", "__proto__", "toString"]) expect(change(untouched, { state }).kind).toBe("refused");
  });

  test("a version that is behind is refused, the same one and a later one are not; it is looked at before the values", () => {
    const triage = { ...untouched, version: 5 };
    expect(change(triage, { state: "nonsense", version: 4 })).toMatchObject({ refusal: { code: "signal/stale", status: 400 } });
    expect(change(triage, { state: "archived", version: 5 }).kind).toBe("changed");
    expect(change(triage, { state: "archived", version: 6 }).kind).toBe("changed");
  });
});

describe("people, incidents, cases", () => {
  test("[SI-04] to somebody, to somebody else, to nobody", () => {
    const one = change(untouched, { assignee: ann });
    expect(one).toMatchObject({ kind: "changed", triage: { assignee: ann, version: 2 }, steps: [{ action: "assigned", before: null, after: ann }] });
    const held = changed(untouched, { assignee: ann });
    expect(change(held, { assignee: ann })).toEqual({ kind: "unchanged" });
    expect(change(held, { assignee: bob })).toMatchObject({ triage: { assignee: bob }, steps: [{ action: "assigned", before: ann, after: bob }] });
    expect(change(held, { assignee: null })).toMatchObject({ steps: [{ action: "unassigned", before: ann, after: null }] });
    expect(changed(held, { assignee: null })).not.toHaveProperty("assignee");
    expect(change(untouched, { assignee: null })).toEqual({ kind: "unchanged" });
  });

  test("incidents in place of those before, or beside them; each once", () => {
    const one = changed(untouched, { incidentIds: [2066, 2066, 7] });
    expect(one.incidentIds).toEqual([2066, 7]);
    expect(change(one, { addIncidentIds: [9, 7] })).toMatchObject({ triage: { incidentIds: [2066, 7, 9], state: "open" }, steps: [{ action: "incident_linked" }] });
    expect(change(one, { incidentIds: [8] })).toMatchObject({ steps: [{ action: "incident_linked" }, { action: "incident_unlinked", before: [2066, 7], after: [8] }] });
    expect(change(one, { incidentIds: [2066, 7] })).toEqual({ kind: "unchanged" });
  });

  test("a case puts an open signal under review, and leaves an archived one where it is", () => {
    expect(change(untouched, { addCaseIds: ["SEC-1"] })).toMatchObject({ triage: { state: "under_review", caseIds: ["SEC-1"], firstUnderReviewMs: t1 + day }, steps: [{ action: "state_changed" }, { action: "case_linked" }] });
    const archived = changed(untouched, { state: "archived", archiveReason: "other" });
    expect(change(archived, { addCaseIds: ["SEC-1"] })).toMatchObject({ triage: { state: "archived", archiveReason: "other", caseIds: ["SEC-1"] } });
    expect(changed(changed(untouched, { addCaseIds: ["SEC-1"] }), { removeCaseIds: ["SEC-1"] })).toMatchObject({ caseIds: [], state: "under_review" });
  });

  test("state and assignee in one write are one version", () => {
    expect(change(untouched, { state: "under_review", assignee: bob })).toMatchObject({ triage: { version: 2 }, steps: [{ action: "state_changed" }, { action: "assigned" }] });
  });
});

describe("whatever is asked for", () => {
  const anyChange = fc.record({
    state: fc.oneof(fc.constantFrom(...triageStates), fc.constant("nonsense"), fc.anything()), archiveReason: fc.oneof(fc.constantFrom(...archiveReasons), fc.anything()), archiveComment: fc.oneof(fc.string(), fc.anything()),
    assignee: fc.constantFrom(ann, bob, null), incidentIds: fc.oneof(fc.array(fc.nat(5)), fc.anything()), addCaseIds: fc.array(fc.constantFrom("SEC-1", "SEC-2")), version: fc.oneof(fc.nat(6), fc.anything()),
  }, { requiredKeys: [] });

  test("nothing throws, and what stands keeps together", () => {
    fc.assert(fc.property(fc.array(fc.tuple(anyChange, fc.nat(3)), { maxLength: 12 }), (changes) => {
      let triage = untouched;
      let nowMs = t1;
      let states = 0;
      for (const [what, days] of changes) {
        nowMs += days * day;
        const verdict = changedTriage(triage, t1, what, ann, nowMs);
        if (verdict.kind !== "changed") continue;
        expect(verdict.triage.version).toBe(triage.version + 1);
        expect(verdict.steps.length).toBeGreaterThan(0);
        if (verdict.triage.state !== triage.state) states++;
        triage = verdict.triage;
        expect(triageStates).toContain(triage.state);
        expect(archiveReasons).toContain(triage.archiveReason);
        if (triage.state !== "archived") expect([triage.archiveReason, triage.archiveComment, triage.archiveCommentBy]).toEqual(["none", "", undefined]);
        else expect(triage.lastArchivedMs).toBeDefined();
        if (triage.state === "under_review") expect(triage.firstUnderReviewMs).toBeDefined();
        expect(triage.stateUpdatedMs === undefined).toBe(states === 0);
      }
    }), { numRuns: 300, seed: 11 });
  });
});

describe("timings", () => {
  const signal = (triage: Partial<Triage>, firstSeenMs = t1 - 5000) => ({ firstSeenMs, createdMs: t1, triage: { ...untouched, ...triage } });

  test("from the log to the signal, to review, to the archive", () => {
    expect(timingsOf(signal({}))).toEqual({ timeToDetect: 5, timeToAcknowledge: null, timeToResolve: null, triageTime: null });
    expect(timingsOf(signal({ state: "archived", firstUnderReviewMs: t1 + 60_000, lastArchivedMs: t1 + 90_000 }))).toEqual({ timeToDetect: 5, timeToAcknowledge: 60, timeToResolve: 90, triageTime: 60 });
    // Archived without a review.
    expect(timingsOf(signal({ state: "archived", lastArchivedMs: t1 + 90_000 }))).toMatchObject({ timeToAcknowledge: null, timeToResolve: 90, triageTime: 90 });
    // Open again: it is not resolved.
    expect(timingsOf(signal({ state: "open", firstUnderReviewMs: t1 + 60_000, lastArchivedMs: t1 + 90_000 }))).toMatchObject({ timeToResolve: null, triageTime: 60 });
    // A clock that runs ahead.
    expect(timingsOf(signal({}, t1 + 9000)).timeToDetect).toBe(0);
  });

  test("the first review and the last archiving count", () => {
    const steps: Array<[TriageChange, number]> = [[{ state: "under_review" }, 10], [{ state: "archived" }, 20], [{ state: "open" }, 30], [{ state: "under_review" }, 40], [{ state: "archived" }, 50]];
    const triage = steps.reduce((before, [what, s]) => changed(before, what, t1 + s * 1000), untouched);
    expect(timingsOf({ firstSeenMs: t1, createdMs: t1, triage })).toEqual({ timeToDetect: 0, timeToAcknowledge: 10, timeToResolve: 50, triageTime: 10 });
  });

  test("means are of what came to pass within a span of time; of nothing there is none", () => {
    const signals = [signal({ state: "under_review", firstUnderReviewMs: t1 + 10_000 }), signal({ state: "archived", firstUnderReviewMs: t1 + 30_000, lastArchivedMs: t1 + day }, t1 - 1000)];
    expect(meanTimes(signals, t1, t1 + day)).toEqual({ detect: 3, acknowledge: 20, resolve: null });
    expect(meanTimes(signals, t1 + day, t1 + 2 * day)).toEqual({ detect: null, acknowledge: null, resolve: 86_400 });
    expect(meanTimes([], 0, Number.MAX_SAFE_INTEGER)).toEqual({ detect: null, acknowledge: null, resolve: null });
  });
});
