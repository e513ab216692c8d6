export type JournalErrorCode =
  | "journal/full"
  | "journal/broken"
  | "journal/busy"
  | "journal/closed"
  | "journal/locked"
  | "journal/too-large"
  | "journal/unreadable";

/** Why the journal did not do what it was asked. Nothing was acknowledged. */
export class JournalError extends Error {
  readonly code: JournalErrorCode;
  /** The way out, in one sentence. */
  readonly hint: string;
  constructor(code: JournalErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "JournalError";
    this.code = code;
    this.hint = hint;
  }
}

/** No room on the disk, or less than is to be left free. Passes when room is made. */
export class JournalFull extends JournalError {
  constructor(message: string, cause?: unknown) {
    super("journal/full", message, "free some space on that disk, or lower the journal's retention", cause);
    this.name = "JournalFull";
  }
}

/** The disk refuses to write or to confirm what was written. */
export class JournalBroken extends JournalError {
  constructor(message: string, cause?: unknown) {
    super("journal/broken", message, "look at the disk: its own log tells more (on Linux: dmesg)", cause);
    this.name = "JournalBroken";
  }
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** What the operating system said, as one of ours. */
export function writeError(error: unknown, doing: string): JournalError {
  if (error instanceof JournalError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  return FULL.has(code) ? new JournalFull(`no room while ${doing} (${code})`, error) : new JournalBroken(`${doing} failed (${code})`, error);
}
