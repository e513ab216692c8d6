import { parentPort, workerData } from "node:worker_threads";
import { ProblemError } from "../problem.ts";
import type { FacetQuestion, KpiQuestion, PageQuestion, RollupQuestion } from "./answers.ts";
import type { EntitiesQuestion, EntityQuestion } from "./entity-rows.ts";
import { IndexKeeper } from "./keeper.ts";
import type { Question, Reply, WorkerSetup } from "./protocol.ts";

const port = parentPort!;
const keeper = new IndexKeeper(workerData as WorkerSetup);
/** Asked before the index was whole. */
const waiting: Question[] = [];
let isTidying = false;

port.on("message", (message: Question | "close") => {
  if (message === "close") {
    keeper.close();
    port.close();
  } else if (keeper.isWhole || message.kind === "status") reply(message);
  else waiting.push(message);
});
build();

function build(): void {
  keeper.read();
  if (!keeper.isWhole) {
    setImmediate(build);
    return;
  }
  for (const question of waiting.splice(0)) reply(question);
}

function reply(question: Question): void {
  const { number } = question;
  let answer: Reply;
  try {
    answer = { number, answer: answered(question) };
  } catch (error) {
    answer = error instanceof ProblemError ? { number, problems: error.problems } : { number, error: (error as Error).stack ?? String(error) };
  }
  port.postMessage(answer);
  if (!isTidying) tidy();
}

function answered({ kind, body }: Question): unknown {
  // What was committed before a question is in its answer, whether or not anybody told of it.
  if (kind !== "status") keeper.readAll();
  const { answers } = keeper;
  switch (kind) {
    case "page":
      return answers.page(body as PageQuestion);
    case "facets":
      return answers.facets(body as FacetQuestion);
    case "rollup":
      return answers.rollup(body as RollupQuestion);
    case "kpis":
      return answers.kpis(body as KpiQuestion);
    case "entities":
      return answers.risk.page(body as EntitiesQuestion);
    case "entity":
      return answers.risk.one(body as EntityQuestion);
    case "changed":
      return (body as { readonly ids: readonly string[] }).ids.length;
    case "gone":
      return keeper.remove((body as { readonly ids: readonly string[] }).ids);
    case "status":
      return keeper.status;
  }
}

function tidy(): void {
  isTidying = keeper.tidy();
  if (isTidying) setImmediate(tidy);
}
