/**
 * Rows of CSV (RFC 4180): cells in quotes may hold commas, line ends and doubled quotes. Blank lines and lines that begin with # are no rows.
 *
 * Millions of rows without a quote are read at the pace of `split`.
 */
export function* csvRows(text: string): Generator<{ readonly cells: readonly string[]; readonly line: number }> {
  let line = 0;
  for (let at = 0; at < text.length;) {
    line++;
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const row = text.slice(at, text[end - 1] === "\r" && end > at ? end - 1 : end);
    if (!row.includes('"')) {
      at = end + 1;
      if (row.trim() !== "" && !row.startsWith("#")) yield { cells: row.split(","), line };
      continue;
    }
    const quoted = quotedRow(text, at);
    yield { cells: quoted.cells, line };
    line += quoted.lines;
    at = quoted.end;
  }
}

function quotedRow(text: string, start: number): { readonly cells: string[]; readonly end: number; readonly lines: number } {
  const cells: string[] = [];
  let lines = 0;
  let at = start;
  for (;;) {
    let cell = "";
    if (text[at] === '"') {
      at++;
      for (;;) {
        const quote = text.indexOf('"', at);
        const end = quote < 0 ? text.length : quote;
        cell += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
      for (const character of cell) if (character === "\n") lines++;
    }
    let end = at;
    while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
    const rest = text.slice(at, end);
    cells.push(cell + (rest.endsWith("\r") ? rest.slice(0, -1) : rest));
    at = end + 1;
    if (end >= text.length || text[end] === "\n") return { cells, end: at, lines };
  }
}
