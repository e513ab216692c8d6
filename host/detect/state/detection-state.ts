import type { Rule } from "../../rule/rule.ts";
import type { Detector } from "../detector.ts";
import type { MethodDetector } from "../method/method.ts";
import { StateFault } from "./bytes.ts";
import { fingerprintsOf, sameBytes } from "./fingerprint.ts";
import {
  SECTION_CONTENT, SECTION_ENGINE, SECTION_METHOD, SECTION_RECENT, SECTION_WINDOWS, type StateFile, type StateSection, damaged, packed, sectionName, unpacked,
} from "./format.ts";
import type { WindowClock } from "./window-state.ts";

/** What of a saved state was not taken up, and why. */
export interface DroppedState {
  readonly ruleId: string;
  /** Kind of the section: `windows`, `method`, `content`, `signals`. */
  readonly kind: string;
  /** Groups or signals that were in it. */
  readonly items: number;
  /** `unfit`: the rule is the same, but its state means something else by now; `memory`: only some found no room. */
  readonly reason: "gone" | "changed" | "unfit" | "memory";
  /** One sentence. */
  readonly detail: string;
}

/** What detection knows that is no rule's alone. Numbers that JSON has no word for are texts. */
interface CommonState {
  readonly seed: string;
  readonly clock: { readonly [name in keyof WindowClock]: number | string };
  readonly streams: ReadonlyArray<readonly [name: string, highMs: number | string, rows: number, arrivalMs: number | string, isIdle: boolean]>;
  readonly toldMs: number | string;
  readonly lateContent: number;
}

function written(number: number): number | string {
  return Number.isFinite(number) ? number : String(number);
}

/** By number of the rule: state of equal rules goes to them in their order. */
export class RuleKeys {
  readonly fingerprints: readonly Uint8Array[];
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.fingerprints = fingerprintsOf(rules);
  }

  /** Of the rules' key hashes; equal rules differ. */
  get salts(): number[] {
    const seen = new Map<number, number>();
    return this.fingerprints.map((fingerprint) => {
      const salt = Buffer.from(fingerprint).readUInt32LE(0);
      const times = seen.get(salt) ?? 0;
      seen.set(salt, times + 1);
      return (salt + times) >>> 0;
    });
  }

  ofRule(index: number): { readonly id: string; readonly fingerprint: Uint8Array } {
    return { id: this.#rules[index]!.id, fingerprint: this.fingerprints[index]! };
  }

  indexOf(id: string, fingerprint: string): number | undefined {
    const index = this.#rules.findIndex((rule, i) => rule.id === id && Buffer.from(this.fingerprints[i]!).toString("hex") === fingerprint);
    return index < 0 ? undefined : index;
  }

  /** Hands each section to the rule it is of; answers what has none. */
  match(sections: readonly StateSection[], take: (section: StateSection, ruleIndex: number) => void): DroppedState[] {
    const taken = new Set<string>();
    const dropped: DroppedState[] = [];
    for (const section of sections) {
      if (!section.rule) continue;
      const { id, fingerprint } = section.rule;
      const index = this.#rules.findIndex((rule, i) => rule.id === id && sameBytes(this.fingerprints[i]!, fingerprint) && !taken.has(`${section.kind} ${i}`));
      if (index >= 0) {
        taken.add(`${section.kind} ${index}`);
        take(section, index);
        continue;
      }
      const isThere = this.#rules.some((rule) => rule.id === id);
      dropped.push({
        ruleId: id, kind: sectionName(section.kind), items: section.items, reason: isThere ? "changed" : "gone",
        detail: isThere ? "what the rule detects has changed" : "the rule is not there any more",
      });
    }
    return dropped;
  }
}

/** The detector of a rule whose events are not logs, by number of the rule. */
export type OtherDetectors = (ruleIndex: number) => MethodDetector | undefined;

