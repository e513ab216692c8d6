import { BODY_COUNT, BODY_FLAGS, BODY_FOLDED, BODY_SPANS, BODY_SPAN_BYTES } from "../layout";

const LINE_FEED: u8 = 0x0a;
const BLANK: u8 = 0x20;

/** Line feeds in [start, end), outside strings in what was found to be JSON, become blanks. */
function unfold(start: usize, end: usize): void {
  let p = start;
  if (ASC_FEATURE_SIMD) {
    const feed = i8x16.splat(LINE_FEED);
    const blank = i8x16.splat(BLANK);
    for (; p + 16 <= end; p += 16) {
      const bytes = v128.load(p);
      v128.store(p, v128.bitselect(blank, bytes, i8x16.eq(bytes, feed)));
    }
  }
  for (; p < end; p++) if (load<u8>(p) == LINE_FEED) store<u8>(p, BLANK);
}

/**
 * Makes lines, in place, of the elements that frameScan found: a line feed before each but the first, blanks else between them and for
 * line feeds in them. Each must have its span and, but the first, a byte between itself and the one before.
 */
export function frameLines(struct: usize): void {
  const folded = (load<u32>(struct, BODY_FLAGS) & BODY_FOLDED) != 0;
  const first = <usize>load<u32>(struct, BODY_SPANS);
  const last = first + <usize>load<u32>(struct, BODY_COUNT) * BODY_SPAN_BYTES;
  let end: usize = 0;
  for (let span = first; span < last; span += BODY_SPAN_BYTES) {
    const start = <usize>load<u32>(span);
    if (end) {
      for (; end < start - 1; end++) store<u8>(end, BLANK);
      store<u8>(start - 1, LINE_FEED);
    }
    end = <usize>load<u32>(span, 4);
    if (folded) unfold(start, end);
  }
}
