/** A line of a diff; numbers count from 1 in the text it is of. */
export interface DiffLine {
  readonly class: "same" | "removed" | "added";
  readonly text: string;
  readonly from?: number;
  readonly to?: number;
}

/** Two columns beside each other; a side without a line is null. */
export interface DiffRow {
  readonly left: { readonly line: number; readonly text: string; readonly class: "same" | "removed" } | null;
  readonly right: { readonly line: number; readonly text: string; readonly class: "same" | "added" } | null;
}

/** Lines that differ at most for the shortest way to be looked for; texts further apart are told as one block for another. */
const MOST_DIFFERENT = 800;

/** The fewest lines that make one text of the other. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const lines: DiffLine[] = [];
  const same = (i: number, j: number): void => void lines.push({ class: "same", text: before[i]!, from: i + 1, to: j + 1 });
  for (let i = 0; i < start; i++) same(i, i);
  let [i, j] = [start, start];
  for (const step of steps(before.slice(start, before.length - end), after.slice(start, after.length - end))) {
    if (step === "same") same(i++, j++);
    else if (step === "removed") lines.push({ class: "removed", text: before[i]!, from: ++i });
    else lines.push({ class: "added", text: after[j]!, to: ++j });
  }
  while (i < before.length) same(i++, j++);
  return lines;
}

/** Myers' greedy search: for each number of differences, how far each diagonal gets. */
function steps(before: readonly string[], after: readonly string[]): DiffLine["class"][] {
  const most = Math.min(before.length + after.length, MOST_DIFFERENT);
  const reached: Int32Array[] = [];
  let far = new Int32Array(2 * most + 3);
  const at = (diagonal: number): number => diagonal + most + 1;
  for (let differences = 0; differences <= most; differences++) {
    for (let diagonal = -differences; diagonal <= differences; diagonal += 2) {
      const isDown = diagonal === -differences || (diagonal !== differences && far[at(diagonal - 1)]! < far[at(diagonal + 1)]!);
      let x = isDown ? far[at(diagonal + 1)]! : far[at(diagonal - 1)]! + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      far[at(diagonal)] = x;
      if (x >= before.length && x - diagonal >= after.length) return walked(reached, differences, before.length, after.length, at);
    }
    reached.push(far);
    far = far.slice();
  }
  return [...before.map(() => "removed" as const), ...after.map(() => "added" as const)];
}

function walked(reached: readonly Int32Array[], differences: number, beforeCount: number, afterCount: number, at: (diagonal: number) => number): DiffLine["class"][] {
  const found: DiffLine["class"][] = [];
  let [x, y] = [beforeCount, afterCount];
  for (let d = differences; d > 0; d--) {
    const far = reached[d - 1]!;
    const diagonal = x - y;
    const isDown = diagonal === -d || (diagonal !== d && far[at(diagonal - 1)]! < far[at(diagonal + 1)]!);
    const fromDiagonal = isDown ? diagonal + 1 : diagonal - 1;
    const fromX = far[at(fromDiagonal)]!;
    const beginX = isDown ? fromX : fromX + 1;
    for (; x > beginX; x--) found.push("same");
    found.push(isDown ? "added" : "removed");
    [x, y] = [fromX, fromX - fromDiagonal];
  }
  for (; x > 0; x--) found.push("same");
  return found.reverse();
}

/** Lines that went stand beside those that came in their place. */
export function sideBySide(lines: readonly DiffLine[]): DiffRow[] {
  const rows: DiffRow[] = [];
  let removed: DiffLine[] = [];
  let added: DiffLine[] = [];
  const flush = (): void => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      const [left, right] = [removed[i], added[i]];
      rows.push({ left: left ? { line: left.from!, text: left.text, class: "removed" } : null, right: right ? { line: right.to!, text: right.text, class: "added" } : null });
    }
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.class === "removed") removed.push(line);
    else if (line.class === "added") added.push(line);
    else {
      flush();
      rows.push({ left: { line: line.from!, text: line.text, class: "same" }, right: { line: line.to!, text: line.text, class: "same" } });
    }
  }
  flush();
  return rows;
}

/** One text, as `diff -u` marks its lines. */
export function unifiedText(lines: readonly DiffLine[]): string {
  return lines.map(({ class: of, text }) => `${of === "removed" ? "-" : of === "added" ? "+" : " "}${text}`).join("\n");
}
