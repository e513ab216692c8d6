import type { LogEvent } from "../../host/event/event.ts";
import { hasShared, readShared } from "./shared.ts";

/** A query and an event, and whether it matches or cannot be read. */
export interface SearchVector {
  readonly id: string;
  readonly query: string;
  readonly event: LogEvent;
  readonly match?: boolean;
  readonly error?: boolean;
  readonly why: string;
}

const file = "conformance/search.jsonl";

/** Empty where `../shared` is absent. */
export const searchVectors: readonly SearchVector[] = hasShared(file) ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as SearchVector) : [];

/** Those whose query can be read. */
export const readableVectors = searchVectors.filter(({ error }) => !error);
