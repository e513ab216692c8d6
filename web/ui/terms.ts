/** Is the term one of those that the query's top level joins? */
export function hasTerm(query: string, term: string): boolean {
  return placeOf(query, term) >= 0;
}

export function withTerm(query: string, term: string): string {
  if (hasTerm(query, term)) return query;
  const before = query.trim();
  if (before === "" || before === "*") return term;
  return isEither(before) ? `(${before}) ${term}` : `${before} ${term}`;
}

export function withoutTerm(query: string, term: string): string {
  const at = placeOf(query, term);
  if (at < 0) return query;
  const [before, after] = [query.slice(0, at).trimEnd(), query.slice(at + term.length).trimStart()];
  // The word that joined it goes along.
  return /(?:^| )AND$/.test(before) ? `${before.slice(0, -3).trimEnd()} ${after}`.trim() : `${before} ${after.replace(/^AND /, "")}`.trim();
}

/** Where the term stands by itself, joined to the others; -1 where it does not. */
function placeOf(query: string, term: string): number {
  const outer = topLevel(query);
  if (isEither(query)) return -1;
  for (let at = query.indexOf(term); at >= 0; at = query.indexOf(term, at + 1)) {
    const [before, after] = [outer.slice(0, at), outer.slice(at + term.length)];
    if ((before === "" || /(?<!(?:^| )NOT) $/.test(before)) && (after === "" || after.startsWith(" "))) return at;
  }
  return -1;
}

/** Is it one or the other, so that a term beside it would belong to the last alone? */
function isEither(query: string): boolean {
  return / OR /.test(topLevel(query));
}

/** The query with underscores for what stands in quotes or parentheses, or is escaped. */
function topLevel(query: string): string {
  const bare = query.replace(/\\.|"(?:\\.|[^"\\])*"/gs, (text) => "_".repeat(text.length));
  let [outer, depth] = ["", 0];
  for (const sign of bare.split("")) {
    if (sign === ")") depth--;
    outer += depth > 0 || sign === "(" || sign === ")" ? "_" : sign;
    if (sign === "(") depth++;
  }
  return outer;
}
