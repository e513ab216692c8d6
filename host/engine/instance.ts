import { isTextFormat } from "../event/decode.ts";
import { enrichmentOf } from "../event/enrichment/enrichment.ts";
import { appliedPipelines } from "../event/made.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { QueryNode } from "../query/tree.ts";
import type { DataSource } from "../rule/rule.ts";
import type { StandingQuery } from "../rule/standing.ts";
import { PlanKeys } from "./defaults.ts";
import { MEMORY_BYTES, REPAIR_BYTES, plansStart, slotArea } from "./geometry.ts";
import { hostImports } from "./imports.ts";
import type { Kernel, Variant } from "./kernel.ts";
import { Arena } from "./memory.ts";
import { type MadeEvents, makeEvents, originOf } from "./making.ts";
import { sourcesAsked } from "./pipelines/fold.ts";
import { UnsupportedPipeline } from "./pipelines/operation.ts";
import { type Parted, partedPipelines } from "./pipelines/parted.ts";
import { Plan, type PlanOutcome } from "./plan.ts";
import type { InputProfile, Task, TaskResult } from "./task.ts";
import { HostTexts } from "./text/host-texts.ts";
import { repairUtf8 } from "./utf8.ts";

export interface InstanceSetup {
  readonly variant: Variant;
  readonly standing: readonly StandingQuery[];
  readonly pipelines?: readonly Pipeline[];
  /** Are the events' own ids asked for? */
  readonly deduplicate?: boolean;
}

/** What a worker thread gets at its start. */
export interface WorkerSetup extends InstanceSetup {
  readonly slots: number;
  readonly memory?: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

const NEWLINE = 10;
const LINES_PER_RESULT = 1 << 16;

/** One WASM instance with its memory, and the plans of the inputs it has met. */
export class Instance {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly arena: Arena;
  readonly #setup: WorkerSetup;
  readonly #texts: HostTexts;
  readonly #keys: PlanKeys;
  /** By what inputs share; `undefined` where columns cannot follow its pipelines and events are made one by one. */
  readonly #plans = new Map<string, Plan | undefined>();
  /** The same without the pipelines that columns cannot follow, for batches that need none of these. */
  readonly #partly = new Map<string, Plan | undefined>();
  readonly #parted = new Map<string, Parted | undefined>();

  private constructor(memory: WebAssembly.Memory, kernel: Kernel, texts: HostTexts, setup: WorkerSetup) {
    this.memory = memory;
    this.kernel = kernel;
    this.#texts = texts;
    this.#setup = setup;
    this.#keys = new PlanKeys(sourcesAsked(setup.pipelines ?? []));
    this.arena = new Arena(memory, plansStart(setup.slots), memory.buffer.byteLength);
    kernel.tagSetup();
  }

  static async create(setup: WorkerSetup): Promise<Instance> {
    const pages = MEMORY_BYTES / 65536;
    const memory = setup.memory ?? new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const texts = new HostTexts();
    const instance = await WebAssembly.instantiate(setup.module, hostImports(memory, texts));
    return new Instance(memory, instance.exports as unknown as Kernel, texts, setup);
  }

  /** The plan of an input profile, compiled when first met; undefined when its events must be made on the host. */
  plan(profile: InputProfile): Plan | undefined {
    return this.#planOf(profile, "own");
  }

  #planOf(profile: InputProfile, ids: "own" | "made"): Plan | undefined {
    const { key: inputs, source } = this.#keys.of(profile, isTextFormat(profile.format));
    const key = this.#setup.deduplicate ? `${inputs} ${ids}` : inputs;
    if (!this.#plans.has(key)) this.#plans.set(key, this.#compile(profile, source, this.#setup.deduplicate ? ids : undefined));
    return this.#plans.get(key);
  }

