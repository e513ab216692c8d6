import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type Check, findingOf, readChecks, runChecks } from "../compliance/index.ts";
import type { IntakeSink } from "../intake/contract.ts";
import { findingLines } from "../intake/protocol/findings.ts";
import { contentFolder } from "../packs.ts";
import { ProblemError } from "../problem.ts";

const PARTITION = "\u0000host-checks";

/** Looks at this host as an Agent's folder asks for it, and hands what it finds to detection as any scanner would. */
export class HostChecks {
  readonly #checks: readonly Check[];
  readonly #root: string;
  readonly #host: string;
  readonly #sink: Pick<IntakeSink, "accept">;

  /** Throws a ProblemError where the checks that come along cannot be read. */
  constructor(root: string, host: string | undefined, sink: Pick<IntakeSink, "accept">) {
    const file = join(contentFolder(), "workload/checks/host.yaml");
    const { checks, problems } = readChecks(readFileSync(file, "utf8"), file);
    if (problems.length) throw new ProblemError(problems);
    this.#checks = checks;
    this.#root = root;
    this.#host = host ?? hostname();
    this.#sink = sink;
  }

  /** Checks that were handed over; undefined where they were refused for now. */
  async run(nowMs: number): Promise<number | undefined> {
    const findings = runChecks(this.#checks, this.#root).map((result) => findingOf(result, this.#host, nowMs));
    const bytes = findingLines(findings, nowMs);
    const refusal = await this.#sink.accept([{ profile: { format: "intake" }, bytes, arrivalMs: nowMs, partition: PARTITION }]);
    return refusal ? undefined : findings.length;
  }
}
