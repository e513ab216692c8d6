/** What a plan wants of one JSON path. `[]` is the whole record. */
export interface ExtractColumn {
  /** Number of the column; several entries may feed one column, and one path several columns. */
  readonly column: number;
  /** `value`: scalars at the path. `exists`: one value when some non-null scalar lies at or below it. `all`: every scalar at or below it. */
  readonly kind: "value" | "exists" | "all";
  /** Keys from the record inwards; arrays between them are transparent. */
  readonly path: readonly string[];
  /** Also read `a.b` + `c`, `a` + `b.c` and `a.b.c` for the path a, b, c. */
  readonly dotted?: boolean;
  /** The path reads a top-level member also from JSON inside the message, where the wire has no member of that name. */
  readonly fromMessage?: boolean;
}

/** A node of the projection: what a scalar here feeds, and where keys lead. Node 0 is the record. */
export interface ProjectionNode {
  readonly feeds: readonly { readonly column: number; readonly first: boolean }[];
  /** Key text to node index. */
  readonly edges: ReadonlyMap<string, number>;
  /** Node of every other key; undefined when nobody cares for them. */
  rest: number | undefined;
}

/** Entry `index` of the columns has been followed `depth` keys far. */
interface Item {
  readonly index: number;
  readonly depth: number;
}

function nameOf(items: readonly Item[]): string {
  return items.map((item) => `${item.index}:${item.depth}`).join(" ");
}

/**
 * Makes the paths one deterministic automaton over keys.
 *
 * A node is the set of (path, keys followed) pairs its key sequence can stand for, so that dotted and plain readings of one text meet in
 * one node. Below an exists or all path the pair stays as it is, whatever the key.
 */
export function projectPaths(columns: readonly ExtractColumn[]): ProjectionNode[] {
  const nodes: ProjectionNode[] = [];
  const indexes = new Map<string, number>();
  const pending: { items: Item[]; node: ProjectionNode }[] = [];

  function entry(index: number): ExtractColumn {
    const column = columns[index];
    if (!column) throw new Error(`no column entry ${index}`);
    return column;
  }

  function isOpenEnded(item: Item): boolean {
    const { kind, path } = entry(item.index);
    return item.depth === path.length && kind !== "value";
  }

  function nodeOf(items: Item[]): number {
    const name = nameOf(items);
    const known = indexes.get(name);
    if (known !== undefined) return known;
    const feeds = new Map<number, boolean>();
    for (const item of items) {
      const { column, kind, path } = entry(item.index);
      if (item.depth !== path.length) continue;
      // A column fed both ways wants every value.
      feeds.set(column, (feeds.get(column) ?? true) && kind === "exists");
    }
    const node: ProjectionNode = {
      feeds: [...feeds].map(([column, first]) => ({ column, first })),
      edges: new Map<string, number>(),
      rest: undefined,
    };
    const index = nodes.push(node) - 1;
    indexes.set(name, index);
    pending.push({ items, node });
    return index;
  }

  nodeOf(columns.map((_, index) => ({ index, depth: 0 })));
  for (let next = pending.shift(); next; next = pending.shift()) {
    const { items, node } = next;
    const openEnded = items.filter(isOpenEnded);
    const byKey = new Map<string, Item[]>();
    for (const item of items) {
      const { path, dotted } = entry(item.index);
      const furthest = dotted ? path.length : Math.min(item.depth + 1, path.length);
      for (let depth = item.depth + 1; depth <= furthest; depth++) {
        const key = path.slice(item.depth, depth).join(".");
        const followers = byKey.get(key) ?? [];
        // Two readings of one key can only meet at the same depth when segments are empty; keep one.
        if (!followers.some((other) => other.index === item.index && other.depth === depth)) followers.push({ index: item.index, depth });
        byKey.set(key, followers);
      }
    }
    for (const [key, followers] of byKey) {
      (node.edges as Map<string, number>).set(key, nodeOf([...followers, ...openEnded].sort((a, b) => a.index - b.index || a.depth - b.depth)));
    }
    if (openEnded.length > 0) node.rest = nodeOf(openEnded);
  }
  return nodes;
}
