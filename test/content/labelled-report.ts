import { pathToFileURL } from "node:url";
import { judged, type Judged } from "./labelled-judge.ts";
import { reasons } from "./labelled-reasons.ts";
import { labelledSets, type Case, type LabelledSet } from "./labelled-sets.ts";

/**
 * What the shipped rules make of events that others have labelled, per set: `npm run labelled [-- --json] [-- <part of a set's name>]`.
 */
export const definitions = [
  "Each event (or recording) comes alone, to all shipped rules and pipelines, in a fresh engine that has learned nothing.",
  "Told: at least one signal, of any rule and any severity, info included: nothing in the product keeps info from being seen or sent.",
  "Precision, strict: of what is told, the part labelled so. A must-not of one of their rules that another of theirs would tell counts against us.",
  "Precision, same behaviour: a must-not counts only where a rule of ours tells it that also tells a must of the same rule of theirs.",
  "Counted on: of what is missed, events that a rule of ours counts, and tells when more of them come.",
  "Left out: the label hangs on a look-up that is not in the event, or the event is of a format or source no pack reads.",
] as const;

/** An event answered otherwise than labelled. */
export interface Odd {
  readonly theirs: string;
  readonly test: string;
  /** Of what is told, by which of ours and how severe; of what is missed, rules that wait for more. */
  readonly by: readonly string[];
  readonly why: string;
}

export interface Row {
  readonly name: string;
  readonly pack: string;
  readonly must: number;
  readonly told: number;
  readonly counted: number;
  readonly mustNot: number;
  readonly wrong: number;
  /** Of `wrong`, those of the same behaviour. */
  readonly same: number;
  readonly leftOut: number;
  /** Events without a label, and those of them that are told. */
  readonly unlabelled: number;
  readonly unlabelledTold: number;
  readonly missed: readonly Odd[];
  readonly falsely: readonly Odd[];
  readonly shown: readonly Odd[];
}

type Answered = Case & Judged;

export async function scored(set: LabelledSet): Promise<Row> {
  const answered: Answered[] = [];
  for (const each of set.cases) answered.push({ ...each, ...(await judged(each.lines, each.sent)) });
  const of = (expected: boolean | undefined): Answered[] => answered.filter((each) => each.expected === expected);
  const isTold = ({ told }: Answered): boolean => told.length > 0;
  const must = of(true);
  /** Ours that tell what theirs must tell, by theirs. */
  const counterparts = Map.groupBy(must.flatMap(({ theirs, told }) => told.map(({ rule }) => ({ theirs, rule }))), ({ theirs }) => theirs);
  const isSame = ({ theirs, told }: Answered): boolean => told.some(({ rule }) => counterparts.get(theirs)?.some((each) => each.rule === rule));
  const odd = (each: Answered, why: string): Odd => ({ theirs: each.theirs, test: each.test, by: each.told.length ? each.told.map(({ rule, severity }) => `${rule} ${severity}`) : each.waiting, why });
  const missed = must.filter((each) => !isTold(each));
  const wrong = of(false).filter(isTold);
  return {
    name: set.name, pack: set.pack ?? "none", leftOut: set.leftOut,
    must: must.length, told: must.length - missed.length, counted: missed.filter(({ waiting }) => waiting.length).length,
    mustNot: of(false).length, wrong: wrong.length, same: wrong.filter(isSame).length,
    unlabelled: of(undefined).length, unlabelledTold: of(undefined).filter(isTold).length,
    missed: missed.map((each) => odd(each, set.why ?? reasons[each.theirs] ?? (each.waiting.length ? "counted, and told when more come" : "no rule of ours looks for it"))),
    falsely: wrong.map((each) => odd(each, isSame(each) ? (reasons[each.theirs] ?? "the same behaviour, an exception of theirs that ours does not make") : "another behaviour than their rule's")),
    shown: of(undefined).filter(isTold).map((each) => odd(each, "")),
  };
}

/** Counts of several rows together. */
export function together(name: string, rows: readonly Row[]): Row {
  const sum = (pick: (row: Row) => number): number => rows.reduce((all, row) => all + pick(row), 0);
  return {
    name, pack: "", must: sum(({ must }) => must), told: sum(({ told }) => told), counted: sum(({ counted }) => counted), mustNot: sum(({ mustNot }) => mustNot), wrong: sum(({ wrong }) => wrong), same: sum(({ same }) => same),
    leftOut: sum(({ leftOut }) => leftOut), unlabelled: sum(({ unlabelled }) => unlabelled), unlabelledTold: sum(({ unlabelledTold }) => unlabelledTold), missed: [], falsely: [], shown: [],
  };
}

const percent = (part: number, whole: number): string => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "-");

function tableLine(cells: readonly string[]): string {
  const [name = "", ...rest] = cells;
  return `${name.padEnd(44)}${rest.map((cell) => cell.padStart(10)).join("")}`;
}

const heads = ["must", "told", "recall", "counted", "must not", "told", "strict", "same told", "same", "left out"];

/** Without an event that must not be told there is no precision. */
function rowLine({ name, must, told, counted, mustNot, wrong, same, leftOut, unlabelled, unlabelledTold }: Row): string {
  const precision = (errors: number): string => (mustNot ? percent(told, told + errors) : "-");
  const cells = unlabelled ? ["-", `${unlabelledTold}/${unlabelled}`, "-", "-", "-", "-", "-", "-", "-"] : [must, told, percent(told, must), counted, mustNot, wrong, precision(wrong), same, precision(same)].map(String);
  return tableLine([name.replace("_rules.jsonl.gz", ""), ...cells, String(leftOut)]);
}

function oddLine({ theirs, test, by, why }: Odd): string {
  return `    ${theirs}: ${test}${by.length ? ` [${by.join(", ")}]` : ""}${why && ` - ${why}`}`;
}

/** The rows as a person reads them. */
export function reportText(rows: readonly Row[], absent: readonly string[]): string {
  const shipped = rows.filter(({ name }) => name.startsWith("labelled-panther/"));
  const details = rows.flatMap((row) => [
    ...(row.missed.length ? [`${row.name}: missed`, ...row.missed.map(oddLine)] : []),
    ...(row.falsely.length ? [`${row.name}: told, and labelled not to be`, ...row.falsely.map(oddLine)] : []),
    ...(row.shown.length ? [`${row.name}: told, without a label`, ...row.shown.map(oddLine)] : []),
  ]);
  return [
    ...definitions, "", tableLine(["set", ...heads]), ...rows.map(rowLine), ...(shipped.length ? [rowLine(together("labelled-panther, sources of shipped packs", shipped))] : []),
    ...(absent.length ? ["", `skipped, for their data is not here: ${absent.join(", ")}`] : []), "", ...details,
  ].join("\n");
}

async function print(args: readonly string[]): Promise<void> {
  const part = args.find((each) => !each.startsWith("--")) ?? "";
  const sets = labelledSets().filter(({ name }) => name.includes(part));
  const absent = sets.filter(({ read }) => read === "absent").map(({ name }) => name);
  const rows: Row[] = [];
  for (const { read } of sets) if (read !== "absent") rows.push(await scored(read()));
  process.stdout.write(args.includes("--json") ? `${JSON.stringify({ definitions, sets: rows, absent }, null, 2)}\n` : `${reportText(rows, absent)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await print(process.argv.slice(2));
