import { styleText } from "node:util";
import type { Severity } from "../rule/rule.ts";

// What can drive a terminal or turn its text around: control characters (U+009B alone begins an escape sequence),
// bidirectional marks, separators of lines. Listed: classes by name are put together anew in every run.
// oxlint-disable-next-line no-control-regex
const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Text from logs as it may stand on a terminal: no control character or escape sequence survives. */
export function safe(text: string): string {
  return text.replace(HOSTILE, (character) => short[character] ?? escaped(character));
}

/** JSON on one line that no terminal can be driven by; it reads back the same. */
export function jsonLine(value: unknown): string {
  return safeLine(JSON.stringify(value));
}

/** JSON text as a line no terminal can be driven by. */
export function safeLine(json: string): string {
  return `${json.replace(HOSTILE, escaped)}\n`;
}

/** Colours go to terminals, unless NO_COLOR is set; FORCE_COLOR wants them everywhere. */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR && process.env.FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && process.env.TERM !== "dumb";
}

type Style = Parameters<typeof styleText>[0];

export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return hasColours(stream) ? styleText(style, text, { validateStream: false }) : text;
}

const severityStyles: Readonly<Record<Severity, Style>> = { info: "dim", low: "cyan", medium: "yellow", high: "red", critical: ["bold", "magenta"] };

export function coloured(severity: Severity, text: string): string {
  return styled(severityStyles[severity], text);
}

// East Asian wide and emoji take two cells; marks take none.
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const MARK = /\p{M}|\u200b|\u200c|\u200d|\ufe0f/u;

function cells(character: string): number {
  if (character < "\u0300") return 1;
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

function width(text: string): number {
  let sum = 0;
  for (const character of text) sum += cells(character);
  return sum;
}

export interface Column {
  readonly name: string;
  readonly align?: "right";
}

/** Columns as wide as their widest cell; `paint` may colour a padded cell. */
export function table(
  columns: ReadonlyArray<string | Column>,
  rows: ReadonlyArray<readonly string[]>,
  paint: (text: string, row: number, column: number) => string = (text) => text,
): string {
  const heads = columns.map((column) => (typeof column === "string" ? { name: column } : column));
  const widths = heads.map((head, i) => Math.max(width(head.name), ...rows.map((row) => width(row[i] ?? ""))));
  const line = (texts: readonly string[], row: number): string =>
    texts.map((text, i) => {
      const gap = " ".repeat(widths[i]! - width(text));
      if (heads[i]!.align === "right") return paint(gap + text, row, i);
      return paint(i === texts.length - 1 ? text : text + gap, row, i);
    }).join("  ").trimEnd();
  return [styled("bold", line(heads.map((head) => head.name), -1)), ...rows.map(line)].join("\n");
}

/** At most `length` characters; what was cut off shows as an ellipsis. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of at most so many cells, to an eighth of one; what is there at all shows. */
export function bar(share: number, most: number): string {
  const eighths = share > 0 ? Math.max(1, Math.round(Math.min(1, share) * most * 8)) : 0;
  return "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
}

export function count(value: number): string {
  // Intl takes ten milliseconds to wake up; a whole number needs no locale.
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 rule`, `2 rules`. */
export function plural(value: number, noun: string, several = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : several}`;
}

export function byteSize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

export function timeText(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z` : "-";
}

/** A span of time in the largest unit that takes it whole: `5 min`, `36 h`, `14 d`. */
export function widthText(ms: number): string {
  const units: ReadonlyArray<readonly [string, number]> = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000]];
  for (const [unit, size] of units) if (ms >= size && ms % size === 0) return `${count(ms / size)} ${unit}`;
  return `${count(ms)} ms`;
}
