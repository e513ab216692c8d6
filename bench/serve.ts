// T9: a served log, from the socket to its judgement, beside what one would write without this project; then how soon a signal follows
// its log under load, and what becomes of what is too much. Servers are processes of their own; Linux, for it tells what each took.
//   npm run bench -- --serve [--short]
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { bodyCost } from "./intake-cost.ts";
import { median, pairedRatio } from "./paired.ts";
import { benchRules } from "./rules.ts";
import { type LoadRequest, Sender, requestOf, requestsOf, sendAll } from "./serve-load.ts";
import { type ServerProcess, startProgram, startVespid } from "./serve-process.ts";

const short = process.argv.includes("--short");
const RULES = 100;
const ROUNDS = short ? 3 : 9;
const CONNECTIONS = 8;
const BODY_BYTES = 256 * 1024;
/** Requests of one measurement; the plain program takes so much longer that a part of them does. */
const REQUESTS = short ? 200 : 600;
const NAIVE_REQUESTS = REQUESTS / 8;
const LOAD_SECONDS = short ? 4 : 20;
const OVERLOAD_SENDERS = 384;
const HELD_BYTES = 16 * 1024 * 1024;
const MEMORY_FILE_SYSTEM = "/dev/shm";

interface Measured {
  readonly name: string;
  readonly server: ServerProcess;
  readonly senders: readonly Sender[];
  readonly requests: number;
  readonly nsPerEvent: number[];
}

async function openSenders(port: number, count: number): Promise<Sender[]> {
  return Promise.all(Array.from({ length: count }, () => Sender.open(port)));
}

async function countOf(server: ServerProcess, name: string): Promise<number> {
  return (await server.metrics()).get(`vespid_${name}`) ?? Number.NaN;
}

/** CPU of a server an event, in turn with the others. */
async function measureOnce({ server, senders, requests, nsPerEvent }: Measured, work: readonly LoadRequest[]): Promise<void> {
  const before = server.cpuNs();
  const events = await sendAll(senders, work, (sent) => sent >= requests);
  nsPerEvent.push((server.cpuNs() - before) / events);
}

async function costs(folder: string): Promise<Array<{ readonly name: string; readonly nsPerEvent: number; readonly ratio: number }>> {
  const work = requestsOf(BODY_BYTES, 64);
  const rules = benchRules(RULES);
  const all: Measured[] = [];
  const add = async (name: string, server: ServerProcess, requests = REQUESTS): Promise<void> => {
    all.push({ name, server, senders: await openSenders(server.port, CONNECTIONS), requests, nsPerEvent: [] });
  };
  await add("node:http, JSON.parse, closures", await startProgram("serve-naive.ts", RULES), NAIVE_REQUESTS);
  await add("vespid serve", await startVespid(join(folder, "disk"), rules, { workers: 0 }));
  await add("vespid serve, journal.compression: none", await startVespid(join(folder, "plain"), rules, { workers: 0, journal: { compression: "none" } }));
  const inMemory = existsSync(MEMORY_FILE_SYSTEM) ? mkdtempSync(join(MEMORY_FILE_SYSTEM, "vespid-bench-")) : undefined;
  if (inMemory) await add("vespid serve, journal in memory: syncs cost nothing", await startVespid(join(inMemory, "data"), rules, { workers: 0 }));
  await add("the same without journal and store", await startProgram("serve-bare.ts", RULES));
  await add("vespid serve, detection on a thread of its own", await startVespid(join(folder, "threads"), rules, { workers: 1 }));
  try {
    // All see the same logs once, and must find the same in them; that warms them up too.
    const found = [];
    for (const { server, senders } of all) {
      await sendAll(senders, work, (sent) => sent >= work.length);
      while ((await countOf(server, "events_total")) < work.reduce((sum, { events }) => sum + events, 0)) await sleep(20);
      found.push(`${await countOf(server, "events_total")} events, ${await countOf(server, "matches_total")} matches`);
    }
    if (new Set(found).size > 1) throw new Error(`the servers disagree: ${found.join("; ")}`);
    for (let round = 0; round < ROUNDS; round++) for (const each of all) await measureOnce(each, work);
    const naive = all[0]!.nsPerEvent;
    return all.map(({ name, nsPerEvent }) => ({ name, nsPerEvent: Math.round(median(nsPerEvent)), ratio: Number(pairedRatio(naive, nsPerEvent).toFixed(2)) }));
  } finally {
    for (const { server, senders } of all) {
      for (const sender of senders) sender.close();
      await server.stop();
    }
    if (inMemory) rmSync(inMemory, { recursive: true });
  }
}

