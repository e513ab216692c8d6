import { badRequest } from "./api-error.ts";

/** Deeper bodies are nobody's rule: a reader that walks them would only run out of stack. */
const MOST_DEPTH = 64;

/** Throws an `ApiError` with 400 for what is no JSON, is too deep, or would change what all objects are made of. */
export function readJsonBody(bytes: Buffer): unknown {
  checkDepth(bytes);
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${(error as Error).message}`);
  }
  if (text.includes("__proto__") || text.includes("\\u005f")) checkNames(value);
  return value;
}

function checkDepth(bytes: Buffer): void {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (isText) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MOST_DEPTH) throw badRequest(`the body is nested deeper than ${MOST_DEPTH}`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}

function checkNames(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw badRequest("the body has a member named __proto__, which is not taken");
  for (const inner of Object.values(value)) checkNames(inner);
}
