import { readSyslog } from "../event/syslog.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export interface TextRecords {
  /** One JSON record a line. */
  readonly bytes: Uint8Array;
  /** The line each record was made of. */
  readonly lines: readonly string[];
}

/** Text lines as records with the line for their message, syslog lines with their header read; blank lines are none. */
export function textRecords(bytes: Uint8Array, format: "text" | "syslog"): TextRecords {
  let out = "";
  const lines: string[] = [];
  for (const line of decoder.decode(bytes).split("\n")) {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text.trim() === "") continue;
    out += `${JSON.stringify((format === "syslog" ? readSyslog(text) : undefined) ?? { message: text })}\n`;
    lines.push(text);
  }
  return { bytes: encoder.encode(out), lines };
}
