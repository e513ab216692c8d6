/** What a column holds, in the envelope's words. */
export type ColumnKey =
  | { readonly kind: "attribute" | "exists"; readonly path: readonly string[] }
  /** Values of several attributes together. No pipeline fills it. */
  | { readonly kind: "any"; readonly paths: ReadonlyArray<readonly string[]> }
  | { readonly kind: "reserved"; readonly name: "host" | "service" | "source" | "status" | "trace_id" | "timestamp" | "message" }
  /** A member of the envelope beside those it is defined to have: the id that a shipper gave the event. */
  | { readonly kind: "member"; readonly name: "id" | "_id" }
  /** Whole tag texts. */
  | { readonly kind: "tags" }
  /** Values of the tags with that key. */
  | { readonly kind: "tag"; readonly key: string }
  /** Every scalar of the event. */
  | { readonly kind: "all" }
  /** Every IP address of the event, canonical text. */
  | { readonly kind: "addresses" };

/** The columns a plan needs, each once, numbered in the order they were asked for. */
export class ColumnPlan {
  readonly keys: ColumnKey[] = [];
  readonly #numbers = new Map<string, number>();

  /** Number of the key's column; asks for it when it is new. */
  column(key: ColumnKey): number {
    const text = keyText(key);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.keys.length;
      this.keys.push(key);
      this.#numbers.set(text, number);
    }
    return number;
  }
}

function keyText(key: ColumnKey): string {
  switch (key.kind) {
    case "attribute":
    case "exists":
      return JSON.stringify([key.kind, ...key.path]);
    case "any":
      return JSON.stringify([key.kind, key.paths]);
    case "reserved":
    case "member":
      return JSON.stringify([key.kind, key.name]);
    case "tag":
      return JSON.stringify([key.kind, key.key]);
    case "tags":
    case "all":
    case "addresses":
      return key.kind;
  }
}
