import { styleText } from "node:util";
import type { Severity } from "../rule/rule.ts";

/** Text from logs as it may stand on a terminal: no control character or escape sequence survives. */
export function safe(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const colours: Readonly<Record<Severity, "dim" | "cyan" | "yellow" | "red" | "magenta">> = { info: "dim", low: "cyan", medium: "yellow", high: "red", critical: "magenta" };

export function coloured(severity: Severity, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  return styleText(colours[severity], text);
}

function width(text: string): number {
  return [...text].length;
}

/** Columns as wide as their widest cell; `paint` may colour a padded cell. */
export function table(header: readonly string[], rows: ReadonlyArray<readonly string[]>, paint: (text: string, row: number, column: number) => string = (text) => text): string {
  const widths = header.map((name, i) => Math.max(width(name), ...rows.map((row) => width(row[i] ?? ""))));
  const line = (cells: readonly string[], row: number): string =>
    cells.map((cell, i) => paint(i === cells.length - 1 ? cell : cell + " ".repeat(widths[i]! - width(cell)), row, i)).join("  ").trimEnd();
  return [line(header, -1), widths.map((n) => "-".repeat(n)).join("  "), ...rows.map(line)].join("\n");
}

export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
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
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z` : "-";
}
