import { changesBetween } from "../control/rules/changes.ts";
import { loadPacks } from "../packs.ts";
import { readPackSamples, type PackSample } from "./pack-samples.ts";
import { UsageError } from "./problems.ts";
import { cut, jsonLine, plural, safe, styled } from "./text.ts";

export interface PipelineTestOptions {
  readonly json?: boolean;
}

const SHOWN_CHARS = 160;

/** `vespid pipeline test`: what a pack's pipelines make of its samples, held against its golden events. Exit code 1 where they differ. */
export async function pipelineTest(names: readonly string[], { json }: PipelineTestOptions): Promise<number> {
  const packs = await loadPacks();
  const chosen = names.length ? names.map((name) => {
    const pack = packs.find((each) => each.name === name);
    if (!pack) throw new UsageError(`there is no pack ${safe(name)}; use one of ${packs.map((each) => each.name).join(" ")}`);
    return pack;
  }) : packs;
  let failed = 0;
  let total = 0;
  for (const pack of chosen) {
    const { samples: all, faults, unproved } = readPackSamples(pack);
    const samples = all.filter(({ golden }) => golden !== undefined);
    const wrong = samples.filter(({ isEqual }) => !isEqual);
    total += samples.length;
    failed += wrong.length + faults.length;
    if (json) {
      process.stdout.write(jsonLine({
        pack: pack.name, samples: samples.length, equal: samples.length - wrong.length, faults, not_held: unproved,
        differences: wrong.map((sample) => ({ file: sample.file, line: sample.line, text: sample.text, changes: changesOf(sample) })),
      }));
      continue;
    }
    const isGood = !wrong.length && !faults.length;
    process.stdout.write(`${styled(isGood ? "green" : "red", isGood ? "ok" : "FAILED")} ${safe(pack.name)}: ${samples.length ? `${samples.length - wrong.length} of ${plural(samples.length, "sample")} become their golden events` : pack.pipelines.length ? "no sample" : "no pipeline"}\n`);
    if (unproved.length) process.stdout.write(`  without golden events: ${unproved.map(safe).join(", ")}\n`);
    for (const fault of faults) process.stdout.write(`  ${safe(fault)}\n`);
    for (const sample of wrong) process.stdout.write(`${difference(sample)}\n`);
  }
  process.stderr.write(`${plural(chosen.length, "pack")}, ${plural(total, "sample")}${failed ? `, ${plural(failed, "fault")}` : ""}\n`);
  return failed ? 1 : 0;
}

/** From the golden event to what came. */
function changesOf({ golden, event }: PackSample) {
  return changesBetween((golden ?? {}) as Record<string, unknown>, (event ?? {}) as Record<string, unknown>);
}

function difference(sample: PackSample): string {
  const value = (of: unknown): string => cut(safe(JSON.stringify(of) ?? ""), SHOWN_CHARS);
  return [
    `  tests/${safe(sample.file)}:${sample.line}  ${cut(safe(sample.text), SHOWN_CHARS)}`,
    ...changesOf(sample).flatMap(({ path, before, after }) => [
      ...(before === undefined ? [] : [styled("red", `    - ${safe(path)}: ${value(before)}`)]), ...(after === undefined ? [] : [styled("green", `    + ${safe(path)}: ${value(after)}`)]),
    ]),
  ].join("\n");
}
