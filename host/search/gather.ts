import { textDefaults } from "../event/decode.ts";
import { plainPipelines } from "../event/enrichment/enrichment.ts";
import { EventReader } from "../event/made.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { StoredEntry } from "../journal/contract.ts";
import { FRAME_HEAD_BYTES, type FrameHead } from "../journal/frame.ts";
import type { OpenSegment } from "../journal/scan.ts";
import type { QueryNode } from "../query/tree.ts";
import { fingerprint } from "./bloom.ts";
import type { Find, Stretch } from "./find.ts";
import { WordMakers, textsOf } from "./made.ts";
import { Scanner, type ScannerSetup, VALUES_CAP } from "./scanner.ts";
import { type SegmentView, readFrames, wholeSegment } from "./segments.ts";
import { WordSet } from "./word-set.ts";
import { WordReader } from "./words.ts";

/** Unpacked bytes from which a stretch is closed. Shorter ones are passed over more often, and cost more room. */
const STRETCH_BYTES = 4 * 1024 * 1024;
/** Beyond so many words a fingerprint would be larger than it is of use. */
const MOST_WORDS = 2_000_000;
const MOST_SOURCES = 64;

const everything: QueryNode = { kind: "all", span: { start: 0, end: 0 } };
const NONE_MIN = Number.MAX_SAFE_INTEGER;
const NONE_MAX = Number.MIN_SAFE_INTEGER;

/** Reads what there is to find in segments: the kernels tell times and sources, the bytes their words. */
export class Gatherer {
  readonly #scanner: Scanner;
  readonly #reader: EventReader;
  readonly #makers: WordMakers;
  readonly #made: string;
  readonly #stretchBytes: number;

  private constructor(scanner: Scanner, pipelines: readonly Pipeline[], made: string, stretchBytes: number) {
    this.#scanner = scanner;
    this.#reader = new EventReader(plainPipelines(pipelines));
    this.#makers = new WordMakers(pipelines);
    this.#made = made;
    this.#stretchBytes = stretchBytes;
  }

  /** @param made name of the pipelines. */
  static async create(setup: ScannerSetup, made: string, stretchBytes = STRETCH_BYTES): Promise<Gatherer> {
    return new Gatherer(await Scanner.create(everything, [{ kind: "reserved", name: "source" }], setup), setup.pipelines, made, stretchBytes);
  }

  /**
   * What there is to find in a segment, going on where `known` ends. The rest of a segment that grows is left until it is long
   * enough for a stretch.
   *
   * @param mayGoOn asked after each frame; what was gathered so far is the answer when not.
   */
  async gather(view: SegmentView, file: OpenSegment, known: Find | undefined, mayGoOn: () => boolean): Promise<Find> {
    const stretches = [...(known?.stretches ?? [])];
    const whole = wholeSegment(view.endOffset);
    let endOffset = known?.endOffset ?? whole.offset;
    let endEntry = known?.endEntry ?? 0;
    let lastFrame = known?.lastFrame;
    let growing = new GrowingStretch(endOffset, endEntry);
    let seen: { readonly endOffset: number; readonly head: FrameHead } | undefined;
    const close = async (): Promise<void> => {
      await this.#scanner.flush();
      stretches.push(growing.finish(seen!.endOffset, seen!.head.firstEntry + seen!.head.entries));
      ({ endOffset, endEntry } = stretches.at(-1)!);
      lastFrame = { offset: endOffset - FRAME_HEAD_BYTES - seen!.head.storedBytes, crc: seen!.head.payloadCrc };
      growing = new GrowingStretch(endOffset, endEntry);
      seen = undefined;
    };
    this.#scanner.begin((event) => {
      const source = event.values()[0]!;
      growing.addEvent(event.timeMs, source);
      if (growing.concerned?.(event.bytes())) this.#addMade(growing, event.entry, event.bytes());
    });
    for await (const frame of readFrames(file, { offset: endOffset, entry: endEntry, endOffset: view.endOffset }, () => {})) {
      for (const entry of frame.entries) {
        growing.concerned = growing.addEntry(entry) ? this.#makers.concerned(entry) : () => true;
        await this.#scanner.push(entry);
        // What is true of this entry is not of the next.
        if (growing.concerned) await this.#scanner.flush();
      }
      seen = frame;
      if (growing.rawBytes >= this.#stretchBytes) {
        await close();
        if (!mayGoOn()) break;
      }
    }
    await this.#scanner.flush();
    if (seen && !view.grows) await close();
    return { segment: view.segment, made: this.#made, endOffset, endEntry, lastFrame, stretches };
  }

  close(): Promise<void> {
    return this.#scanner.close();
  }

  #addMade(growing: GrowingStretch, entry: StoredEntry, record: Uint8Array): void {
    if (growing.isUntold) return;
    try {
      for (const text of textsOf(this.#reader.event(record, entry.profile, entry.arrivalMs))) growing.words.readText(text);
    } catch {
      growing.isUntold = true; // too deep to be read here
    }
  }
}

class GrowingStretch {
  readonly #offset: number;
  readonly #entry: number;
  readonly #set = new WordSet();
  readonly words = new WordReader(this.#set);
  concerned: ((record: Uint8Array) => boolean) | undefined;
  rawBytes = 0;
  /** Nothing is said of its words: they are too many, or could not be read. */
  isUntold = false;
  #events = 0;
  #minMs = NONE_MIN;
  #maxMs = NONE_MAX;
  #sources: Set<string> | undefined = new Set();

  constructor(offset: number, entry: number) {
    this.#offset = offset;
    this.#entry = entry;
  }

  /** @returns false when its bytes do not tell all its words: those of its events are to be read too. */
  addEntry({ bytes, profile }: StoredEntry): boolean {
    this.rawBytes += bytes.length;
    if (this.#set.count > MOST_WORDS) this.isUntold = true;
    if (this.isUntold) return true;
    this.words.isOdd = false;
    this.words.read(bytes);
    const isPlain = !this.words.isOdd;
    for (const text of [textDefaults(profile).source, profile.service, profile.host, ...(profile.tags ?? [])]) if (text !== undefined) this.words.readText(text);
    return isPlain;
  }

  addEvent(timeMs: number, sources: readonly string[]): void {
    this.#events++;
    if (timeMs < this.#minMs) this.#minMs = timeMs;
    if (timeMs > this.#maxMs) this.#maxMs = timeMs;
    if (!this.#sources) return;
    for (const source of sources) this.#sources.add(source);
    if (this.#sources.size > MOST_SOURCES || sources.length >= VALUES_CAP) this.#sources = undefined;
  }

  finish(endOffset: number, endEntry: number): Stretch {
    return {
      offset: this.#offset, entry: this.#entry, endOffset, endEntry, rawBytes: this.rawBytes, events: this.#events, minMs: this.#minMs, maxMs: this.#maxMs,
      sources: this.#sources && [...this.#sources].sort(),
      fingerprint: this.isUntold ? undefined : fingerprint(this.#set),
    };
  }
}
