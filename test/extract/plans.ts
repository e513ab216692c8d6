import type { ExtractColumn } from "../../host/engine/extraction.ts";

/** Plans the corpora are read with: plain paths, dotted readings, several paths a column, existence, everything. */
export const plans: Record<string, readonly ExtractColumn[]> = {
  plain: [
    { column: 0, kind: "value", path: ["a"] },
    { column: 1, kind: "value", path: ["b", "c"] },
    { column: 2, kind: "value", path: ["user", "id"] },
    { column: 3, kind: "value", path: ["network", "client", "ip"] },
    { column: 4, kind: "value", path: ["tags"] },
    { column: 5, kind: "value", path: ["é"] },
    { column: 6, kind: "value", path: [""] },
    { column: 7, kind: "value", path: ["name"] },
  ],
  dotted: [
    { column: 0, kind: "value", path: ["a", "b", "c"], dotted: true },
    { column: 1, kind: "value", path: ["a", "b"], dotted: true },
    { column: 2, kind: "value", path: ["b", "c"], dotted: true },
    { column: 3, kind: "value", path: ["a.b", "c"] },
    { column: 4, kind: "value", path: ["a", "a", "b"], dotted: true },
    { column: 5, kind: "value", path: ["c"], dotted: true },
  ],
  shared: [
    { column: 0, kind: "value", path: ["a"] },
    { column: 1, kind: "value", path: ["a"] },
    { column: 2, kind: "value", path: ["b"] },
    { column: 2, kind: "value", path: ["c"] },
    { column: 2, kind: "value", path: ["user", "name"] },
    { column: 3, kind: "exists", path: ["a"] },
    { column: 4, kind: "exists", path: ["b", "c"], dotted: true },
    { column: 5, kind: "exists", path: ["network"] },
    { column: 6, kind: "value", path: ["network", "id"] },
  ],
  nested: [
    { column: 0, kind: "value", path: ["a", "b"] },
    { column: 1, kind: "value", path: ["a", "c", "b"] },
    { column: 2, kind: "value", path: ["a", "a", "c"] },
    { column: 3, kind: "value", path: ["b", "a", "b"] },
    { column: 4, kind: "value", path: ["b", "b"] },
    { column: 5, kind: "value", path: ["b", "c"] },
  ],
  all: [
    { column: 0, kind: "all", path: [] },
    { column: 1, kind: "all", path: ["a"] },
    { column: 2, kind: "value", path: ["b", "c"] },
    { column: 3, kind: "exists", path: ["user"] },
  ],
};
