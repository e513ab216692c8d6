const TAG_LENGTH_CAP = 200;

/** What is in its normal form already, as nearly all tags are. */
const NORMAL = /^[a-z](?:[a-z0-9_\-:./]{0,198}[a-z0-9_\-./])?$/;

/** A tag in Datadog's normal form: lower case, begins with a letter, odd characters as `_`, at most 200; undefined when nothing is left. */
export function normalizeTag(text: string): string | undefined {
  if (NORMAL.test(text)) return text;
  let tag = text.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}_\-:./]/gu, "_");
  tag = tag.replace(/^[^\p{L}]+/u, "");
  tag = [...tag].slice(0, TAG_LENGTH_CAP).join("").replace(/:+$/, "");
  return tag === "" ? undefined : tag;
}

/** Tags of comma text, or of an array of such. */
export function readTags(value: unknown): string[] {
  const texts = Array.isArray(value) ? value.flat(Infinity) : [value];
  const tags: string[] = [];
  for (const text of texts) {
    if (typeof text !== "string" && typeof text !== "number" && typeof text !== "boolean") continue;
    for (const part of String(text).split(",")) {
      const tag = normalizeTag(part);
      if (tag !== undefined && !tags.includes(tag)) tags.push(tag);
    }
  }
  return tags;
}
