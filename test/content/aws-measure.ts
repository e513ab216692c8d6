import { pathToFileURL } from "node:url";
import { hasShared, readSharedJson } from "../support/shared.ts";
import { played, sharedLines } from "./aws-support.ts";

/**
 * What the shipped rules of AWS make of recorded attacks, and of the quiet between them; labelled-report.ts has labelled events.
 * `node test/content/aws-measure.ts` prints it.
 */
export const folders = { stratus: "data/cloudtrail-stratus", invictus: "data/cloudtrail-invictus", s3: "data/cloudtrail-otrf-s3-exfiltration" };

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

async function print(): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (hasShared(folders.stratus)) {
    const told = await detonations();
    for (const { technique, signals } of told) say(`${technique}: ${signals.join(" ") || "nothing"}`);
    say(`${told.filter(({ signals }) => signals.length).length} of ${told.length} techniques told\n`);
  }
  if (hasShared(folders.invictus)) for (const [name, part] of Object.entries(await attackStream())) say(`invictus, ${name}: ${part.events} events, ${JSON.stringify(part.rules)}`);
  if (hasShared(folders.s3)) for (const [name, part] of Object.entries(await exfiltration())) say(`S3 exfiltration, ${name}: ${part.events} events, ${JSON.stringify(part.rules)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await print();
