import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import { writeAtomically } from "../atomic-file.ts";
import { type JournalPosition, type StoredEntry, comparePositions, positionText, readPosition } from "../journal/contract.ts";
import type { Journal } from "../journal/journal.ts";
import { entriesBetween } from "./lag.ts";
import { type TeeRequest, bodyOf, teeRequests } from "./tee-requests.ts";

export interface TeeOptions {
  /** Of the upstream intake, without `/api/v2/logs`. */
  readonly url: string;
  readonly key: string | undefined;
  readonly compression: "gzip" | "zstd" | "none";
  /** File that keeps how far upstream has taken the journal. */
  readonly positionPath: string;
  /** Told once when upstream stops taking, and again when it goes on. */
  readonly onState?: (problem: string | undefined) => void;
  /** Milliseconds to wait after a first failure; doubled each time, up to a minute. Default 500. */
  readonly firstWaitMs?: number;
  /** Milliseconds an upstream has for an answer. Default 30000. */
  readonly answerMs?: number;
}

export interface TeeCounts {
  requests: number;
  events: number;
  /** As they went over the network. */
  bytes: number;
  retries: number;
  /** Events that upstream says it will never take. */
  refused: number;
}

const KEEPER = "tee";
/** Bytes of the journal that are on their way upstream at once. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const WINDOW_ENTRIES = 4096;
/** Requests at a time: an upstream that is far away answers late. */
const AT_ONCE = 4;
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 60_000;
const ANSWER_MS = 30_000;

/** Answers after which the same bytes would be refused again. */
const NEVER: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * Hands on what the journal holds to another intake, as it came. It reads at its own place and its own pace: an upstream that is
 * slow or away holds nothing up, and the journal keeps what it has not had yet.
 *
 * Each event reaches it at least once; after a kill or an answer that got lost, the last few twice.
 */
export class Tee {
  readonly counts: TeeCounts = { requests: 0, events: 0, bytes: 0, retries: 0, refused: 0 };
  readonly #journal: Journal;
  readonly #options: TeeOptions;
  readonly #stop = new AbortController();
  #position: JournalPosition;
  #running: Promise<void> = Promise.resolve();
  #problem: string | undefined;
  #wake: () => void = () => {};
  readonly #sending = new Set<AbortController>();

  /** Before anything is appended: what comes from now on is handed on, and what an earlier process had not. */
  constructor(journal: Journal, options: TeeOptions) {
    this.#journal = journal;
    this.#options = options;
    const noted = notedPosition(options.positionPath);
    this.#position = noted ?? journal.end;
    if (!noted) this.#note();
    journal.keepFrom(KEEPER, this.#position);
  }

  /** Entries of the journal that upstream has not taken yet. */
  get behindEntries(): number {
    return entriesBetween(this.#journal.segments, this.#position, this.#journal.end);
  }

  /** Why upstream takes nothing now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get position(): JournalPosition {
    return this.#position;
  }

  /** @param onFault hears of faults of our own; it goes on where it was. */
  start(onFault: (error: unknown) => void): void {
    this.#running = this.#run(onFault);
  }

  /** Waits for what upstream can be given within `withinMs`; the rest is given after the next start. */
  async stop(withinMs = 2000): Promise<void> {
    const waiting = new AbortController();
    const given = (async () => {
      while (this.behindEntries > 0 && this.#problem === undefined && !waiting.signal.aborted) await delay(20, undefined, { signal: waiting.signal }).catch(() => {});
    })();
    await Promise.race([given, delay(withinMs, undefined, { signal: waiting.signal }).catch(() => {})]);
    waiting.abort();
    this.#stop.abort();
    this.#wake();
    for (const sending of this.#sending) sending.abort();
    await this.#running;
  }

  async #run(onFault: (error: unknown) => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          void this.#journal.waitBeyond(this.#position).then(resolve);
        });
        if (!this.#stop.signal.aborted) await this.#handOn();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        onFault(error);
        await this.#wait(LAST_WAIT_MS);
      }
    }
  }