  #compile(profile: InputProfile, source: string | undefined, ids: "own" | "made" | undefined): Plan | undefined {
    try {
      return new Plan(this.kernel, this.arena, this.#texts, {
        ids, format: profile.format, source, standing: askingAbout(profile, this.#setup.standing), pipelines: appliedPipelines(this.#setup.pipelines ?? [], profile),
        enrichment: enrichmentOf(this.#setup.pipelines ?? []),
      });
    } catch (error) {
      if (error instanceof UnsupportedPipeline) return undefined;
      throw error;
    }
  }

  /** Undefined where a batch's events cannot be told from those that need a pipeline columns cannot follow. */
  #planPartly(profile: InputProfile): Plan | undefined {
    if (this.#setup.deduplicate) return undefined;
    const { key } = this.#keys.of(profile, isTextFormat(profile.format));
    if (!this.#partly.has(key)) this.#partly.set(key, this.#compilePartly(profile));
    return this.#partly.get(key);
  }

  #compilePartly(profile: InputProfile): Plan | undefined {
    const standing = askingAbout(profile, this.#setup.standing);
    const applied = appliedPipelines(this.#setup.pipelines ?? [], profile);
    const key = JSON.stringify([profile.pipelines ?? null, profile.dataSource ?? null, profile.isForeign ?? false]);
    if (!this.#parted.has(key)) this.#parted.set(key, partedPipelines(applied, standing));
    const parted = this.#parted.get(key);
    if (!parted) return undefined;
    try {
      return new Plan(this.kernel, this.arena, this.#texts, {
        ids: undefined, format: profile.format, source: undefined, standing: [...standing, guardQuery(parted.guard, standing.length)], pipelines: parted.followed,
        enrichment: enrichmentOf(this.#setup.pipelines ?? []),
      });
    } catch (error) {
      if (error instanceof UnsupportedPipeline) return undefined;
      throw error;
    }
  }

  run(task: Task): TaskResult {
    this.#texts.arrivalMs = task.arrivalMs;
    return this.#runColumns(task) ?? this.#runMade(task);
  }

  /** Undefined when the bytes hold what columns cannot be read from. */
  #runColumns(task: Task): TaskResult | undefined {
    const plan = this.plan(task.profile);
    if (plan) return this.#runPlan(task, plan);
    const partly = this.#planPartly(task.profile);
    const result = partly && this.#runPlan(task, partly);
    return result && !this.#isGuarded(task, result.matches) ? result : undefined;
  }

  /** Does any event pass a pipeline that the plan has left out? */
  #isGuarded(task: Task, matches: number): boolean {
    const { standing } = slotArea(task.slot).results;
    const guard = this.#setup.standing.length;
    return this.arena.u32.subarray(standing >>> 2, (standing >>> 2) + matches).includes(guard);
  }

  #runPlan(task: Task, plan: Plan): TaskResult | undefined {
    const slowBefore = plan.slowRows;
    const area = slotArea(task.slot);
    const u8 = this.arena.u8;
    let start = task.start;
    let length = task.length;
    let repaired = 0;
    if (!this.kernel.validateUtf8(start, start + length)) {
      const text = repairUtf8(u8.subarray(start, start + length));
      repaired = text.repairedLines;
      u8.set(text.bytes, area.repair);
      start = area.repair;
      length = text.bytes.length;
    }
    const outcome = plan.run(start, length, task.profile, task.arrivalMs, area.results);
    if (outcome.records) return undefined;
    const consumed = repaired ? this.#originalOffset(task, start, outcome.consumed, length) : outcome.consumed;
    return { ...resultOf(outcome, plan, consumed), repairedUtf8: repaired, slowRows: plan.slowRows - slowBefore };
  }

