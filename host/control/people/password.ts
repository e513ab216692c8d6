import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ApiError } from "../api-error.ts";

/** Work of one hash: 32 MB and some tens of milliseconds, on a thread of its own. */
const COST = 2 ** 15;
const BLOCKS = 8;
const PARALLEL = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MEMORY_BYTES = 64 * 1024 * 1024;
/** At a time, and waiting beside them: whoever tries passwords shall not take the memory and threads that judge logs. */
const MOST_RUNNING = 2;
const MOST_WAITING = 16;

export const PASSWORD_CHARS = { least: 12, most: 256 } as const;

/** What is wrong with a password that somebody wants to have. */
export function passwordFault(password: string): string | undefined {
  const { length } = [...password];
  if (length < PASSWORD_CHARS.least || length > PASSWORD_CHARS.most) return `a password has ${PASSWORD_CHARS.least} to ${PASSWORD_CHARS.most} characters`;
  return new Set(password).size < 4 ? "a password has at least four different characters" : undefined;
}

/** As `scrypt$cost$blocks$parallel$salt$hash`, the last two in base64. Rejects with an `ApiError` of 429 where too many are being made. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derived(password, salt, COST, BLOCKS, PARALLEL);
  return ["scrypt", COST, BLOCKS, PARALLEL, salt.toString("base64"), hash.toString("base64")].join("$");
}

/**
 * Is it the password? Without a hash it is not, which takes as long to find out. Rejects with an `ApiError` of 429 where too many are being made.
 *
 * @param stored as `hashPassword` made it
 */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [kind, cost, blocks, parallel, salt, hash] = (stored ?? nobodys).split("$");
  if (kind !== "scrypt") return false;
  const expected = Buffer.from(hash!, "base64");
  const found = await derived(password, Buffer.from(salt!, "base64"), Number(cost), Number(blocks), Number(parallel));
  return timingSafeEqual(found, expected) && stored !== undefined;
}

const nobodys = ["scrypt", COST, BLOCKS, PARALLEL, randomBytes(SALT_BYTES).toString("base64"), randomBytes(HASH_BYTES).toString("base64")].join("$");

let running = 0;
const waiting: (() => void)[] = [];

async function derived(password: string, salt: Buffer, cost: number, blocks: number, parallel: number): Promise<Buffer> {
  if (running < MOST_RUNNING) running++;
  else if (waiting.length >= MOST_WAITING) throw new ApiError(429, "many people log in at this moment; ask again in a second", { headers: { "retry-after": "1", "x-ratelimit-reset": "1" } });
  // Whoever is done hands over its place.
  else await new Promise<void>((go) => waiting.push(go));
  try {
    return await new Promise((resolve, reject) => {
      // The same letters typed on another keyboard may be other characters.
      scrypt(password.normalize("NFKC"), salt, HASH_BYTES, { N: cost, r: blocks, p: parallel, maxmem: MEMORY_BYTES }, (error, hash) => (error ? reject(error) : resolve(hash)));
    });
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
