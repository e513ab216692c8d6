/** An element of a document without a type of its own: names without prefix, text without markup. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Why a text is no element we read: a stable word. */
export class XmlError extends Error {}

const DEPTH = 32;
const ELEMENTS = 10_000;
const ATTRIBUTES = 64;
const NAME_LENGTH = 256;

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

interface Building {
  readonly name: string;
  readonly written: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads one element with what it holds. Only the shape that Windows writes: a document type, and with it every entity but
 * XML's own five and characters by number, is refused or left as written; depth and numbers are bounded. One pass.
 *
 * Throws an `XmlError` for anything else.
 */
export function readXml(text: string): XmlElement {
  const open: Building[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  let at = 0;
  while (at < text.length) {
    const less = text.indexOf("<", at);
    if (less !== at) {
      const part = text.slice(at, less < 0 ? text.length : less);
      const inside = open.at(-1);
      if (inside) inside.text += decodeEntities(part);
      else if (part.trim() !== "") throw new XmlError("xml-text-outside");
      if (less < 0) break;
    }
    if (text.startsWith("<!--", less)) at = after(text, "-->", less + 4);
    else if (text.startsWith("<?", less)) at = after(text, "?>", less + 2);
    else if (text.startsWith("<![CDATA[", less)) {
      at = after(text, "]]>", less + 9);
      const inside = open.at(-1);
      if (!inside) throw new XmlError("xml-text-outside");
      inside.text += text.slice(less + 9, at - 3);
    } else if (text.startsWith("<!", less)) throw new XmlError("xml-doctype");
    else if (text.startsWith("</", less)) {
      at = after(text, ">", less + 2);
      const closed = open.pop();
      if (closed?.written !== text.slice(less + 2, at - 1).trimEnd()) throw new XmlError("xml-unbalanced");
      root = attach(closed, open) ?? root;
    } else {
      if (root) throw new XmlError("xml-several-roots");
      if (++elements > ELEMENTS || open.length >= DEPTH) throw new XmlError("xml-too-large");
      const tag = readTag(text, less + 1);
      at = tag.end;
      if (tag.isEmpty) root = attach(tag.element, open) ?? root;
      else open.push(tag.element);
    }
  }
  if (open.length > 0 || !root) throw new XmlError("xml-unbalanced");
  return root;
}

/** A finished element goes to its parent; without one it is the root. */
function attach(element: Building, open: readonly Building[]): XmlElement | undefined {
  const parent = open.at(-1);
  if (!parent) return element;
  parent.children.push(element);
  return undefined;
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  if (at < 0) throw new XmlError("xml-unbalanced");
  return at + end.length;
}

function readTag(text: string, start: number): { element: Building; end: number; isEmpty: boolean } {
  let at = nameEnd(text, start);
  const written = text.slice(start, at);
  if (written === "") throw new XmlError("xml-name");
  const attributes = new Map<string, string>();
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at++;
    if (text[at] === ">") return { element: { name: localName(written), written, attributes, children: [], text: "" }, end: at + 1, isEmpty: false };
    if (text.startsWith("/>", at)) return { element: { name: localName(written), written, attributes, children: [], text: "" }, end: at + 2, isEmpty: true };
    const end = nameEnd(text, at);
    const name = text.slice(at, end);
    at = end;
    while (isSpace(text.charCodeAt(at))) at++;
    if (name === "" || text[at] !== "=") throw new XmlError("xml-attribute");
    at++;
    while (isSpace(text.charCodeAt(at))) at++;
    const quote = text[at];
    if (quote !== '"' && quote !== "'") throw new XmlError("xml-attribute");
    const close = text.indexOf(quote, at + 1);
    if (close < 0 || attributes.size >= ATTRIBUTES) throw new XmlError("xml-attribute");
    attributes.set(localName(name), decodeEntities(text.slice(at + 1, close)));
    at = close + 1;
  }
}

function nameEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && at - start < NAME_LENGTH) {
    const code = text.charCodeAt(at);
    if (isSpace(code) || code === 47 || code === 62 || code === 61 || code === 60 || code === 34 || code === 39) break;
    at++;
  }
  return at;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function localName(written: string): string {
  return written.slice(written.indexOf(":") + 1);
}

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? "\ufffd" : String.fromCodePoint(code);
  });
}
