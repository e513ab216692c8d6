import { jsonLine, safe, styled } from "../text.ts";
import { TrialServer } from "./server.ts";
import { NotHere, StepFault, steps } from "./verify-steps.ts";

export interface VerifyOptions {
  readonly json?: boolean;
}

interface Outcome {
  readonly step: number;
  readonly what: string;
  readonly outcome: "pass" | "fail" | "not_here";
  readonly detail: string;
}

const shown = { pass: ["green", "PASS"], fail: ["red", "FAIL"], not_here: ["yellow", "----"] } as const;

/**
 * `vespid verify`: the checklist of what is to work end to end, tried on a whole server of its own, with made logs.
 *
 * Exit code 1 when something does not.
 */
export async function verify(options: VerifyOptions): Promise<number> {
  const server = await TrialServer.start(() => ({}));
  const outcomes: Outcome[] = [];
  let faults: readonly unknown[] = [];
  const tell = (outcome: Outcome): void => {
    outcomes.push(outcome);
    const [style, word] = shown[outcome.outcome];
    process.stdout.write(options.json ? jsonLine(outcome) : `${styled(style, word)}  ${String(outcome.step).padStart(2)}  ${outcome.what}: ${safe(outcome.detail)}\n`);
  };
  try {
    for (const [i, { what, run }] of steps.entries()) tell(await tried(i + 1, what, () => run(server)));
  } finally {
    faults = await server.close();
  }
  for (const fault of faults) process.stderr.write(`${styled("red", "fault", process.stderr)}: ${safe(String((fault as Error)?.message ?? fault))}\n`);
  const count = (of: Outcome["outcome"]): number => outcomes.filter(({ outcome }) => outcome === of).length;
  const summary = `${count("pass")} of ${outcomes.length} pass${count("fail") ? `, ${count("fail")} do not` : ""}${count("not_here") ? `, ${count("not_here")} not here yet` : ""}\n`;
  (options.json ? process.stderr : process.stdout).write(summary);
  return count("fail") || faults.length ? 1 : 0;
}

async function tried(step: number, what: string, run: () => Promise<string>): Promise<Outcome> {
  try {
    return { step, what, outcome: "pass", detail: await run() };
  } catch (error) {
    if (error instanceof NotHere) return { step, what, outcome: "not_here", detail: error.message };
    return { step, what, outcome: "fail", detail: error instanceof StepFault ? error.message : String((error as Error).stack ?? error) };
  }
}
