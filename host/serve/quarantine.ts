import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../atomic-file.ts";
import { type JournalPosition, type StoredEntry, positionText } from "../journal/contract.ts";

/** Entries that detection fails on, one pair of files each: what it was and why, and its bytes. */
export const QUARANTINE_FOLDER = "quarantine";
/** There while the journal is read again, and behind a reading that did not come to its end. */
const NOTE_FILE = "replay.json";
/** Readings that failed at one entry before it is set aside. */
const MOST_FAILURES = 2;
/** Readings that ended in one entry without a word, as when the system or somebody kills the process: chance may do that too. */
const MOST_TRIES = 4;
const REASON_LENGTH = 2000;

interface Note {
  /** The entry that was being judged; empty where that is not known. */
  readonly at: string;
  readonly tries: number;
  readonly failures: number;
  readonly reason: string;
}

const NOWHERE: Note = { at: "", tries: 0, failures: 0, reason: "" };

/**
 * Keeps an entry of the journal that detection cannot judge from failing every restart at the same place.
 *
 * A reading of the journal leaves a note behind when it does not come to its end. The next one then goes entry by entry, with the
 * place noted before each, so that it is known which one it was; after two failures there the entry is set aside.
 */
export class Quarantine {
  readonly #notePath: string;
  readonly #folder: string;
  #note: Note;
  /** What an earlier reading stumbled over; until this one is there too. */
  readonly #suspect: Note;
  /** An earlier reading, or judging itself, did not come to its end: each entry is to be asked for with `mayGive`. */
  readonly isCareful: boolean;
  /** Set aside without a file, for want of room. */
  #unwritten = 0;

  /** @param data the server's data folder */
  constructor(data: string) {
    this.#notePath = join(data, NOTE_FILE);
    this.#folder = join(data, QUARANTINE_FOLDER);
    const found = readNote(this.#notePath);
    this.isCareful = found !== undefined;
    this.#note = this.#suspect = found ?? NOWHERE;
  }

  /** Entries that lie there; whoever has looked at one may take its files away. */
  get count(): number {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith(".json")).length + this.#unwritten;
    } catch {
      return this.#unwritten;
    }
  }

  /** Why the entry asked for last is not to be given. */
  get reason(): string {
    return this.#note.reason || `the server ended ${this.#note.tries} times while it was judged`;
  }

  /** A reading begins, or judging failed: the next reading is to be careful unless this one comes to its end. */
  begin(): void {
    this.#write(this.#note);
  }

  /** False for an entry that failed too often; noted before it is given. */
  mayGive(position: JournalPosition): boolean {
    const at = positionText(position);
    const known = this.#suspect.at === at ? this.#suspect : { ...NOWHERE, at };
    this.#note = known;
    if (known.failures >= MOST_FAILURES || known.tries >= MOST_TRIES) return false;
    this.#write({ ...known, tries: known.tries + 1 });
    return true;
  }

  /** The entry asked for last failed. */
  failed(error: unknown): void {
    this.#write({ ...this.#note, failures: this.#note.failures + 1, reason: String((error as Error)?.stack ?? error).slice(0, REASON_LENGTH) });
  }

  /** The entry asked for last is kept for whoever wants to know. It stays in the journal as well. */
  setAside({ position, profile, partition, arrivalMs, bytes }: StoredEntry): void {
    const path = join(this.#folder, `${position.segment}-${position.entry}`);
    const { tries, failures } = this.#note;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o750 });
      writeFileSync(`${path}.log`, bytes, { mode: 0o600 });
      const facts = { position: positionText(position), reason: this.reason, tries, failures, arrival_at: new Date(arrivalMs).toISOString(), partition, profile, bytes: bytes.length };
      writeAtomically(`${path}.json`, Buffer.from(`${JSON.stringify(facts, undefined, 2)}\n`));
    } catch {
      this.#unwritten++;
    }
  }

  /** The reading came to its end. */
  end(): void {
    this.#note = NOWHERE;
    rmSync(this.#notePath, { force: true });
  }

  /** For the next process, not for a power cut: it is not synced, since it is written for each entry. */
  #write(note: Note): void {
    this.#note = note;
    try {
      writeFileSync(`${this.#notePath}.part`, JSON.stringify(note), { mode: 0o600 });
      renameSync(`${this.#notePath}.part`, this.#notePath);
    } catch {
      // A full disk must not keep the journal from being judged.
    }
  }
}

function readNote(path: string): Note | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { at, tries, failures, reason } = JSON.parse(text) as Partial<Record<keyof Note, unknown>>;
    if (typeof at === "string" && typeof tries === "number" && typeof failures === "number" && typeof reason === "string") return { at, tries, failures, reason };
  } catch {
    // Cut off by a power cut: that it is there says enough.
  }
  return NOWHERE;
}
