import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../../atomic-file.ts";
import type { StoredUpload, TableStore } from "../../store/tables.ts";
import { ApiError, badRequest, notFound } from "../api-error.ts";

/** Parts that no table has taken by then are thrown away. */
const KEPT_MS = 24 * 3_600_000;
/** How long the addresses of parts are good. */
const GOOD_MS = 3_600_000;

/** Files on their way into tables: parts of CSV, each put to an address that only its asker knows. */
export class Uploads {
  readonly #tables: TableStore;
  readonly #folder: string;

  constructor(tables: TableStore, folder: string) {
    this.#tables = tables;
    this.#folder = join(folder, "uploads");
  }

  /** @returns id and what each address ends in, part by part. */
  begin(upload: Pick<StoredUpload, "tableName" | "headers" | "parts" | "partBytes" | "createdBy">, nowMs: number): { readonly id: string; readonly paths: readonly string[] } {
    const token = randomBytes(24).toString("base64url");
    const id = this.#tables.addUpload({ ...upload, tokenHash: hashOf(token).toString("hex"), createdMs: nowMs });
    return { id, paths: Array.from({ length: upload.parts }, (_, i) => `/api/v2/reference-tables/uploads/${id}/parts/${i + 1}?token=${token}`) };
  }

  /** One part; again takes the place of the one before. */
  put(id: string, part: number, token: string, bytes: Buffer, nowMs: number): void {
    const upload = this.admit(id, token, nowMs);
    if (!Number.isInteger(part) || part < 1 || part > upload.parts) throw badRequest(`the upload has parts 1 to ${upload.parts}`);
    if (bytes.length > upload.partBytes) throw new ApiError(413, `a part of this upload has at most ${upload.partBytes} bytes`);
    mkdirSync(join(this.#folder, id), { recursive: true, mode: 0o750 });
    writeAtomically(this.#path(id, part), bytes);
  }

  /** Throws a 404. */
  admit(id: string, token: unknown, nowMs: number): StoredUpload {
    const upload = this.#tables.upload(id);
    // What is not there and what is not the asker's are the same to them.
    if (!upload || typeof token !== "string" || !timingSafeEqual(hashOf(token), Buffer.from(upload.tokenHash, "hex")) || nowMs - upload.createdMs > GOOD_MS) throw notFound("upload not found");
    return upload;
  }

  /** A whole upload. Throws an `ApiError` where there is none, or parts are missing. */
  whole(id: string): StoredUpload {
    const upload = this.#tables.upload(id);
    if (!upload) throw badRequest(`there is no upload ${id}`);
    const missing = Array.from({ length: upload.parts }, (_, i) => i + 1).filter((part) => !existsSync(this.#path(id, part)));
    if (missing.length) throw badRequest(`parts ${missing.slice(0, 10).join(", ")} of upload ${id} have not come`);
    return upload;
  }

  /** Its bytes, part after part. */
  async *read({ id, parts }: StoredUpload): AsyncGenerator<Buffer> {
    for (let part = 1; part <= parts; part++) yield* createReadStream(this.#path(id, part)) as AsyncIterable<Buffer>;
  }

  drop(id: string): void {
    this.#tables.dropUpload(id);
    rmSync(join(this.#folder, id), { recursive: true, force: true });
  }

  tend(nowMs: number): void {
    for (const id of this.#tables.uploadsBefore(nowMs - KEPT_MS)) this.drop(id);
  }

  #path(id: string, part: number): string {
    return join(this.#folder, id, `${part}.csv`);
  }
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