  /** All that is acknowledged now. */
  async #handOn(): Promise<void> {
    const to = this.#journal.end;
    let window: StoredEntry[] = [];
    let bytes = 0;
    for await (const entry of this.#journal.read(this.#position, to)) {
      window.push(entry);
      bytes += entry.bytes.length;
      if (bytes < WINDOW_BYTES && window.length < WINDOW_ENTRIES) continue;
      if (!(await this.#giveAll(window))) return;
      window = [];
      bytes = 0;
    }
    if (await this.#giveAll(window)) this.#moveTo(to);
  }

  /** False when it is to stop. */
  async #giveAll(entries: readonly StoredEntry[]): Promise<boolean> {
    const requests = [...teeRequests(entries)];
    for (let at = 0; at < requests.length; at += AT_ONCE) {
      const some = requests.slice(at, at + AT_ONCE);
      const given = await Promise.all(some.map((request) => this.#give(request)));
      if (!given.every(Boolean)) return false;
      const { position } = some.findLast((request) => request.position) ?? {};
      if (position) this.#moveTo(position);
    }
    return true;
  }

  /** Until upstream has taken it, or said that it never will; false when it is to stop before. */
  async #give(request: TeeRequest): Promise<boolean> {
    for (let waitMs = this.#options.firstWaitMs ?? FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      const answer = await this.#send(request);
      if (this.#stop.signal.aborted && !answer.isTaken) return false;
      if (answer.isTaken) {
        this.counts.requests++;
        this.counts.events += request.records.length;
        this.#say(undefined);
        return true;
      }
      if (NEVER.has(answer.status)) return await this.#divide(request);
      this.counts.retries++;
      this.#say(answer.problem);
      await this.#wait(Math.max(waitMs, answer.afterMs));
      if (this.#stop.signal.aborted) return false;
    }
  }

  /** One record that is refused for good shall not cost the others: they go in two parts, and it is alone at last. */
  async #divide(request: TeeRequest): Promise<boolean> {
    const { records } = request;
    if (records.length === 1) {
      this.counts.refused++;
      return true;
    }
    const half = records.length >> 1;
    return (await this.#give({ ...request, records: records.slice(0, half) })) && (await this.#give({ ...request, records: records.slice(half) }));
  }

  async #send({ path, type, records, isArray }: TeeRequest): Promise<{ readonly isTaken: boolean; readonly status: number; readonly afterMs: number; readonly problem: string }> {
    const { url, key, compression, answerMs = ANSWER_MS } = this.#options;
    const body = await packed(bodyOf({ records, isArray }), compression);
    const sending = new AbortController();
    this.#sending.add(sending);
    const timer = setTimeout(() => sending.abort(), answerMs);
    try {
      const answer = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
        method: "POST", body, redirect: "error", signal: sending.signal,
        headers: { "content-type": type, ...(compression === "none" ? {} : { "content-encoding": compression }), ...(key === undefined ? {} : { "dd-api-key": key }) },
      });
      await answer.arrayBuffer();
      this.counts.bytes += body.length;
      return { isTaken: answer.ok, status: answer.status, afterMs: 1000 * (Number(answer.headers.get("retry-after")) || 0), problem: `upstream answers ${answer.status}` };
    } catch (error) {
      const { cause, name } = error as Error;
      return { isTaken: false, status: 0, afterMs: 0, problem: `upstream cannot be reached (${(cause as NodeJS.ErrnoException | undefined)?.code ?? name})` };
    } finally {
      clearTimeout(timer);
      this.#sending.delete(sending);
    }
  }

  #say(problem: string | undefined): void {
    if ((problem === undefined) !== (this.#problem === undefined)) this.#options.onState?.(problem);
    this.#problem = problem;
  }

  async #wait(ms: number): Promise<void> {
    await delay(Math.min(ms, LAST_WAIT_MS), undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #moveTo(position: JournalPosition): void {
    if (comparePositions(position, this.#position) <= 0) return;
    this.#position = position;
    this.#note();
    this.#journal.keepFrom(KEEPER, position);
  }

  #note(): void {
    writeAtomically(this.#options.positionPath, Buffer.from(`${JSON.stringify({ taken: positionText(this.#position) })}\n`));
  }
}

async function packed(body: Buffer, compression: TeeOptions["compression"]): Promise<Uint8Array<ArrayBuffer>> {
  if (compression === "none") return new Uint8Array(body);
  return new Uint8Array(await (compression === "gzip" ? promisify(gzip)(body) : promisify(zstdCompress)(body)));
}

/** Throws where there is a file that cannot be read: to begin anew would lose what it stands for. */
function notedPosition(path: string): JournalPosition | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const position = readPosition(String(parsed(text)?.taken));
  if (!position) throw new Error(`${path} does not hold a place of the journal; move it away to hand on what comes from now on`);
  return position;
}

function parsed(text: string): { readonly taken?: unknown } | undefined {
  try {
    return JSON.parse(text) as { readonly taken?: unknown };
  } catch {
    return undefined;
  }
}