/** Sections of all that a detector knows. Between batches. */
export function saveDetection(detector: Detector, keys: RuleKeys, ruleCount: number, others?: OtherDetectors): StateSection[] {
  const clock = detector.windows.clock();
  const streams = detector.streams.entries();
  const common: CommonState = {
    seed: detector.seed.toString(16),
    clock: Object.fromEntries(Object.entries(clock).map(([name, number]) => [name, written(number as number)])) as unknown as CommonState["clock"],
    streams: streams.map(([name, highMs, rows, arrivalMs, isIdle]) => [name, written(highMs), rows, written(arrivalMs), isIdle]),
    toldMs: written(detector.methods?.toldMs ?? Number.NEGATIVE_INFINITY),
    lateContent: detector.content?.lateDropped ?? 0,
  };
  const recent = detector.recent.save();
  const sections: StateSection[] = [
    { kind: SECTION_ENGINE, items: streams.length, body: Buffer.from(JSON.stringify(common)) },
    { kind: SECTION_RECENT, items: recent.events, body: recent.bytes },
  ];
  for (let i = 0; i < ruleCount; i++) {
    const rule = keys.ofRule(i);
    const windows = detector.windows.save(i);
    if (windows) sections.push({ kind: SECTION_WINDOWS, items: windows.groups, body: windows.bytes, rule });
    const method = detector.methods?.detector(i) ?? others?.(i);
    if (method) sections.push({ kind: SECTION_METHOD, items: method.counts().groups, body: method.save(), rule });
    const judge = detector.content?.judge(i);
    if (judge) sections.push({ kind: SECTION_CONTENT, items: judge.counts().groups, ...packed(judge.save()), rule });
  }
  return sections;
}

/** The seed that saved groups were kept under. */
export function seedOf(file: StateFile): bigint {
  return BigInt(`0x${commonOf(file).seed}`);
}

/** Puts a saved state into a detector that has seen nothing and was made with its seed; what was not taken up. */
export function restoreDetection(detector: Detector, keys: RuleKeys, file: StateFile, others?: OtherDetectors): DroppedState[] {
  const common = commonOf(file);
  const recent = file.sections.find((section) => section.kind === SECTION_RECENT);
  if (!recent) throw damaged("no recent events");
  try {
    detector.recent.restore(recent.body);
  } catch (error) {
    if (error instanceof StateFault) throw damaged("recent events");
    throw error;
  }
  detector.streams.restore(common.streams.map(([name, highMs, rows, arrivalMs, isIdle]) => [name, Number(highMs), rows, Number(arrivalMs), isIdle]));
  if (detector.methods) detector.methods.toldMs = Number(common.toldMs);
  if (detector.content) detector.content.lateDropped = common.lateContent;
  const dropped: DroppedState[] = [];
  const kinds: readonly number[] = [SECTION_WINDOWS, SECTION_METHOD, SECTION_CONTENT];
  const strays = keys.match(file.sections.filter((section) => kinds.includes(section.kind)), (section, i) => {
    const fault = restoreRule(detector, section, i, others);
    if (fault) dropped.push({ ruleId: section.rule!.id, kind: sectionName(section.kind), ...fault });
  });
  detector.windows.setClock(Object.fromEntries(Object.entries(common.clock).map(([name, number]) => [name, Number(number)])) as unknown as WindowClock);
  return [...strays, ...dropped];
}

function restoreRule(detector: Detector, section: StateSection, ruleIndex: number, others: OtherDetectors | undefined): Pick<DroppedState, "items" | "reason" | "detail"> | undefined {
  const { kind, items } = section;
  if (kind === SECTION_WINDOWS) {
    const outcome = detector.windows.restore(ruleIndex, unpacked(section));
    if (typeof outcome === "string") return { items, reason: "unfit", detail: outcome };
    return outcome.lost ? { items: outcome.lost, reason: "memory", detail: "these groups found no memory" } : undefined;
  }
  const owner = kind === SECTION_METHOD ? (detector.methods?.detector(ruleIndex) ?? others?.(ruleIndex)) : detector.content?.judge(ruleIndex);
  const fault = owner ? owner.restore(unpacked(section)) : "the rule is not run any more";
  return fault === undefined ? undefined : { items, reason: "unfit", detail: fault };
}

function commonOf(file: StateFile): CommonState {
  const section = file.sections.find((each) => each.kind === SECTION_ENGINE);
  if (!section) throw damaged("no engine section");
  try {
    const common = JSON.parse(Buffer.from(section.body).toString("utf8")) as CommonState;
    if (!/^[0-9a-f]{1,16}$/.test(common.seed) || !Array.isArray(common.streams) || typeof common.clock !== "object") throw damaged("engine section");
    return common;
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged("engine section");
    throw error;
  }
}
