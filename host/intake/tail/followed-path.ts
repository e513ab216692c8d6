import { createHash } from "node:crypto";
import { type BigIntStats, closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { InputProfile } from "../../engine/task.ts";
import { readSyslog } from "../../event/syslog.ts";
import type { IntakeBatch, IntakeCounts } from "../contract.ts";
import { WINDOWS_SOURCE, windowsCutter } from "../windows.ts";
import { type Cutter, lineCutter } from "./cutting.ts";
import type { Openable, OpenFiles } from "./open-files.ts";
import { type Generation, positionMark, type StreamPosition } from "./positions.ts";
import type { TailSource } from "./source.ts";

/** Counts of all followed files since start. */
export interface TailCounts extends IntakeCounts {
  /** Paths that named another file than before. */
  rotations: number;
  /** Files that were emptied or written anew in place. */
  rewrites: number;
  /** Files that were gone before they had been read to their end. */
  lost: number;
}

export interface FollowContext {
  readonly files: OpenFiles;
  readonly counts: TailCounts;
  readonly nowMs: () => number;
  /** A file that was replaced is still read for this long: its writer may not have noticed. */
  readonly graceMs: number;
  /** A record of several lines is complete when its file was quiet for this long. */
  readonly quietMs: number;
  /** Every file is read to its end and no further; a last line needs no newline. */
  readonly isOnce: boolean;
  /** Resolves when the sink has taken them; false when there is no more time to wait for it. */
  readonly accept: (batches: readonly IntakeBatch[]) => Promise<boolean>;
  /** Which path has a file among those it follows, or still knows. */
  readonly owners: Map<string, FollowedPath>;
}

/** A generation with what is known only while it is followed. */
interface Live extends Openable {
  readonly at: Generation;
  /** Where it was seen last. */
  path: string;
  /** Size when it was looked at last; -1 before. */
  seenBytes: number;
  /** When it had been written last by then. */
  seenMs: number;
  grownMs: number;
  replacedMs: number | undefined;
  isUtf16: boolean;
  /** Under which name, of which size, it was last known for what it is. */
  confirmed: string;
  firstLine: string | undefined;
}

const HEAD_BYTES = 256;
const SNIFF_BYTES = 2048;
const SIBLINGS = 5000;

export function fileId(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

/** The file a path names now; undefined when there is none. */
export function fileAt(path: string): BigIntStats | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() ? stats : undefined;
}

/**
 * One path and the files it names one after another: renamed away and created anew, emptied in place, or growing. Each is
 * read to its end, the oldest first; its place is taken forward only when the sink has the records.
 */
export class FollowedPath {
  readonly path: string;
  readonly source: TailSource;
  readonly #context: FollowContext;
  readonly #live: Live[];
  #textFormat: "syslog" | "text" | undefined;
  #cutter: Cutter | undefined;
  /** What stands in the way of reading it. */
  problem: string | undefined;
  /** Somebody is at work on it, and whether to come again. */
  isBusy = false;
  isDirty = false;

  /** @param startsAtEnd only for a path that is new: what its file holds now is not read. */
  constructor(path: string, source: TailSource, position: StreamPosition | undefined, startsAtEnd: boolean, context: FollowContext) {
    this.path = path;
    this.source = source;
    this.#context = context;
    this.#textFormat = source.textFormat ?? position?.textFormat;
    this.#live = [];
    for (const at of position?.generations ?? []) this.#join({ ...at }, 0);
    // All but the last had been replaced when they were seen last.
    for (const live of this.#live.slice(0, -1)) live.replacedMs = 0;
    const stats = startsAtEnd ? fileAt(path) : undefined;
    if (!stats || this.#live.length > 0) return;
    const offset = Number(stats.size);
    // The end may lie inside a line: its rest is no line.
    this.#join({ id: fileId(stats), head: "", headBytes: 0, offset, ...(endsLine(path, offset) ? {} : { isInside: true }) }, context.nowMs());
  }

  get partition(): string {
    return `file:${this.path}`;
  }

  /** What the sink has taken; with `next`, what it will have taken then. */
  position(next?: Generation): StreamPosition {
    return { pattern: this.source.path, ...(this.#textFormat ? { textFormat: this.#textFormat } : {}), generations: this.#live.map(({ at }) => (at.id === next?.id ? next : { ...at })) };
  }

  /** The file its path names now, as far as it is read. */
  present(): Generation | undefined {
    this.#notice();
    return this.#live.at(-1)?.at;
  }

  get isEmpty(): boolean {
    return this.#live.length === 0;
  }

  /** Bytes of its present file that were not taken yet. */
  get behindBytes(): number {
    return this.#live.reduce((sum, live) => sum + Math.max(0, live.seenBytes - live.at.offset), 0);
  }

  /** Is a turn due, by the file its path names now or by files still waited for? */
  needsTurn(stats: BigIntStats | undefined): boolean {
    const current = this.#live.at(-1);
    if (this.#live.some((live) => !live.at.isDone && (live.replacedMs !== undefined || live.seenBytes < 0))) return true;
    if (!stats) return current !== undefined && !current.at.isDone;
    if (!current || fileId(stats) !== current.at.id) return !this.#isForeign(fileId(stats));
    return Number(stats.size) !== current.seenBytes || Number(stats.mtimeMs) !== Math.floor(current.seenMs) || current.seenBytes > current.at.offset;
  }

  /** A file of its own was met under another name: whether it is that file indeed, and not another with its number. */
  async recognizes(id: string, path: string, bytes: number): Promise<boolean> {
    const live = this.#live.find(({ at }) => at.id === id);
    if (!live) return false;
    // An open file keeps its number.
    const sight = `${bytes} ${path}`;
    if (!live.handle && live.confirmed !== sight && !(await hasHead(path, live.at))) {
      await this.#drop(live);
      return false;
    }
    live.confirmed = sight;
    live.path = path;
    if (live.at.isDone && bytes > live.at.offset) {
      live.at.isDone = false;
      live.replacedMs ??= this.#context.nowMs();
      this.isDirty = true;
    }
    return true;
  }

  /** Forgets files read to their end that no path names any more. */
  forget(seen: ReadonlySet<string>): void {
    for (const live of this.#live.filter(({ at }) => at.isDone && !seen.has(at.id))) this.#leave(live);
  }

  async close(): Promise<void> {
    for (const live of this.#live) await this.#context.files.close(live);
  }

  /** Reads a stretch, at most what the buffer holds. True when there is more to be read at once. */
  async turn(buffer: Uint8Array<ArrayBuffer>): Promise<boolean> {
    this.#notice();
    for (const live of this.#live.filter(({ at }) => !at.isDone)) {
      live.isBusy = true;
      try {
        if (await this.#read(live, buffer)) return true;
      } finally {
        live.isBusy = false;
      }
    }
    return false;
  }

  /** Does the path name another file than before? */
  #notice(): void {
    const stats = fileAt(this.path);
    const current = this.#live.at(-1);
    const now = this.#context.nowMs();
    if (current && (!stats || fileId(stats) !== current.at.id)) current.replacedMs ??= now;
    if (!stats || this.#isForeign(fileId(stats))) return;
    const known = this.#live.find(({ at }) => at.id === fileId(stats));
    if (known && known === current) {
      known.path = this.path;
      known.replacedMs = undefined;
      return;
    }
    if (known) return;
    if (current) this.#context.counts.rotations++;
    this.#join({ id: fileId(stats), head: "", headBytes: 0, offset: 0 }, now);
  }

  async #read(live: Live, buffer: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { counts, nowMs, graceMs, quietMs, isOnce, files } = this.#context;
    const handle = await this.#opened(live);
    if (!handle) return false;
    const { at } = live;
    const { size, mtimeMs } = await handle.stat();
    const now = nowMs();
    if (size !== live.seenBytes || mtimeMs !== live.seenMs) {
      await this.#checkHead(live, handle, size);
      live.seenBytes = size;
      live.seenMs = mtimeMs;
      live.grownMs = now;
    }
    const isOver = isOnce || (live.replacedMs !== undefined && now - Math.max(live.replacedMs, live.grownMs) >= graceMs);
    const wanted = Math.min(size - at.offset, live.isUtf16 ? buffer.length >> 1 : buffer.length);
    const { bytesRead } = wanted > 0 ? await handle.read(buffer, 0, wanted, at.offset) : { bytesRead: 0 };
    const isLast = isOver && at.offset + bytesRead >= size;
    if (bytesRead > 0) {
      counts.requests++;
      const stretch = { isLast, isQuiet: now - live.grownMs >= quietMs, isFull: bytesRead === (live.isUtf16 ? buffer.length >> 1 : buffer.length) };
      const before = at.offset;
      if (!(await this.take(at, buffer.subarray(0, bytesRead), stretch, Math.min(now, Math.floor(mtimeMs)), live))) return false;
      if (at.offset > before && at.offset < size) return true;
    }
    if (isLast && at.offset >= size) {
      at.isDone = true;
      await files.close(live);
    }
    return false;
  }

  /**
   * Hands on the records of a stretch that begins at the generation's offset, and moves that forward.
   *
   * @returns false when the sink did not take them: nothing has moved then.
   */
  async take(at: Generation, raw: Uint8Array, flags: { isLast: boolean; isQuiet: boolean; isFull: boolean }, arrivalMs: number, encoding: { readonly isUtf16: boolean; readonly firstLine?: string | undefined }): Promise<boolean> {
    const { counts } = this.#context;
    const mark = byteOrderMark(raw, at.offset, encoding.isUtf16);
    const bytes = encoding.isUtf16 ? Buffer.from(Buffer.from(raw.buffer, raw.byteOffset + mark, (raw.length - mark) & ~1).toString("utf16le")) : raw.subarray(mark);
    // A file of one line without newline has a first line too.
    const firstLine = encoding.firstLine ?? (flags.isLast && at.offset === 0 ? Buffer.from(bytes.subarray(0, SNIFF_BYTES)).toString().split("\n", 1)[0] : undefined);
    const cut = this.#cutterFor(firstLine)({ ...flags, bytes, isInside: at.isInside ?? false });
    const consumed = encoding.isUtf16 ? 2 * Buffer.from(bytes.buffer, bytes.byteOffset, cut.consumed).toString().length : cut.consumed;
    // Nothing moves before the sink has answered: positions may be noted down meanwhile.
    const { isInside: _, ...next } = { ...at, offset: at.offset + consumed + (consumed > 0 || bytes.length === 0 ? mark : 0) };
    const moved: Generation = cut.isInside ? { ...next, isInside: true } : next;
    const records = cut.records.filter((each) => each.events > 0);
    const batches = records.map((each, i): IntakeBatch => ({
      profile: this.#profile(each.format),
      bytes: each.bytes,
      arrivalMs,
      partition: this.partition,
      // The batches of one hand-over are taken together, so that the last one's place is that of all.
      ...(i === records.length - 1 ? { mark: positionMark(this.position(moved)) } : {}),
    }));
    if (batches.length > 0 && !(await this.#context.accept(batches))) return false;
    counts.bytes += moved.offset - at.offset;
    at.offset = moved.offset;
    at.isInside = moved.isInside;
    counts.unpackedBytes += cut.consumed;
    counts.events += records.reduce((sum, { events }) => sum + events, 0);
    counts.truncated += cut.truncated;
    for (const [reason, count] of cut.rejected) counts.rejected.set(reason, (counts.rejected.get(reason) ?? 0) + count);
    return true;
  }

  #profile(format: InputProfile["format"]): InputProfile {
    const { defaults, windows } = this.source;
    return { ...(windows ? { source: WINDOWS_SOURCE } : {}), ...defaults, format };
  }

  #cutterFor(firstLine: string | undefined): Cutter {
    const { source } = this;
    if (source.windows) return (this.#cutter ??= windowsCutter(source.windows));
    const reading = { rules: source.rules, source: source.defaults?.source, service: source.defaults?.service };
    if (this.#textFormat) return (this.#cutter ??= lineCutter({ ...reading, textFormat: this.#textFormat }));
    const format = textFormatOf(firstLine ?? "");
    if (firstLine !== undefined) {
      this.#textFormat = format;
      return this.#cutterFor(firstLine);
    }
    return lineCutter({ ...reading, textFormat: format });
  }

  /** The open file of a generation, found under another name when it was renamed; undefined when it is gone. */
  async #opened(live: Live): Promise<FileHandle | undefined> {
    const { files, counts } = this.#context;
    if (!live.handle) {
      try {
        // It may be renamed between the look and the opening.
        for (let attempt = 0; attempt < 3 && !live.handle; attempt++) {
          const path = [live.path, this.path].find((each) => isFile(each, live.at.id)) ?? siblingWith(this.path, live.at.id);
          if (path === undefined) break;
          const handle = await open(path, "r").catch(absent);
          if (handle && fileId(await handle.stat({ bigint: true })) === live.at.id) live.handle = handle;
          else await handle?.close();
        }
        this.problem = undefined;
      } catch (error) {
        // Not ours to read, or too many open files: it may pass.
        this.problem = (error as NodeJS.ErrnoException).code ?? String(error);
        return undefined;
      }
      if (!live.handle) {
        counts.lost++;
        await this.#drop(live);
        return undefined;
      }
    }
    await files.used(live);
    return live.handle;
  }

  /** A file that shrank, or that begins with other bytes than it did, is read from its start. */
  async #checkHead(live: Live, handle: FileHandle, size: number): Promise<void> {
    const { at } = live;
    const head = new Uint8Array(Math.min(size, SNIFF_BYTES));
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const isOther = size < at.offset || bytesRead < at.headBytes || hashOf(head.subarray(0, at.headBytes)) !== at.head;
    if (at.headBytes > 0 || size < at.offset) {
      if (isOther) {
        this.#context.counts.rewrites++;
        at.offset = 0;
        delete at.isInside;
        at.headBytes = 0;
      }
    }
    if (at.headBytes < HEAD_BYTES) {
      at.headBytes = Math.min(bytesRead, HEAD_BYTES);
      at.head = hashOf(head.subarray(0, at.headBytes));
    }
    live.isUtf16 = this.source.encoding === "utf-16-le" || (head[0] === 0xff && head[1] === 0xfe);
    const text = Buffer.from(head.subarray(0, bytesRead)).toString(live.isUtf16 ? "utf16le" : "utf8");
    const newline = text.indexOf("\n");
    live.firstLine = newline >= 0 ? text.slice(0, newline) : bytesRead === SNIFF_BYTES ? text : undefined;
  }

  async #drop(live: Live): Promise<void> {
    await this.#context.files.close(live);
    this.#leave(live);
  }

  #join(at: Generation, grownMs: number): void {
    this.#live.push({ at, path: this.path, seenBytes: -1, seenMs: 0, grownMs, replacedMs: undefined, isUtf16: false, confirmed: "", firstLine: undefined, handle: undefined, isBusy: false });
    this.#context.owners.set(at.id, this);
  }

  #leave(live: Live): void {
    const at = this.#live.indexOf(live);
    if (at >= 0) this.#live.splice(at, 1);
    if (this.#context.owners.get(live.at.id) === this) this.#context.owners.delete(live.at.id);
  }

  #isForeign(id: string): boolean {
    return (this.#context.owners.get(id) ?? this) !== this;
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function byteOrderMark(raw: Uint8Array, offset: number, isUtf16: boolean): number {
  if (offset > 0) return 0;
  if (isUtf16) return raw[0] === 0xff && raw[1] === 0xfe ? 2 : 0;
  return raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
}

/** Lines are syslog when the first one has a priority, or names a program behind its host: a time and two words are in any log. */
function textFormatOf(line: string): "syslog" | "text" {
  const syslog = readSyslog(line.replace(/^\ufeff/, "").replace(/\r$/, ""))?.syslog as { readonly appname?: unknown; readonly prival?: unknown } | undefined;
  return syslog && (syslog.appname !== undefined || syslog.prival !== undefined) ? "syslog" : "text";
}

function endsLine(path: string, bytes: number): boolean {
  if (bytes === 0) return true;
  try {
    const file = openSync(path, "r");
    try {
      const last = new Uint8Array(1);
      return readSync(file, last, 0, 1, bytes - 1) === 0 || last[0] === 10;
    } finally {
      closeSync(file);
    }
  } catch {
    return true;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

async function hasHead(path: string, at: Generation): Promise<boolean> {
  if (at.headBytes === 0) return true;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const head = new Uint8Array(at.headBytes);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return bytesRead === head.length && hashOf(head) === at.head;
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}

function isFile(path: string, id: string): boolean {
  try {
    const stats = fileAt(path);
    return stats !== undefined && fileId(stats) === id;
  } catch {
    return false;
  }
}

/** The name that a renamed file has in the same folder. */
function siblingWith(path: string, id: string): string | undefined {
  const folder = dirname(path);
  try {
    return readdirSync(folder).slice(0, SIBLINGS).map((name) => join(folder, name)).find((each) => isFile(each, id));
  } catch {
    return undefined;
  }
}
