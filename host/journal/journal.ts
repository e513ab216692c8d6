import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { comparePositions, type Damage, type JournalEntry, type JournalHealth, type JournalPosition, type JournalState, type Recovery, type StoredEntry } from "./contract.ts";
import { realDisk, type Disk } from "./disk.ts";
import { JournalBroken, JournalError, JournalFull, writeError } from "./error.ts";
import { MAX_PAYLOAD_BYTES, Packer, overheadBytes, type Payload } from "./frame.ts";
import { isLocked, takeLock, type Lock } from "./lock.ts";
import { readSegments, type Readable } from "./reader.ts";
import { recover, storeIndex, type Recovered } from "./recover.ts";
import { Retention, type RetentionLimits } from "./retention.ts";
import { hasEntries, type SegmentIndex } from "./segment-index.ts";
import { segmentPath } from "./segment.ts";
import { SegmentWriter } from "./segment-writer.ts";

export interface JournalOptions extends RetentionLimits {
  /** A segment that would grow beyond this is closed, and another begun. Default 128 MB. */
  readonly segmentBytes?: number;
  /** Appends share a frame, and its sync, up to this many bytes; 0: each has its own. Default 4 MB. */
  readonly groupBytes?: number;
  /** How long the first append of a group waits for company. Default 0: those that come while a sync is under way are company enough. */
  readonly groupWindowMs?: number;
  /** Appends beyond this many waiting bytes are refused, so that memory stays bounded. Default 64 MB. */
  readonly queueBytes?: number;
  /** zstd; default true. */
  readonly compress?: boolean;
  /** Less free space than this counts as full: what else lives on that disk shall not die of the journal. Default 64 MB. */
  readonly reserveBytes?: number;
  /** Where a checkpoint stands. No place up to it is given again, even when the files it tells of are gone. */
  readonly checkpoint?: JournalPosition;
  /** Told at every change of state. */
  readonly onState?: (health: JournalHealth) => void;
  readonly disk?: Disk;
}

interface Waiting {
  readonly entries: readonly JournalEntry[];
  readonly bytes: number;
  readonly resolve: (position: JournalPosition) => void;
  readonly reject: (error: unknown) => void;
}

const MEGABYTE = 1024 * 1024;
/** The disk's free space is asked for again after so many written bytes, sooner when it is scarce: others write there too. */
const ASK_ROOM_BYTES = 4 * MEGABYTE;

/**
 * Batches as they came, on disk before anybody is told that they were taken: segments of frames, a frame a group of appends,
 * each frame synced before its appends resolve.
 */
