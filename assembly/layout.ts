/**
 * The one map both sides read: sizes, offsets, codes. Plain numeric constants only, so that this file is
 * valid AssemblyScript and valid TypeScript.
 *
 * Cell, 8 bytes, one value of one column in one row. 0 = the row has no value (null and absent alike).
 *   bits  0..31  address of the first byte of the value's text
 *   bits 32..59  length in bytes
 *   bits 60..63  kind, below
 * Strings are unescaped, valid UTF-8 (a lone surrogate is kept as its three bytes). Numbers are in shortest decimal form
 * (what JavaScript prints), booleans are `true` or `false`. 64 bytes after every value may be read.
 */
export const KIND_STRING = 1;
export const KIND_NUMBER = 2;
export const KIND_BOOLEAN = 3;

/** Rows of one inner batch at most. Row bitsets are ROW_CAP / 8 = 512 bytes. */
export const ROW_CAP = 4096;
export const ROW_WORD_BYTES = 512;

/**
 * Column descriptor, 16 bytes; column f of a plan is at columnTable + f * COLUMN_BYTES.
 *  offset type field
 *       0  u32  cells        u64[ROW_CAP]: the row's first value
 *       4  u32  extraCells   u64[extraCount]: further values of rows that have several
 *       8  u32  extraRows    u32[extraCount]: which row each belongs to (not necessarily ascending)
 *      12  u32  extraCount
 */
export const COLUMN_BYTES = 16;
export const COLUMN_CELLS = 0;
export const COLUMN_EXTRA_CELLS = 4;
export const COLUMN_EXTRA_ROWS = 8;
export const COLUMN_EXTRA_COUNT = 12;

/** Bytes after a slot or an arena that may be read (never interpreted). */
export const READ_PAD = 128;

/**
 * Derive: columns computed from columns, once per inner batch.
 *
 * Step, 32 bytes; a plan has a list of them, run in order.
 *  offset type field
 *       0  u32  kind     STEP_*
 *       4  u32  target   address of the target's column descriptor
 *       8  u32  source   address of the source's column descriptor (coalesce, status, tags)
 *      12  u32  mask     address of a row bitset that limits the step, 0 = every row
 *      16  u32  text     address of a constant text (default), or of the wanted tag keys (tags)
 *      20  u32  length   its length in bytes, or the number of keys
 *      24  u32  extra    capacity of the target's extras in entries (coalesce, tags)
 *      28  u32  unused
 */
export const STEP_BYTES = 32;
export const STEP_KIND = 0;
export const STEP_TARGET = 4;
export const STEP_SOURCE = 8;
export const STEP_MASK = 12;
export const STEP_TEXT = 16;
export const STEP_LENGTH = 20;
export const STEP_EXTRA = 24;

/** Fill the target's empty rows from the source (values and extras alike). */
export const STEP_COALESCE = 1;
/** Fill the target's empty rows with the constant text. */
export const STEP_DEFAULT = 2;
/** Replace the target's values by their normalised log status; empty rows become `info`. */
export const STEP_STATUS = 3;
/** Split comma text (or an array of tags) into normalised tags: to the tags column and to one column per wanted key. */
export const STEP_TAGS = 4;
/** Distribute ready tags (one per value) of the source to one column per wanted key. */
export const STEP_TAG_KEYS = 5;
/** Set the target's rows, whatever stands there, to the constant text. */
export const STEP_SET = 6;

/** Wanted tag key, 16 bytes: u32 text, u32 length, u32 column descriptor, u32 capacity of its extras. */
export const TAG_KEY_BYTES = 16;
export const TAG_KEY_TEXT = 0;
export const TAG_KEY_LENGTH = 4;
export const TAG_KEY_TARGET = 8;
export const TAG_KEY_EXTRA = 12;

/**
 * Emit: what one inner batch tells the detectors, 88 bytes of configuration.
 *  offset type field
 *       0  u32  shapes     address of u32[standing] -> shape address (below)
 *       4  u32  times      f64[ROW_CAP] event time in ms
 *       8  u32  highs      f64[ROW_CAP] highest event time so far
 *      12  u32  rowStart   u32[ROW_CAP]
 *      16  u32  rowEnd     u32[ROW_CAP]
 *      20  u32  capacity   records the result arrays hold
 *      24  u32  outTime    f64[]
 *      28  u32  outHigh    f64[]
 *      32  u32  outKeyHash u64[]
 *      36  u32  outValue   u64[]
 *      40  u32  outStanding u32[]
 *      44  u32  outRow     u32[]
 *      48  u32  outKeyStart u32[]
 *      52  u32  outKeyLength u32[]
 *      56  u32  outEventStart u32[]
 *      60  u32  outEventLength u32[]
 *      64  u32  keys       bytes of key texts
 *      68  u32  keysEnd
 *      72  u32  keysUsed   set by emit
 *      76  u32  count      set by emit, records written so far in this task
 *      80  u32  columns    address of column descriptor 0
 */
export const EMIT_SHAPES = 0;
export const EMIT_TIMES = 4;
export const EMIT_HIGHS = 8;
export const EMIT_ROW_START = 12;
export const EMIT_ROW_END = 16;
export const EMIT_CAPACITY = 20;
export const EMIT_OUT_TIME = 24;
export const EMIT_OUT_HIGH = 28;
export const EMIT_OUT_KEY_HASH = 32;
export const EMIT_OUT_VALUE = 36;
export const EMIT_OUT_STANDING = 40;
export const EMIT_OUT_ROW = 44;
export const EMIT_OUT_KEY_START = 48;
export const EMIT_OUT_KEY_LENGTH = 52;
export const EMIT_OUT_EVENT_START = 56;
export const EMIT_OUT_EVENT_LENGTH = 60;
export const EMIT_KEYS = 64;
export const EMIT_KEYS_END = 68;
export const EMIT_KEYS_USED = 72;
export const EMIT_COUNT = 76;
export const EMIT_COLUMNS = 80;
export const EMIT_BYTES = 96;

/**
 * Shape of a standing query, 16 bytes and its lists.
 *  offset type field
 *       0  u8   aggregation  AGGREGATE_*
 *       1  u8   optional     1: a missing group value becomes N/A
 *       2  u8   groups       number of group columns (at most 8)
 *       3  u8   values       number of distinct columns, or 1 for a metric
 *       4  u32  groups[8], then u32 values[8]: column numbers
 */
export const SHAPE_BYTES = 72;
export const SHAPE_AGGREGATION = 0;
export const SHAPE_OPTIONAL = 1;
export const SHAPE_GROUPS = 2;
export const SHAPE_VALUES = 3;
export const SHAPE_GROUP_COLUMNS = 4;
export const SHAPE_VALUE_COLUMNS = 36;
export const SHAPE_LIST_CAP = 8;
export const AGGREGATE_COUNT = 0;
export const AGGREGATE_CARDINALITY = 1;
export const AGGREGATE_NUMBER = 2;
/** Groups one row may belong to (arrays of group values). */
export const GROUP_COMBINATIONS = 32;
