import type { ContentAnomalyOptions } from "../../rule/method.ts";
import type { Rule } from "../../rule/rule.ts";
import type { ContentJudge } from "./content-filter.ts";
import type { MethodCounts } from "./method.ts";

const DAY_MS = 86_400_000;
/** Items a group's history begins with; it grows four-fold when it is full. */
const FIRST_ITEMS = 4;
const MOST_ITEMS = 65_536;
/** Tokens a set may have in a history as it begins; the same growth. */
const FIRST_TOKENS = 16;
const MOST_TOKENS = 1024;
/** Values judged between two looks for groups whose history is all forgotten. */
const SWEEP_EVERY = 65_536;

/** Token sets of one group by time. */
export interface ContentHistory {
  readonly sizeBytes: number;
  /** Would a set of so many tokens push others out? */
  isFullFor(count: number): boolean;
  /** Forgets items up to a time. */
  expire(throughMs: number): number;
  /** Forgets items up to `throughMs`, counts those similar up to `limit`, adds the set. */
  pass(ms: number, throughMs: number, tokens: number, count: number, limit: number): number;
  merge(other: this): boolean;
  toBytes(): Uint8Array;
}

/** Where words are cut and histories live. */
export interface ContentMemory<H extends ContentHistory> {
  readonly tokens: number;
  tokenSet(texts: readonly string[]): number;
  history(items: number, tokenCap: number, similarityPercentage: number): H | undefined;
  release(history: H): void;
  /** A history saved before, with the numbers it was asked for with. */
  restore(bytes: Uint8Array, items: number, tokenCap: number, similarityPercentage: number): H | undefined;
}

interface Group<H> {
  firstMs: number;
  lastMs: number;
  capacity: number;
  tokenCap: number;
  history: H;
}

/**
 * Content anomaly, 6.2: a value is odd when too few of its group's last days are similar to it, by Jaccard over the words.
 *
 * Similarity is exact: candidates come from an inverted index over all words that a similar set must share, not from signatures.
 * What may be given up is the oldest items of a group beyond 65,536, and whole groups when memory is short (`evicted`): either
 * can only make a usual value look odd.
 */
export class ContentAnomaly<H extends ContentHistory> implements ContentJudge {
  readonly #options: ContentAnomalyOptions;
  readonly #memory: ContentMemory<H>;
  /** Those longest quiet stand first. */
  readonly #groups = new Map<string, Group<H>>();
  #evicted = 0;
  #sinceSweep = 0;

  constructor(rule: Rule, memory: ContentMemory<H>) {
    const { method } = rule.options;
    if (method.kind !== "content_anomaly") throw new Error(`${rule.id} is a ${method.kind} rule`);
    this.#options = method;
    this.#memory = memory;
  }

