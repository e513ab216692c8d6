import type { IntakeKeys } from "../intake/contract.ts";
import { type KeyKind, type KeyStore, keyHash } from "../store/keys.ts";

/** Longest key that is looked at; Firehose's own limit. */
const KEY_BYTES_CAP = 4096;

/** Keys of the store as they are: one made or taken back by the command line counts from the next look on. */
export class LiveKeys implements IntakeKeys {
  readonly required: boolean;
  readonly #store: KeyStore;
  readonly #kind: KeyKind;
  readonly #more: readonly string[];
  #hashes: ReadonlySet<string> = new Set();

  /** @param more keys that settings name, good beside those of the store. */
  constructor(store: KeyStore, kind: KeyKind, required: boolean, more: readonly string[] = []) {
    this.required = required;
    this.#store = store;
    this.#kind = kind;
    this.#more = more.map(keyHash);
    this.refresh();
  }

  refresh(): void {
    this.#hashes = new Set([...this.#store.hashes(this.#kind), ...this.#more]);
  }

  get count(): number {
    return this.#hashes.size;
  }

  /** By its hash: how long the look takes tells of the hash, which tells nothing of the key. */
  has(key: string): boolean {
    return key.length <= KEY_BYTES_CAP && this.#hashes.has(keyHash(key));
  }
}
