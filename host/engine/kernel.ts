export type Variant = "simd" | "scalar";

/** The kernels' exports as this host calls them: addresses and counts, nothing else. */
export interface Kernel {
  extract(plan: number, start: number, end: number): number;
  validateUtf8(start: number, end: number): number;
  derive(steps: number, count: number, rows: number, shared: number, sharedLength: number): number;
  deriveTimes(column: number, rows: number, arrivalMs: number, latestMs: number, times: number, highs: number, high: number): bigint;
  clearColumn(descriptor: number, rows: number): void;
  clearColumns(list: number, count: number, rows: number): void;
  deriveAddresses(struct: number, rows: number): number;
  addressCandidates(struct: number, rows: number): number;
  listedTexts(struct: number, rows: number): number;
  tagArena(start: number, end: number): void;
  tagSetup(): void;
  match(plan: number, rows: number): number;
  matchBits(plan: number, rows: number, out: number): void;
  combineMasks(target: number, source: number, rows: number, how: number): number;
  setRows(column: number, mask: number, rows: number, address: number, length: number, kind: number): void;
  moveRows(target: number, source: number, mask: number, rows: number, flags: number, capacity: number, own: number, moved: number): number;
  dropTimeless(column: number, mask: number, rows: number, arrivalMs: number): void;
  convert(struct: number, rows: number): number;
  buildText(struct: number, rows: number): number;
  layTags(struct: number, rows: number): number;
  normalizeStatus(column: number, mask: number, rows: number): void;
  grok(struct: number, rows: number, ruleCount: number): number;
  lines(struct: number, start: number, end: number): number;
  textArena(start: number, end: number): void;
  anyBegins(column: number, rows: number, first: number, second: number): number;
  textHashLow(address: number, length: number): number;
  textHashHigh(address: number, length: number): number;
  emit(emit: number, pairs: number, count: number): number;
  emitReset(emit: number): void;
}
