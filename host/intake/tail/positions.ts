import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** One file that a path has named, and how far it was read. */
export interface Generation {
  /** Device and inode. */
  readonly id: string;
  /** Its first bytes, hashed, so that a number used again for another file is noticed. */
  head: string;
  headBytes: number;
  /** Bytes taken by the sink. */
  offset: number;
  /** The bytes at `offset` belong to a record that was cut at the limit. */
  isInside?: boolean;
  /** Read to its end, and replaced at its path. */
  isDone?: boolean;
}

/** How far the files of one path were read, oldest first; the last is the one the path names. */
export interface StreamPosition {
  /** The pattern that named the path. */
  readonly pattern?: string;
  /** How its text is read, once its first line has said so. */
  textFormat?: "syslog" | "text";
  readonly generations: Generation[];
  /** Epoch milliseconds since when no source names its path. */
  readonly unnamedMs?: number;
}

export interface Positions {
  /** Path patterns that were followed: a file that is new to one of them has been written since, and is read from its start. */
  readonly patterns: readonly string[];
  readonly streams: ReadonlyMap<string, StreamPosition>;
}

const VERSION = 1;

/** A position as text, to go with a batch. */
export function positionMark(position: StreamPosition): string {
  return JSON.stringify(position);
}

/** Undefined when the text is not one of `positionMark`. */
export function readPositionMark(mark: string): StreamPosition | undefined {
  try {
    const value = JSON.parse(mark) as StreamPosition;
    return isPosition(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Positions as they were written last; nothing when there is no file. Throws when there is one that cannot be read: to go
 * on as if nothing had been read would double or lose what it stands for.
 */
export async function readPositions(path: string): Promise<Positions> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { patterns: [], streams: new Map() };
    throw error;
  }
  const fault = new Error(`${path} does not hold positions of files; move it away to follow the files anew`);
  let wire: { version?: unknown; patterns?: unknown; streams?: unknown };
  try {
    wire = JSON.parse(text) as typeof wire;
  } catch (cause) {
    throw Object.assign(fault, { cause });
  }
  const { version, patterns, streams } = wire;
  if (version !== VERSION || !Array.isArray(patterns) || typeof streams !== "object" || streams === null) throw fault;
  const entries = Object.entries(streams as Record<string, unknown>).filter((entry): entry is [string, StreamPosition] => isPosition(entry[1]));
  return { patterns: patterns.filter((pattern) => typeof pattern === "string"), streams: new Map(entries) };
}

/** Replaces the file in one step: whoever reads it sees the old positions or the new ones, also after a power cut. */
export async function writePositions(path: string, { patterns, streams }: Positions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  const file = await open(beside, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify({ version: VERSION, patterns, streams: Object.fromEntries(streams) }));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

function isPosition(value: unknown): value is StreamPosition {
  const generations = (value as StreamPosition | null)?.generations;
  return Array.isArray(generations) && generations.every(({ id, head, headBytes, offset }) => typeof id === "string" && typeof head === "string" && Number.isSafeInteger(headBytes) && Number.isSafeInteger(offset) && offset >= 0);
}