  isOdd(queryIndex: number, groupKey: string, timeMs: number, texts: ReadonlyArray<readonly string[]>): boolean {
    const count = this.#memory.tokenSet(texts.flat());
    if (count === 0) return false;
    if (++this.#sinceSweep >= SWEEP_EVERY) this.#sweep(timeMs);
    const group = this.#group(`${queryIndex} ${groupKey}`, timeMs);
    if (!group) {
      // Not even the others of the rule gave room enough.
      this.#evicted++;
      return false;
    }
    if (timeMs > group.lastMs) group.lastMs = timeMs;
    const { learningDays, forgetAfterDays, similarItems } = this.#options;
    if (count > group.tokenCap || group.history.isFullFor(count)) {
      group.history.expire(timeMs - forgetAfterDays * DAY_MS);
      this.#grow(group, count);
    }
    const similar = group.history.pass(timeMs, timeMs - forgetAfterDays * DAY_MS, this.#memory.tokens, count, similarItems);
    return timeMs - group.firstMs >= learningDays * DAY_MS && similar < similarItems;
  }

  counts(): MethodCounts {
    let stateBytes = 0;
    for (const group of this.#groups.values()) stateBytes += group.history.sizeBytes;
    return { groups: this.#groups.size, stateBytes, lateDropped: 0, evicted: this.#evicted };
  }

  /** Version, groups, values since the last sweep, groups given up; by group its times, capacity, key and history, each with its length. */
  save(): Uint8Array {
    const parts: Buffer[] = [Buffer.from(Uint32Array.of(VERSION, this.#groups.size, this.#sinceSweep, this.#evicted).buffer)];
    for (const [key, { firstMs, lastMs, capacity, tokenCap, history }] of this.#groups) {
      const name = Buffer.from(key, "latin1");
      const bytes = history.toBytes();
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeDoubleLE(firstMs, 0);
      head.writeDoubleLE(lastMs, 8);
      head.writeUInt32LE(capacity, 16);
      head.writeUInt32LE(name.length, 20);
      head.writeUInt32LE(bytes.length, 24);
      head.writeUInt32LE(tokenCap, 28);
      parts.push(head, name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }
    return Buffer.concat(parts);
  }

  restore(saved: Uint8Array): string | undefined {
    const bytes = Buffer.from(saved.buffer, saved.byteOffset, saved.byteLength);
    if (bytes.length < FIRST_BYTES || bytes.readUInt32LE(0) !== VERSION) return "the state is of another version";
    const groups = new Map<string, Group<H>>();
    if (!this.#readGroups(bytes, groups)) {
      for (const { history } of groups.values()) this.#memory.release(history);
      return BROKEN;
    }
    this.#sinceSweep = bytes.readUInt32LE(8);
    this.#evicted = bytes.readUInt32LE(12);
    for (const [key, group] of groups) this.#groups.set(key, group);
    return undefined;
  }

  #readGroups(bytes: Buffer, groups: Map<string, Group<H>>): boolean {
    let at = FIRST_BYTES;
    for (let left = bytes.readUInt32LE(4); left > 0; left--) {
      if (at + HEAD_BYTES > bytes.length) return false;
      const [firstMs, lastMs] = [bytes.readDoubleLE(at), bytes.readDoubleLE(at + 8)];
      const [capacity, nameLength, length, tokenCap] = [bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 28)];
      at += HEAD_BYTES;
      if (at + nameLength + length > bytes.length) return false;
      const key = bytes.toString("latin1", at, at + nameLength);
      at += nameLength;
      const history = this.#memory.restore(bytes.subarray(at, at + length), capacity, tokenCap, this.#options.similarityPercent);
      if (!history) return false;
      at += length;
      groups.set(key, { firstMs, lastMs, capacity, tokenCap, history });
    }
    return at === bytes.length;
  }

  #group(key: string, timeMs: number): Group<H> | undefined {
    let group = this.#groups.get(key);
    if (group) {
      this.#groups.delete(key);
      this.#groups.set(key, group);
      return group;
    }
    const history = this.#roomFor(FIRST_ITEMS, FIRST_TOKENS);
    if (!history) return undefined;
    group = { firstMs: timeMs, lastMs: timeMs, capacity: FIRST_ITEMS, tokenCap: FIRST_TOKENS, history };
    this.#groups.set(key, group);
    return group;
  }

  #grow(group: Group<H>, tokens: number): void {
    const capacity = group.history.isFullFor(tokens) ? Math.min(group.capacity * 4, MOST_ITEMS) : group.capacity;
    let { tokenCap } = group;
    while (tokenCap < tokens && tokenCap < MOST_TOKENS) tokenCap *= 4;
    if (capacity === group.capacity && tokenCap === group.tokenCap) return;
    const larger = this.#roomFor(capacity, tokenCap, group);
    if (!larger) return;
    larger.merge(group.history);
    this.#memory.release(group.history);
    group.history = larger;
    group.capacity = capacity;
    group.tokenCap = tokenCap;
  }

  /** A history of the size; when memory is short, groups that were quiet longest give theirs. */
  #roomFor(items: number, tokenCap: number, keep?: Group<H>): H | undefined {
    for (;;) {
      const history = this.#memory.history(items, tokenCap, this.#options.similarityPercent);
      if (history) return history;
      const quiet = this.#quietest(items, tokenCap, keep);
      if (quiet === undefined) return undefined;
      this.#drop(quiet, this.#groups.get(quiet)!);
      this.#evicted++;
    }
  }

  /** Of those longest quiet, the first that is as large; no more than some are looked at. */
  #quietest(items: number, tokenCap: number, keep?: Group<H>): string | undefined {
    let left = LOOKED_AT;
    for (const [key, group] of this.#groups) {
      if (group !== keep && group.capacity >= items && group.tokenCap >= tokenCap) return key;
      if (--left === 0) return undefined;
    }
    return undefined;
  }

  #drop(key: string, group: Group<H>): void {
    this.#groups.delete(key);
    this.#memory.release(group.history);
  }

  #sweep(timeMs: number): void {
    this.#sinceSweep = 0;
    const forgotten = timeMs - (this.#options.forgetAfterDays + this.#options.learningDays) * DAY_MS;
    for (const [key, group] of this.#groups) if (group.lastMs < forgotten) this.#drop(key, group);
  }
}

const LOOKED_AT = 1024;
const VERSION = 2;
const FIRST_BYTES = 16;
const HEAD_BYTES = 32;
const BROKEN = "the state is cut short or damaged";
