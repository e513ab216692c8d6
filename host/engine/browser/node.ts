/**
 * What the engine asks of Node, where there is none: the build of a page's worker puts this in the place of `node:*`.
 *
 * Patterns of pipelines, databases of places and tables of indicators are loaded from files; pasted logs pass none of them.
 */
const decoder = new TextDecoder("utf-8", { fatal: true });

/** `node:buffer` */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** `node:module` */
export function createRequire(): never {
  throw new Error("a web page loads no modules of Node");
}

/** `node:crypto` */
export function createHash(): never {
  throw new Error("a web page has no hashes of Node");
}
