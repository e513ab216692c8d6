import { type ReservedAttribute, reservedAttributes } from "../event/event.ts";
import type { Field } from "./tree.ts";

const reserved: ReadonlySet<string> = new Set(reservedAttributes);

/** The field a bare name stands for: a reserved attribute, else a tag key. */
export function namedField(name: string): Field {
  return reserved.has(name) ? { kind: "reserved", name: name as ReservedAttribute } : { kind: "tag", key: name };
}

/** A field as rules write it in `groupByFields` and `metrics`: `@a.b`, `host`, a tag key. Backslash escapes the next character. */
export function readField(text: string): Field {
  if (text.startsWith("#")) return { kind: "calculated", name: text.slice(1) };
  if (!text.startsWith("@")) return namedField(text.replace(/\\(.)/gsu, "$1"));
  const path: string[] = [];
  let segment = "";
  for (let i = 1; i < text.length; i++) {
    const character = text[i]!;
    if (character === "\\" && i + 1 < text.length) segment += text[++i]!;
    else if (character === ".") {
      path.push(segment);
      segment = "";
    } else segment += character;
  }
  path.push(segment);
  return { kind: "attribute", path };
}

const needsEscape = /[\s()"[\]{}<>:!~^*?\\\u201c\u201d]/u;

function escapeName(text: string, extra: string): string {
  let out = "";
  let first = true;
  for (const character of text) {
    const escaped = needsEscape.test(character) || extra.includes(character) || (first && "-+=@#".includes(character));
    out += escaped ? `\\${character}` : character;
    first = false;
  }
  return out;
}

/** The field as a query writes it, without the colon; empty for free text. */
export function fieldText(field: Field): string {
  switch (field.kind) {
    case "attribute":
      return `@${field.path.map((segment) => escapeName(segment, ".")).join(".")}`;
    case "reserved":
      return field.name;
    case "tag":
      return escapeName(field.key, "");
    case "calculated":
      return `#${escapeName(field.name, "")}`;
    case "fullText":
      return "*";
    case "freeText":
      return "";
  }
}