export class Journal {
  readonly folder: string;
  readonly recovery: Recovery;
  readonly #options: Required<Pick<JournalOptions, "segmentBytes" | "groupBytes" | "groupWindowMs" | "queueBytes" | "reserveBytes">>;
  readonly #disk: Disk;
  readonly #lock: Lock;
  readonly #packer: Packer;
  readonly #retention: Retention;
  readonly #onState: ((health: JournalHealth) => void) | undefined;
  #sealed: SegmentIndex[];
  #active: SegmentWriter | undefined;
  #nextSegment: number;

  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #pumping: Promise<void> | undefined;
  /** Writing and retention take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #askRoomIn = 0;
  #waiters: Array<{ beyond: JournalPosition; wake: () => void }> = [];

  #state: JournalState = "ok";
  #message = "";
  readonly #refused = { full: 0, broken: 0, busy: 0 };
  readonly #counts = { appends: 0, entries: 0, syncs: 0, rawBytes: 0, writtenBytes: 0, removedSegments: 0, indexFailures: 0 };

  private constructor(folder: string, options: JournalOptions, disk: Disk, lock: Lock, recovered: Recovered) {
    this.folder = folder;
    this.recovery = recovered.report;
    this.#options = {
      segmentBytes: options.segmentBytes ?? 128 * MEGABYTE,
      groupBytes: options.groupBytes ?? 4 * MEGABYTE,
      groupWindowMs: options.groupWindowMs ?? 0,
      queueBytes: options.queueBytes ?? 64 * MEGABYTE,
      reserveBytes: options.reserveBytes ?? 64 * MEGABYTE,
    };
    this.#disk = disk;
    this.#lock = lock;
    this.#packer = new Packer(options.compress ?? true);
    this.#retention = new Retention(options);
    this.#onState = options.onState;
    this.#sealed = [...recovered.sealed];
    this.#active = recovered.active;
    this.#nextSegment = recovered.nextSegment;
  }

  /**
   * Opens a folder, made when there is none, and brings in order what an earlier process left (`recovery` tells what).
   *
   * Rejects with `journal/locked` when another journal writes there, with `journal/unreadable` when a newer version did.
   * A full disk does not keep it from opening: what is there can be read.
   */
  static async open(path: string, options: JournalOptions = {}): Promise<Journal> {
    const folder = resolve(path);
    const disk = options.disk ?? realDisk;
    if (!existsSync(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o750 });
      await disk.syncFolder(dirname(folder));
    }
    const lock = takeLock(folder);
    try {
      const journal = new Journal(folder, options, disk, lock, await recover(folder, disk));
      if (options.checkpoint && comparePositions(journal.end, options.checkpoint) < 0) await journal.#beginAfter(options.checkpoint.segment);
      return journal;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Whether some process writes in a folder. */
  static isLocked(folder: string): boolean {
    return isLocked(folder);
  }

  /** The oldest place there is. */
  get start(): JournalPosition {
    return { segment: this.#sealed[0]?.segment ?? this.#active?.index.segment ?? this.#nextSegment, entry: 0 };
  }

  /** Beyond the last acknowledged entry. */
  get end(): JournalPosition {
    return this.#active ? { segment: this.#active.index.segment, entry: this.#active.index.nextEntry } : { segment: this.#nextSegment, entry: 0 };
  }

  /** What each segment holds, ascending; the last one may still grow. */
  get segments(): readonly SegmentIndex[] {
    return this.#active ? [...this.#sealed, this.#active.index] : [...this.#sealed];
  }

  get state(): JournalState {
    return this.#state;
  }

  get health(): JournalHealth {
    const totalBytes = this.segments.reduce((sum, index) => sum + index.bytes, 0);
    return {
      state: this.#state, message: this.#message, refused: { ...this.#refused }, ...this.#counts, queuedBytes: this.#queuedBytes,
      segments: this.segments.length, totalBytes, overLimitBytes: Math.max(0, totalBytes - this.#retention.maxBytes),
    };
  }

  /**
   * Resolves with the place of the first entry once all of them are on the disk itself; the others follow it one by one. They
   * are never parted: all are acknowledged, or none.
   *
   * Rejects with `JournalFull` or `JournalBroken` when the disk does not take them, and with a `JournalError` of code
   * `journal/busy` (too many wait), `journal/too-large` or `journal/closed`. After a rejection they may be sent again: unless
   * the disk failed in the very moment of confirming, they are not in the journal.
   */
  append(entries: readonly JournalEntry[]): Promise<JournalPosition> {
    if (this.#closing) return Promise.reject(new JournalError("journal/closed", "the journal is closed", "open it again"));
    if (entries.length === 0) return Promise.resolve(this.end);
    let bytes = 0;
    for (const entry of entries) {
      if (!Number.isFinite(entry.arrivalMs)) return Promise.reject(new TypeError("arrivalMs of a journal entry has to be a finite number"));
      bytes += entry.bytes.length + overheadBytes(entry);
    }
    if (bytes > MAX_PAYLOAD_BYTES) {
      return Promise.reject(new JournalError("journal/too-large", `${bytes} bytes are more than one frame takes (${MAX_PAYLOAD_BYTES})`, "append them in several parts"));
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#options.queueBytes) {
      this.#refused.busy++;
      return Promise.reject(new JournalError("journal/busy", `${this.#queuedBytes} bytes wait for the disk already`, "send again in a moment"));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ entries, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#pumping ??= this.#pump();
    });
  }

  /**
   * Entries from a place (included) to another (excluded; by default what is acknowledged now), in order, while appends go on.
   * Damage is passed over, and told.
   */
  read(from: JournalPosition, to: JournalPosition = this.end, onDamage: (damage: Damage) => void = () => {}): AsyncGenerator<StoredEntry> {
    const readable: Readable[] = this.segments.map((index) => ({ segment: index.segment, end: index.bytes, index }));
    return readSegments(this.folder, readable, from, to, onDamage);
  }

  /** Resolves when something was acknowledged beyond a place, or the journal is closed. */
  async waitBeyond(position: JournalPosition): Promise<void> {
    while (!this.#closing && comparePositions(this.end, position) <= 0) {
      await new Promise<void>((wake) => this.#waiters.push({ beyond: position, wake }));
    }
  }

  /** Nothing from this place on is removed until the same keeper names a later one; `undefined` ends it. */
  keepFrom(keeper: string, position: JournalPosition | undefined): void {
    this.#retention.keepFrom(keeper, position);
  }

  /**
   * Removes what is older or more than is to be kept.
   *
   * @returns numbers of the segments that are gone.
   */
  retain(nowMs: number): Promise<number[]> {
    return this.#inTurn(async () => {
      // Age reaches the growing segment too: one that nothing was added to for so long is closed, so that it can go.
      const active = this.#active;
      if (active && hasEntries(active.index) && this.#retention.isOld(active.index, nowMs)) await this.#roll().catch(() => {});
      return this.#removeOld(nowMs);
    });
  }

  /** Writes what waits, and lets go of the folder. What is appended from now on is refused. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#pumping;
      await this.#turn;
      await this.#active?.close();
      this.#lock.release();
      this.#setState("closed", "");
      this.#wake();
    })();
    return this.#closing;
  }

  async #pump(): Promise<void> {
    // Whatever arrives in this turn of the event loop goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      if (this.#options.groupWindowMs > 0 && this.#queuedBytes < this.#options.groupBytes) await sleep(this.#options.groupWindowMs);
      const group = this.#takeGroup();
      await this.#inTurn(() => this.#commit(group));
    }
    this.#pumping = undefined;
  }

  #takeGroup(): Waiting[] {
    let count = 0;
    for (let bytes = 0; count < this.#queue.length; count++) {
      bytes += this.#queue[count]!.bytes;
      if (count > 0 && bytes > this.#options.groupBytes) break;
    }
    return this.#queue.splice(0, count);
  }

  /** Never rejects: what goes wrong is the group's to hear. */
  async #commit(group: readonly Waiting[]): Promise<void> {
    const bytes = group.reduce((sum, each) => sum + each.bytes, 0);
    try {
      const payload = await this.#packer.pack(group.length === 1 ? group[0]!.entries : group.flatMap((each) => each.entries), this.#active?.index.bytes);
      await this.#checkRoom(payload.frame.length);
      const { segment, entry: first } = await this.#write(payload);
      this.#setState("ok", "");
      let entry = first;
      for (const each of group) {
        each.resolve({ segment, entry });
        entry += each.entries.length;
      }
      this.#counts.appends += group.length;
      this.#wake();
    } catch (error) {
      if (error instanceof JournalFull) this.#refuse("full", error, group);
      else if (error instanceof JournalBroken) this.#refuse("broken", error, group);
      for (const each of group) each.reject(error);
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  async #checkRoom(bytes: number): Promise<void> {
    this.#askRoomIn -= bytes;
    if (this.#options.reserveBytes === 0 || (this.#askRoomIn > 0 && this.#state === "ok")) return;
    const free = await this.#disk.freeBytes(this.folder).catch((error: unknown) => {
      throw writeError(error, `asking for the room in ${this.folder}`);
    });
    if (free - bytes < this.#options.reserveBytes) {
      throw new JournalFull(`${free} bytes are free where the journal lies (${this.folder}), and ${this.#options.reserveBytes} are to be left free`);
    }
    this.#askRoomIn = Math.min(ASK_ROOM_BYTES, (free - bytes - this.#options.reserveBytes) / 2);
  }

  async #write(payload: Payload): Promise<JournalPosition> {
    const frameBytes = payload.frame.length;
    const active = this.#active;
    const fits = active?.usable && (active.index.frames === 0 || active.index.bytes + frameBytes <= this.#options.segmentBytes);
    if (!fits) {
      await this.#roll();
      await this.#removeOld(this.#newestArrivalMs());
    }
    const position = await this.#active!.write(payload);
    this.#counts.entries += payload.entries.length;
    this.#counts.syncs++;
    this.#counts.rawBytes += payload.rawBytes;
    this.#counts.writtenBytes += frameBytes;
    return position;
  }

  /** Begins a segment and then closes the one before: there is always one that holds the highest number. */
  async #roll(): Promise<void> {
    const old = this.#active;
    let next: SegmentWriter | undefined;
    while (!next) {
      try {
        next = await SegmentWriter.create(this.#disk, this.folder, this.#nextSegment);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        this.#nextSegment++; // left by an attempt that could not clean up after itself
      }
    }
    this.#active = next;
    this.#nextSegment = next.index.segment + 1;
    if (!old) return;
    this.#sealed.push(old.index);
    await old.close().catch(() => {});
    await storeIndex(this.folder, old.index).catch(() => this.#counts.indexFailures++);
  }

  async #beginAfter(segment: number): Promise<void> {
    this.#nextSegment = Math.max(this.#nextSegment, segment + 1);
    const active = this.#active;
    if (!active) return;
    // The new one is made when it is first needed: a full disk shall not keep the journal from opening.
    this.#active = undefined;
    this.#sealed.push(active.index);
    await active.close();
  }

  /** In place of a clock, where none was given. */
  #newestArrivalMs(): number {
    return this.segments.reduce((newest, index) => Math.max(newest, index.lastArrivalMs), -Infinity);
  }

  async #removeOld(nowMs: number): Promise<number[]> {
    const removed: number[] = [];
    for (const index of this.#retention.removable(this.segments, nowMs)) {
      try {
        await this.#disk.remove(segmentPath(this.folder, index.segment));
      } catch (error) {
        // Windows keeps what is being read. Those before a gap must not stay behind it.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") break;
      }
      await this.#disk.remove(segmentPath(this.folder, index.segment, "index")).catch(() => {});
      this.#sealed = this.#sealed.filter((each) => each.segment !== index.segment);
      this.#counts.removedSegments++;
      removed.push(index.segment);
    }
    return removed;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #refuse(state: "full" | "broken", error: JournalError, group: readonly Waiting[]): void {
    this.#refused[state] += group.length;
    this.#setState(state, `${error.message}; ${error.hint}`);
  }

  #setState(state: JournalState, message: string): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.#message = message;
    // Apart, so that a listener's fault is not taken for the disk's.
    if (changed && this.#onState) queueMicrotask(() => this.#onState!(this.health));
  }

  #wake(): void {
    const end = this.end;
    const woken = this.#waiters.filter((each) => this.#closing || comparePositions(end, each.beyond) > 0);
    if (woken.length === 0) return;
    this.#waiters = this.#waiters.filter((each) => !woken.includes(each));
    for (const each of woken) each.wake();
  }
}
