import { pathToFileURL } from "node:url";
import { hasShared, readSharedJson } from "../support/shared.ts";
import { played, sharedLines } from "./aws-support.ts";

/**
 * What the shipped rules of AWS make of recorded attacks, of the quiet between them, and of another engine's labelled events.
 * `node test/content/aws-measure.ts` prints it.
 */
export const folders = { stratus: "data/cloudtrail-stratus", invictus: "data/cloudtrail-invictus", s3: "data/cloudtrail-otrf-s3-exfiltration", labelled: "data/labelled-panther" };
export const labelledFiles = [["aws_cloudtrail", "cloudtrail"], ["aws_guardduty", "guardduty"], ["aws_vpc_flow", "vpc"], ["aws_waf", "waf"], ["aws_s3", "s3"]] as const;

export interface Detonation {
  readonly technique: string;
  /** `rule/case/severity` of each signal. */
  readonly signals: readonly string[];
}

/** Each technique alone, on rules that have learned nothing. */
export async function detonations(): Promise<Detonation[]> {
  const lines = sharedLines(`${folders.stratus}/events.jsonl`);
  const techniques = readSharedJson<ReadonlyArray<{ readonly technique: string; readonly first_line: number; readonly events: number }>>(`${folders.stratus}/techniques.json`);
  const told: Detonation[] = [];
  for (const { technique, first_line, events } of techniques) {
    const signals = await played(lines.slice(first_line, first_line + events), "cloudtrail");
    told.push({ technique, signals: signals.map(({ ruleId, caseName, severity }) => `${ruleId}/${caseName}/${severity}`).sort() });
  }
  return told;
}

interface TrailRecord {
  readonly userAgent?: string;
  readonly userIdentity: { readonly arn?: string };
}

/**
 * Is the record outside the attacks? They are what the tool sent itself, and what its roles did: with the credentials it stole, no name
 * stands. What is left is Terraform setting up and taking down, people in the console, services, and a program that looks at buckets.
 */
function isQuiet({ userAgent, userIdentity }: TrailRecord): boolean {
  return !/^\[?stratus-red-team/.test(userAgent ?? "") && !userIdentity.arn?.includes(":assumed-role/stratus-red-team");
}

export interface Stream {
  readonly events: number;
  /** Signals by rule. */
  readonly rules: Readonly<Record<string, number>>;
}

async function stream(lines: readonly string[]): Promise<Stream> {
  const rules: Record<string, number> = {};
  for (const { ruleId } of await played(lines, "cloudtrail")) rules[ruleId] = (rules[ruleId] ?? 0) + 1;
  return { events: lines.length, rules: Object.fromEntries(Object.entries(rules).sort()) };
}

export async function attackStream(): Promise<{ readonly all: Stream; readonly quiet: Stream }> {
  const lines = sharedLines(`${folders.invictus}/events.jsonl.gz`);
  return { all: await stream(lines), quiet: await stream(lines.filter((line) => isQuiet(JSON.parse(line) as TrailRecord))) };
}

/** The person's part is quiet; the rest is credentials of a machine, taken through a proxy, reading a bucket. */
export async function exfiltration(): Promise<{ readonly attack: Stream; readonly quiet: Stream }> {
  const lines = sharedLines(`${folders.s3}/events.jsonl`);
  const isAttack = (line: string): boolean => /:assumed-role\/[^"]*\/i-/.test((JSON.parse(line) as TrailRecord).userIdentity.arn ?? "");
  return { attack: await stream(lines.filter(isAttack)), quiet: await stream(lines.filter((line) => !isAttack(line))) };
}

export interface Labelled {
  /** Events that must alert, and those of them that do. */
  readonly must: number;
  readonly told: number;
  /** Events that must not alert, and those that do all the same. */
  readonly mustNot: number;
  readonly wrong: number;
  /** By rule of the other engine, what was answered otherwise: `rule: test`. */
  readonly missed: readonly string[];
  readonly loud: readonly string[];
}

interface LabelledEvent {
  readonly rule: string;
  readonly test: string;
  readonly expected: boolean;
  readonly event: object;
}

/** Each event alone: what needs several can show nothing here. Any signal counts, of whatever rule. */
export async function labelled(file: string, source: string): Promise<Labelled> {
  const missed: string[] = [];
  const loud: string[] = [];
  let [must, mustNot] = [0, 0];
  for (const line of sharedLines(`${folders.labelled}/${file}_rules.jsonl.gz`)) {
    const { rule, test, expected, event } = JSON.parse(line) as LabelledEvent;
    const signals = await played([JSON.stringify(event)], source);
    if (expected) must++;
    else mustNot++;
    if (expected && !signals.length) missed.push(`${rule}: ${test}`);
    if (!expected && signals.length) loud.push(`${rule}: ${test} (${signals.map(({ ruleId }) => ruleId).join(" ")})`);
  }
  return { must, told: must - missed.length, mustNot, wrong: loud.length, missed, loud };
}

const percent = (part: number, whole: number): string => (whole ? `${((100 * part) / whole).toFixed(0)} %` : "-");

/** One line a source. */
export function labelledLine(file: string, { must, told, mustNot, wrong }: Labelled): string {
  return `${file}: recall ${percent(told, must)} (${told} of ${must}), precision ${percent(told, told + wrong)} (${told} of ${told + wrong}); ${wrong} of ${mustNot} that must not are told`;
}

async function print(): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (hasShared(folders.stratus)) {
    const told = await detonations();
    for (const { technique, signals } of told) say(`${technique}: ${signals.join(" ") || "nothing"}`);
    say(`${told.filter(({ signals }) => signals.length).length} of ${told.length} techniques told\n`);
  }
  if (hasShared(folders.invictus)) for (const [name, part] of Object.entries(await attackStream())) say(`invictus, ${name}: ${part.events} events, ${JSON.stringify(part.rules)}`);
  if (hasShared(folders.s3)) for (const [name, part] of Object.entries(await exfiltration())) say(`S3 exfiltration, ${name}: ${part.events} events, ${JSON.stringify(part.rules)}`);
  if (!hasShared(folders.labelled)) return;
  for (const [file, source] of labelledFiles) {
    const result = await labelled(file, source);
    say(labelledLine(file, result));
    for (const each of result.missed) say(`  missed ${each}`);
    for (const each of result.loud) say(`  told all the same ${each}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await print();
