/**
 * Text of logs as it can be shown: characters that steer the direction of text, hide or do something are written as their number, so
 * that what is read is what is there.
 */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function visible(text: string): string {
  return text.replace(HIDDEN, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(cellText).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const numbers = new Intl.NumberFormat("en-US");
export const countText = (count: number | null | undefined): string => (count === null || count === undefined ? "–" : numbers.format(count));

/** `12.3 k`: for axes and tiles. */
export function shortCount(count: number): string {
  for (const [size, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) if (Math.abs(count) >= size) return `${Number((count / size).toPrecision(3))}${name}`;
  return String(Number(count.toPrecision(3)));
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${countText(count)} ${count === 1 ? one : many}`;

/** A value as search text has it: in quotes where it needs them. */
export function quoted(value: string): string {
  return /^[\w.@/-]+$/.test(value) ? value : `"${value.replace(/[\\"]/g, (sign) => `\\${sign}`)}"`;
}