/** Milliseconds from sending a marked event to its signal, logs coming at `eventsPerSecond`. */
async function signalDelays(server: ServerProcess, eventsPerSecond: number, work: readonly LoadRequest[]): Promise<{ readonly delays: number[]; readonly events: number; readonly reached: number }> {
  const senders = await openSenders(server.port, 64);
  const idle = [...senders];
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  server.onLine = (line) => {
    const mark = /"@marked":"(\w+)"/.exec(line)?.[1];
    const at = mark === undefined ? undefined : sentAt.get(mark);
    if (at === undefined) return;
    delays.push(performance.now() - at);
    sentAt.delete(mark!);
  };
  const marked = (nr: number): LoadRequest => requestOf([`{"marked":"m${nr}","timestamp":${Date.parse("2026-01-10T00:00:30Z") + nr}}`]);
  const start = performance.now();
  let due = start;
  let events = 0;
  let marks = 0;
  const underWay: Promise<void>[] = [];
  const take = async (): Promise<Sender> => {
    while (!idle.length) await sleep(1);
    return idle.pop()!;
  };
  const send = async (sender: Sender, request: LoadRequest): Promise<void> => {
    const status = await sender.send(request.bytes);
    if (status !== 202) throw new Error(`the server answers ${status} below its capacity`);
    events += request.events;
    idle.push(sender);
  };
  for (let i = 0; performance.now() - start < LOAD_SECONDS * 1000; i++) {
    const request = work[i % work.length]!;
    due += (request.events / eventsPerSecond) * 1000;
    const early = due - performance.now();
    await (early > 1 ? sleep(early) : nextTurn());
    underWay.push(send(await take(), request));
    if (i % 4) continue;
    const mark = marked(++marks);
    sentAt.set(`m${marks}`, performance.now());
    underWay.push(send(await take(), mark));
  }
  await Promise.all(underWay);
  const reached = events / ((performance.now() - start) / 1000) / eventsPerSecond;
  for (let waits = 0; sentAt.size && waits < 500; waits++) await sleep(10);
  if (sentAt.size) throw new Error(`${sentAt.size} of ${marks} signals never came`);
  for (const sender of senders) sender.close();
  return { delays: delays.toSorted((a, b) => a - b), events, reached };
}

interface Overload {
  readonly offered: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly attempted: number;
  readonly peakRssMb: number;
}

/** As many senders as can be, each sending again at once whatever it is told. */
async function overload(server: ServerProcess, capacity: number, work: readonly LoadRequest[]): Promise<Overload> {
  const senders = await openSenders(server.port, OVERLOAD_SENDERS);
  const start = performance.now();
  let sent = 0;
  let acknowledged = 0;
  let attempted = 0;
  let refused = 0;
  await Promise.all(senders.map(async (sender) => {
    while (performance.now() - start < LOAD_SECONDS * 1000) {
      const request = work[sent++ % work.length]!;
      const status = await sender.send(request.bytes);
      attempted += request.events;
      if (status === 202) acknowledged += request.events;
      else if (status === 429) refused += request.events;
      else throw new Error(`the server answers ${status}`);
    }
  }));
  const offered = attempted / ((performance.now() - start) / 1000) / capacity;
  for (const sender of senders) sender.close();
  return { offered, acknowledged, refused, attempted, peakRssMb: server.peakRssBytes() / 1e6 };
}

async function underLoad(folder: string): Promise<Record<string, number | boolean>> {
  const work = requestsOf(64 * 1024, 256);
  const server = await startVespid(join(folder, "load"), benchRules(RULES), { held: `${HELD_BYTES / 1024 / 1024}mb` });
  let acknowledged = 0;
  const senders = await openSenders(server.port, CONNECTIONS * 2);
  acknowledged += await sendAll(senders, work, (sent) => sent >= 500);
  const start = performance.now();
  const measured = await sendAll(senders, work, () => performance.now() - start > (LOAD_SECONDS * 1000) / 4);
  const capacity = measured / ((performance.now() - start) / 1000);
  acknowledged += measured;
  for (const sender of senders) sender.close();
  const { delays, events, reached } = await signalDelays(server, 0.8 * capacity, work);
  acknowledged += events;
  const rssBeforeMb = server.peakRssBytes() / 1e6;
  const over = await overload(server, capacity, work);
  acknowledged += over.acknowledged;
  const late = await countOf(server, "late_dropped_total");
  const said = await server.stop();
  const judged = Number(/closed: ([\d,]+) events? judged/.exec(said.replaceAll(/\u001b\[\d+m/g, ""))?.[1]?.replaceAll(",", ""));
  if (judged !== acknowledged) throw new Error(`${acknowledged} events were acknowledged and ${judged} judged`);
  const at = (part: number): number => Number(delays[Math.min(delays.length - 1, Math.floor(delays.length * part))]!.toFixed(1));
  return {
    capacityEventsPerSecond: Math.round(capacity), loadReached: Number((0.8 * reached).toFixed(2)), signals: delays.length, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: at(1),
    offered: Number(over.offered.toFixed(2)), overloadAcknowledged: over.acknowledged, overloadRefused: over.refused, acknowledged, judged, lateDropped: late,
    peakRssMb: Math.round(rssBeforeMb), overloadPeakRssMb: Math.round(over.peakRssMb),
  };
}

const root = process.argv.slice(2).find((text) => !text.startsWith("-")) ?? mkdtempSync(join(tmpdir(), "vespid-bench-"));
mkdirSync(root, { recursive: true });
try {
  const t8 = { ...(await bodyCost(1024 * 1024, short ? 200 : 400, short ? 5 : 15)), must: 2, moonshot: 5 };
  console.table([{ id: "T8", ...t8 }]);
  const t9 = (await costs(root)).map((row, i) => ({ id: i === 1 ? "T9" : "-", ...row, must: 12, moonshot: 28 }));
  console.table(t9);
  const load = await underLoad(root);
  console.table([load]);
  if (!short) {
    const record = join(import.meta.dirname, "record");
    mkdirSync(record, { recursive: true });
    writeFileSync(join(record, "serve.json"), `${JSON.stringify({ machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }, rounds: ROUNDS, connections: CONNECTIONS, bodyBytes: BODY_BYTES, t8, t9, load }, null, 1)}\n`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