  /** Events are made of the records by their pipelines, one by one, and read again as envelopes. */
  #runMade(task: Task): TaskResult {
    const { clampAheadMs, dataSource, isForeign } = task.profile;
    const profile: InputProfile = { ...madeProfile, clampAheadMs, dataSource, isForeign };
    const plan = this.#planOf(profile, "made")!;
    const area = slotArea(task.slot);
    const u8 = this.arena.u8;
    const made = makeEvents(u8.slice(task.start, task.start + task.length), task.profile, {
      pipelines: this.#setup.pipelines ?? [], arrivalMs: task.arrivalMs, room: REPAIR_BYTES, withIds: this.#setup.deduplicate === true,
    });
    u8.set(made.bytes, area.repair);
    const outcome = plan.run(area.repair, made.bytes.length, profile, task.arrivalMs, area.results);
    this.#nameOriginals(task, made, plan.matches, outcome);
    const whole = outcome.consumed >= made.bytes.length;
    const consumed = whole ? made.consumed : this.#originalOffset(task, area.repair, outcome.consumed, made.bytes.length);
    for (const record of made.tooLarge) outcome.malformed.push({ reason: "too-large", start: task.start + record.start, length: record.length });
    return { ...resultOf(outcome, plan, consumed), repairedUtf8: made.repairedLines, slowRows: outcome.events };
  }

  /** Events and refused lines are known by the bytes they were made of. */
  #nameOriginals(task: Task, made: MadeEvents, matches: number, outcome: PlanOutcome): void {
    const { repair, results } = slotArea(task.slot);
    const { u32 } = this.arena;
    const starts = results.eventStart >>> 2;
    const lengths = results.eventLength >>> 2;
    for (let i = 0; i < matches; i++) {
      const origin = originOf(made, u32[starts + i]! - repair);
      u32[starts + i] = task.start + origin.start;
      u32[lengths + i] = origin.length;
    }
    outcome.malformed.forEach((bad, i) => {
      const origin = originOf(made, bad.start - repair);
      outcome.malformed[i] = { reason: bad.reason, start: task.start + origin.start, length: origin.length };
    });
  }

  /** Where in the bytes as received the same number of lines ends. */
  #originalOffset(task: Task, repairedStart: number, consumed: number, repairedLength: number): number {
    if (consumed >= repairedLength) return task.length;
    const u8 = this.arena.u8;
    let lines = 0;
    for (let i = repairedStart; i < repairedStart + consumed; i++) if (u8[i] === NEWLINE) lines++;
    let at = task.start;
    while (lines > 0) if (u8[at++] === NEWLINE) lines--;
    return at - task.start;
  }
}

/** The same queries, those that ask about something else matching nothing. */
function askingAbout({ dataSource, isForeign }: InputProfile, standing: readonly StandingQuery[]): readonly StandingQuery[] {
  const isAsked = (source: DataSource | undefined): boolean => source === undefined || (dataSource === undefined ? !(isForeign && source === "audit") : source === dataSource);
  return standing.every((query) => isAsked(query.dataSource)) ? standing : standing.map((query) => (isAsked(query.dataSource) ? query : { ...query, query: nothing }));
}

/** Behind all others, so that these keep their numbers; nobody counts what it finds. */
function guardQuery(query: QueryNode, id: number): StandingQuery {
  return { id, ruleIndex: id, queryIndex: 0, query, groupBy: [], optionalGroupBy: false, aggregation: "count", distinct: [] };
}

const nowhere = { start: 0, end: 0 };
const nothing: QueryNode = { kind: "not", node: { kind: "all", span: nowhere }, span: nowhere };

/** What is made on the host is an envelope already. */
const madeProfile: InputProfile = { format: "log" };

function resultOf(outcome: PlanOutcome, plan: Plan, consumed: number): Omit<TaskResult, "repairedUtf8" | "slowRows"> {
  return {
    consumed, events: outcome.events, matches: plan.matches, highMs: outcome.highMs, withoutTime: outcome.withoutTime, clamped: outcome.clamped,
    malformed: outcome.malformed.slice(0, LINES_PER_RESULT), malformedCount: outcome.malformed.length,
  };
}
