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
 * Column descriptor, 32 bytes; column f of a plan is at columnTable + f * COLUMN_BYTES.
 *  offset type field
 *       0  u32  cells        u64[ROW_CAP]: the row's first value
 *       4  u32  extraCells   u64[extraCount]: further values of rows that have several
 *       8  u32  extraRows    u32[extraCount]: which row each belongs to (not necessarily ascending)
 *      12  u32  extraCount
 *      16  u32  blank        1: every cell is 0 and there are no extras, so that nobody needs to look; 0: there may be values.
 *                            Whoever puts a value into a column writes 0
 *      20  u32  rows         rows that may hold something since the column was last emptied, where `clearColumns` empties it
 */
export const COLUMN_BYTES = 32;
export const COLUMN_CELLS = 0;
export const COLUMN_EXTRA_CELLS = 4;
export const COLUMN_EXTRA_ROWS = 8;
export const COLUMN_EXTRA_COUNT = 12;
export const COLUMN_BLANK = 16;
export const COLUMN_ROWS = 20;

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
 *      28  u32  own      the target's own extras, used once it takes over a source's: u64[extra], then u32[extra]
 */
export const STEP_BYTES = 32;
export const STEP_KIND = 0;
export const STEP_TARGET = 4;
export const STEP_SOURCE = 8;
export const STEP_MASK = 12;
export const STEP_TEXT = 16;
export const STEP_LENGTH = 20;
export const STEP_EXTRA = 24;
export const STEP_OWN = 28;

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
 * Emit: what one inner batch tells the detectors, 96 bytes of configuration.
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
 *      84  u32  rowBase    events of the task before this batch
 *      88  u32  outId      u64[] hash of the event's own id, 0 where it has none; not written when ids is 0
 *      92  u32  ids        address of u32 count and u32[count] columns that may hold an id, the first to be asked first; 0 = nobody asks
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
/** Events of the task before this batch: added to every row. */
export const EMIT_ROW_BASE = 84;
export const EMIT_OUT_ID = 88;
export const EMIT_IDS = 92;
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
/** Texts of the value fields: the record's value is the address of a list in the keys' area and, in its upper half, the list's length in bytes. By field: u32 count, then for each value u32 length and its bytes. */
export const AGGREGATE_TEXTS = 3;
/** Groups one row may belong to (arrays of group values). */
export const GROUP_COMBINATIONS = 32;

/**
 * Extract: JSON bytes to columns. One struct per plan; every area it names is the host's and lives as long as the struct.
 *  offset type field
 *       0  u32  columnTable       address of column descriptor 0
 *       4  u32  columnList        u32[columnListCount]: numbers of the columns this plan fills (only these are zeroed)
 *       8  u32  columnListCount
 *      12  u32  cells             column f's primary cells are at cells + f * ROW_CAP * 8; a multiple of ROW_CAP * 8
 *      16  u32  spareCells        u64[ROW_CAP]: where values nobody wants are written; behind the cells
 *      20  u32  rowStart          u32[ROW_CAP]: first byte of the record
 *      24  u32  rowEnd            u32[ROW_CAP]: one past its last byte
 *      28  u32  bad               BAD_BYTES each: records that were refused
 *      32  u32  badCapacity
 *      36  u32  badCount          set by extract, per call
 *      40  u32  extraLog          EXTRA_LOG_BYTES each, working area
 *      44  u32  extraCapacity     entries of extraLog, extraCells, extraRows
 *      48  u32  extraCells        u64[]
 *      52  u32  extraRows         u32[]
 *      56  u32  arena             unescaped strings and rewritten numbers, emptied by each call
 *      60  u32  arenaEnd
 *      64  u32  root              plan node of the record
 *      68  u32  edges             EDGE_BYTES each, open addressing
 *      72  u32  edgeMask
 *      76  u32  states            learned, STATE_BYTES each
 *      80  u32  stateCapacity
 *      84  u32  transitions       learned, TRANSITION_BYTES each
 *      88  u32  transitionCapacity
 *      92  u32  stateTable        u32[stateMask + 1]
 *      96  u32  stateMask
 *     100  u32  keyPool           bytes of learned keys
 *     104  u32  keyPoolEnd
 *     108  u32  owners            u32[columns]: learned, the only state that feeds a column
 *     112  u32  recordLog         EXTRA_LOG_BYTES each: values of the record at hand
 *     116  u32  recordLogCapacity
 *     120  u32  members           MEMBER_BYTES each: keys of objects below exists and all paths
 *     124  u32  memberMask
 *     128  u32  stack             FRAME_BYTES * (DEPTH_CAP + 1)
 *     132  u32  flags             EXTRACT_FLAG_*
 *     136  u32  inputStart        caller sets 1 before the first call of an input: a byte order mark is skipped; cleared by extract
 *     140  u32  inArray           extract stopped inside a line that is an array; caller clears it when it drops that input
 *     144  u32  consumed          bytes read by the call; call again with start + consumed
 *     148  u32  arenaTop          set by extract
 *     152  u32  extraCount        set by extract
 *     156  u32  droppedValues     values of single records beyond the areas' capacity, counted since the struct was made
 *     160  u32  learnReady        0 = tables are to be cleared at the next call (host writes 0)
 *     164  u32  stateTop          learned tables' fill
 *     168  u32  transitionTop
 *     172  u32  keyPoolTop
 *     176  u32  skipRecords       records still to be read by the parser before learning is tried again
 *     180  u32  skipSpan          how many that were last time
 *     184  u32  budget            how badly prediction fares, 0 = well
 *     188  u32  countParsed       records read by the parser, wraps
 *     192  u32  countMissed       predictions that failed, wraps
 *     196  u32  countLearned      transitions learned, wraps
 *     200  u64  instance          last number given to an object
 *     208  u32  bitNext           duplicate-key bits given out outside arrays
 *     212  u32  arrayBitNext      and inside arrays
 *     216  u32  messageColumn     column of the message, NO_COLUMN = no JSON in message
 *     220  u32  messageNode       plan node of an object inside the message
 *     224  u32  wire              MEMBER_BYTES each: top-level member names of the record at hand
 *     228  u32  wireMask
 *     232  u32  countNested       messages that were JSON objects, wraps
 *     236  u32  lateStamps        u32[columns]: record in which a column was last given a value from the log's reserve
 *     240  u32  countAhead        records read ahead of the others, wraps
 *     244  u32  marks             u8[]: by 32 KB of addresses from the cells on, 1 = the call at hand has written there
 *     248  u32  lastRows          rows of the last call, which later steps may have written to
 */
export const EXTRACT_COLUMN_TABLE = 0;
export const EXTRACT_COLUMN_LIST = 4;
export const EXTRACT_COLUMN_LIST_COUNT = 8;
export const EXTRACT_CELLS = 12;
export const EXTRACT_SPARE_CELLS = 16;
export const EXTRACT_ROW_START = 20;
export const EXTRACT_ROW_END = 24;
export const EXTRACT_BAD = 28;
export const EXTRACT_BAD_CAPACITY = 32;
export const EXTRACT_BAD_COUNT = 36;
export const EXTRACT_EXTRA_LOG = 40;
export const EXTRACT_EXTRA_CAPACITY = 44;
export const EXTRACT_EXTRA_CELLS = 48;
export const EXTRACT_EXTRA_ROWS = 52;
export const EXTRACT_ARENA = 56;
export const EXTRACT_ARENA_END = 60;
export const EXTRACT_ROOT = 64;
export const EXTRACT_EDGES = 68;
export const EXTRACT_EDGE_MASK = 72;
export const EXTRACT_STATES = 76;
export const EXTRACT_STATE_CAPACITY = 80;
export const EXTRACT_TRANSITIONS = 84;
export const EXTRACT_TRANSITION_CAPACITY = 88;
export const EXTRACT_STATE_TABLE = 92;
export const EXTRACT_STATE_MASK = 96;
export const EXTRACT_KEY_POOL = 100;
export const EXTRACT_KEY_POOL_END = 104;
export const EXTRACT_OWNERS = 108;
export const EXTRACT_RECORD_LOG = 112;
export const EXTRACT_RECORD_LOG_CAPACITY = 116;
export const EXTRACT_MEMBERS = 120;
export const EXTRACT_MEMBER_MASK = 124;
export const EXTRACT_STACK = 128;
export const EXTRACT_FLAGS = 132;
export const EXTRACT_INPUT_START = 136;
export const EXTRACT_IN_ARRAY = 140;
export const EXTRACT_CONSUMED = 144;
export const EXTRACT_ARENA_TOP = 148;
export const EXTRACT_EXTRA_COUNT = 152;
export const EXTRACT_DROPPED_VALUES = 156;
export const EXTRACT_LEARN_READY = 160;
export const EXTRACT_STATE_TOP = 164;
export const EXTRACT_TRANSITION_TOP = 168;
export const EXTRACT_KEY_POOL_TOP = 172;
export const EXTRACT_SKIP_RECORDS = 176;
export const EXTRACT_SKIP_SPAN = 180;
export const EXTRACT_BUDGET = 184;
export const EXTRACT_COUNT_PARSED = 188;
export const EXTRACT_COUNT_MISSED = 192;
export const EXTRACT_COUNT_LEARNED = 196;
export const EXTRACT_INSTANCE = 200;
export const EXTRACT_BIT_NEXT = 208;
export const EXTRACT_ARRAY_BIT_NEXT = 212;
export const EXTRACT_MESSAGE_COLUMN = 216;
export const EXTRACT_MESSAGE_NODE = 220;
export const EXTRACT_WIRE = 224;
export const EXTRACT_WIRE_MASK = 228;
export const EXTRACT_COUNT_NESTED = 232;
export const EXTRACT_LATE_STAMPS = 236;
export const EXTRACT_COUNT_AHEAD = 240;
export const EXTRACT_MARKS = 244;
export const EXTRACT_LAST_ROWS = 248;
export const EXTRACT_BYTES = 256;
/** Last places of the record log, kept for columns that have nothing yet when one column floods it. */
export const RECORD_LOG_RESERVE = 4096;

/** Every record goes through the exact parser (plans with an "all" column). */
export const EXTRACT_FLAG_PARSE = 1;
export const NO_COLUMN = 0xffffffff;
/** Containers inside containers, the record's own included. */
export const DEPTH_CAP = 256;

/** Refused record, 12 bytes: u32 start, u32 end (addresses), u32 reason. */
export const BAD_BYTES = 12;
export const BAD_START = 0;
export const BAD_END = 4;
export const BAD_REASON = 8;
export const REASON_NOT_JSON = 1;
export const REASON_TRUNCATED = 2;
export const REASON_BAD_STRING = 3;
export const REASON_BAD_NUMBER = 4;
export const REASON_BAD_ESCAPE = 5;
export const REASON_TRAILING_BYTES = 6;
export const REASON_TOO_DEEP = 7;
export const REASON_NOT_AN_OBJECT = 8;

/** Logged value, 16 bytes: u64 cell, u32 row (record log: unused), u32 column with FEED_* in its high bits. */
export const EXTRA_LOG_BYTES = 16;
export const EXTRA_LOG_CELL = 0;
export const EXTRA_LOG_ROW = 8;
export const EXTRA_LOG_COLUMN = 12;

/**
 * Plan node, 24 bytes: what a scalar here feeds, and where keys lead from here.
 *  offset type field
 *       0  u32  feeds      u32[feedCount]: column number, FEED_FIRST set when one value is enough (exists)
 *       4  u32  feedCount
 *       8  u32  rest       node of keys that have no edge, 0 = nobody cares; may be the node itself
 *      12  u32  flags
 *      16  u64  keys       bit NODE_KEY_FACTOR * first byte + length (mod 64) of each key that has an edge; all ones when any leads on
 */
export const NODE_BYTES = 24;
export const NODE_FEEDS = 0;
export const NODE_FEED_COUNT = 4;
export const NODE_REST = 8;
export const NODE_FLAGS = 12;
export const NODE_KEYS = 16;
/** The empty key's first byte is taken to be the quote that follows it. */
export const NODE_KEY_FACTOR = 5;
export const NODE_KEY_EMPTY = 0x22;
/** Keys matter below this node. */
export const NODE_FLAG_INNER = 1;
export const FEED_FIRST = 0x80000000;
export const FEED_COLUMN = 0x00ffffff;
/** Value of a wire member, marked so that a message inside cannot override it. */
export const FEED_DEAD = 0x40000000;

/**
 * Edge, 40 bytes: key text under a node. The last three fields are shared with members, below.
 *  offset type field
 *       0  u64  stamp      object instance that last had this key
 *       8  u32  logStart   its values in the record log
 *      12  u32  logEnd
 *      16  u32  node       0 = free place
 *      20  u32  child
 *      24  u32  key
 *      28  u32  keyLength
 *      32  u32  hash
 */
export const EDGE_BYTES = 40;
export const EDGE_STAMP = 0;
export const EDGE_LOG_START = 8;
export const EDGE_LOG_END = 12;
export const EDGE_NODE = 16;
export const EDGE_CHILD = 20;
export const EDGE_KEY = 24;
export const EDGE_KEY_LENGTH = 28;
export const EDGE_HASH = 32;

/** Member, 32 bytes: a key seen in an object below an exists or all path; starts as an edge does, then u32 key, keyLength, u64 record. */
export const MEMBER_BYTES = 32;
export const MEMBER_KEY = 16;
export const MEMBER_KEY_LENGTH = 20;
export const MEMBER_RECORD = 24;

/** Frame of the parser's stack, 32 bytes. */
export const FRAME_BYTES = 32;
/** Learned tables (private to assembly/extract, sized by the host). */
export const STATE_BYTES = 144;
export const TRANSITION_BYTES = 112;

/**
 * Match: predicates over columns into row bitsets, programs over bitsets, (standing, row) pairs.
 *
 * Plan of the matcher, u32 fields.
 *  offset field
 *       0 predicates      PREDICATE_BYTES each
 *       4 predicateCount
 *       8 bits            ROW_WORD_BYTES per predicate
 *      12 stamps          u32 per predicate: batch in which its bitset was last begun
 *      16 fired           u32[]: eager predicates that hold somewhere in the batch
 *      20 jobs            JOB_BYTES each
 *      24 jobCount
 *      28 queryCount
 *      32 programs        u32 per query: address of its code
 *      36 covers          u32 per predicate: address of {u32 count, u32 query...}, or 0
 *      40 always          u32[]: queries without a cover
 *      44 alwaysCount
 *      48 wanted          bitset of queries to run
 *      52 stack           bitsets of nested groups
 *      56 results         u32 per result: its query
 *      60 resultBits      ROW_WORD_BYTES per result
 *      68 pairs           u32 standing, u32 row
 *      72 pairCapacity
 *      76 scratch         folded copy of one text, READ_PAD readable bytes on both sides
 *      80 scratchBytes
 *      84 times           f64[ROW_CAP], event times
 *      88 rowCounts       u32[ROW_CAP + 1]
 *      92 notes           u64 per predicate: batch or value it was last busy with, so that no work is done twice
 *      96 epoch           number of the batch, advanced by every call, never 0
 *     100 evaluated       programs run, wraps
 *     104 states          a byte per symbol of the longest pattern over several words
 *     108 ids             u32 per query: its standing number, ascending
 *     112 pages           UNICODE_BYTES: lower case and word rule of every code point
 *     116 chosen          u32[ROW_CAP]: rows that passed a filter
 *     120 hashes          u64[ROW_CAP]: hashes of the chosen rows' texts
 *     124 counters        u32 batches run, u32 rows matched per query, both wrap
 */
export const MATCH_PREDICATES = 0;
export const MATCH_PREDICATE_COUNT = 4;
export const MATCH_BITS = 8;
export const MATCH_STAMPS = 12;
export const MATCH_FIRED = 16;
export const MATCH_JOBS = 20;
export const MATCH_JOB_COUNT = 24;
export const MATCH_QUERY_COUNT = 28;
export const MATCH_PROGRAMS = 32;
export const MATCH_COVERS = 36;
export const MATCH_ALWAYS = 40;
export const MATCH_ALWAYS_COUNT = 44;
export const MATCH_WANTED = 48;
export const MATCH_STACK = 52;
export const MATCH_RESULTS = 56;
export const MATCH_RESULT_BITS = 60;
export const MATCH_PAIRS = 68;
export const MATCH_PAIR_CAPACITY = 72;
export const MATCH_SCRATCH = 76;
export const MATCH_SCRATCH_BYTES = 80;
export const MATCH_TIMES = 84;
export const MATCH_ROW_COUNTS = 88;
export const MATCH_NOTES = 92;
export const MATCH_EPOCH = 96;
export const MATCH_EVALUATED = 100;
export const MATCH_STATES = 104;
export const MATCH_IDS = 108;
export const MATCH_PAGES = 112;
export const MATCH_CHOSEN = 116;
export const MATCH_HASHES = 120;
export const MATCH_COUNTERS = 124;
export const MATCH_BYTES = 128;
/** u32 per code point, filled a page of 256 at a time. */
export const UNICODE_BYTES = 0x440000;

/**
 * Predicate, 56 bytes.
 *  offset type field
 *       0  u32  kind     PREDICATE_*
 *       4  u32  column   address of its descriptor
 *       8  u32  text     pattern symbols, word sequence, lower bound, IPv4 ranges
 *      12  u32  length   symbols, words, bytes, ranges
 *      16  f64  low
 *      24  f64  high
 *      32  u32  flags    RANGE_*
 *      36  u32  text2    upper bound, IPv6 ranges; word sequence: which word is searched for
 *      40  u32  length2
 *      44  u32  numbers  f64[ROW_CAP] shared by all numeric predicates of a column, NUMBERS_* before them
 */
export const PREDICATE_BYTES = 56;
export const PREDICATE_KIND = 0;
export const PREDICATE_COLUMN = 4;
export const PREDICATE_TEXT = 8;
export const PREDICATE_LENGTH = 12;
export const PREDICATE_LOW = 16;
export const PREDICATE_HIGH = 24;
export const PREDICATE_FLAGS = 32;
export const PREDICATE_TEXT2 = 36;
export const PREDICATE_LENGTH2 = 40;
export const PREDICATE_NUMBERS = 44;
/** Before a column's numbers: u32 batch they were read in, f64 least, f64 greatest of them, by bytes back from the first. */
export const NUMBERS_HEAD = 32;
export const NUMBERS_BATCH = 8;
export const NUMBERS_LEAST = 16;
export const NUMBERS_GREATEST = 24;

/** Eager: a job over the whole column fills the bitset, so it is known early whether it fired. The others wait to be asked. */
export const PREDICATE_EAGER = 0;
export const PREDICATE_EXISTS = 1;
export const PREDICATE_NUMBER = 2;
/** Text bounds, and numeric ones beside them when a range has one of each. */
export const PREDICATE_TEXT_RANGE = 3;
export const PREDICATE_GLOB = 4;
export const PREDICATE_CIDR = 5;
export const PREDICATE_WORDS = 6;
export const PREDICATE_WORD_GLOB = 7;
export const PREDICATE_TIME = 8;
/** A word pattern that holds separators itself. */
export const PREDICATE_SPAN_GLOB = 9;

export const RANGE_INCLUDE_LOW = 1;
export const RANGE_INCLUDE_HIGH = 2;
export const RANGE_HAS_LOW_TEXT = 4;
export const RANGE_HAS_HIGH_TEXT = 8;
export const RANGE_HAS_NUMBER = 16;
export const RANGE_NOT_NUMBER = 32;

/**
 * Job over a column, 32 bytes.
 *  offset type field
 *       0  u32  kind     JOB_*
 *       4  u32  column   address of its descriptor
 *       8  u32  table    constants, literals or groups, below
 *      12  u32  mask     entries - 1 (tables), or their number (few constants, groups)
 *      16  u32  filter   bits; none is set for a text that cannot be in the table
 *      20  u32  shift    32 - log2 of the filter's bits
 *      24  u32  gram     bytes of a gram that count, as a mask (ends), or 1 when texts are compared lower-cased (literals)
 */
export const JOB_BYTES = 32;
export const JOB_KIND = 0;
export const JOB_COLUMN = 4;
export const JOB_TABLE = 8;
export const JOB_MASK = 12;
export const JOB_FILTER = 16;
export const JOB_SHIFT = 20;
export const JOB_GRAM = 24;
/** Whole values, many constants. */
export const JOB_EQUAL = 1;
/** Whole values of at most 16 bytes, at most JOB_FEW_CAP constants. */
export const JOB_EQUAL_FEW = 2;
/** Literals anywhere in the values. */
export const JOB_LITERAL = 3;
/** Literals at the values' beginning, and at their end. */
export const JOB_PREFIX = 4;
export const JOB_SUFFIX = 5;
export const JOB_FEW_CAP = 8;

/** Constant of an equality job, 32 bytes: u64 hash, u32 text, length, postings {u32 count, u32 predicate...}, kinds (bit per cell kind). */
export const CONSTANT_BYTES = 32;
export const CONSTANT_HASH = 0;
export const CONSTANT_TEXT = 8;
export const CONSTANT_LENGTH = 12;
export const CONSTANT_POSTINGS = 16;
export const CONSTANT_KINDS = 20;

/**
 * One of few constants, 48 bytes: u64 head, headMask, tail, tailMask (bytes 0..7 and 8..15), u64 length, u32 postings. Text decides
 * alone, so constants that only some kinds of cells may equal do not belong here.
 */
export const FEW_BYTES = 48;
export const FEW_HEAD = 0;
export const FEW_HEAD_MASK = 8;
export const FEW_TAIL = 16;
export const FEW_TAIL_MASK = 24;
export const FEW_LENGTH = 32;
export const FEW_POSTINGS = 40;

/** Literals of a job that are searched at one stride, 24 bytes. */
export const GROUP_BYTES = 24;
export const GROUP_TABLE = 0;
export const GROUP_MASK = 4;
export const GROUP_FILTER = 8;
export const GROUP_SHIFT = 12;
export const GROUP_STRIDE = 16;
export const GROUP_GRAM = 20;

/** Gram of a literal, 32 bytes; an entry with predicate NO_PREDICATE is free. `offset` is the gram's place in the literal. */
export const LITERAL_BYTES = 32;
export const LITERAL_GRAM = 0;
export const LITERAL_PREDICATE = 4;
export const LITERAL_TEXT = 8;
export const LITERAL_LENGTH = 12;
export const LITERAL_OFFSET = 16;
export const LITERAL_VERIFY = 20;
export const NO_PREDICATE = 0xffffffff;
/** What must hold where a literal was found. */
export const VERIFY_NONE = 0;
export const VERIFY_GLOB = 1;
/** The literal is one word of a sequence. */
export const VERIFY_WORDS = 2;
export const VERIFY_WORD_GLOB = 3;
export const VERIFY_SPAN_GLOB = 4;

/** Pattern symbols: 0..255 a byte, then these. A pattern is u16 symbols. */
export const GLOB_ONE = 256;
export const GLOB_ANY = 257;

/** Program: u32 steps, code in the high 4 bits, a predicate in the low 26. */
export const CODE_END = 0;
export const CODE_LOAD = 1;
export const CODE_AND = 2;
export const CODE_AND_NOT = 3;
export const CODE_OR = 4;
export const CODE_PUSH = 5;
export const CODE_POP_AND = 6;
export const CODE_POP_OR = 7;
export const CODE_POP_AND_NOT = 8;
export const CODE_ONES = 9;
export const CODE_ZEROS = 10;
export const CODE_NOT = 11;
export const CODE_PREDICATE = 0x03ffffff;
/** The predicate is a lazy one. */
export const CODE_LAZY = 0x04000000;
/** No row is left after this step: the program ends without a match. */
export const CODE_EXIT_IF_EMPTY = 0x08000000;

/**
 * Addresses: every IP address of an event, u32 fields.
 *  offset field
 *       0 sources      u32[sourceCount]: descriptors of the columns whose texts are searched
 *       4 sourceCount
 *       8 listed       the one among them whose values all count, whatever they are; 0 = none
 *      12 target       descriptor of the addresses column
 *      16 capacity     its extras in entries
 *      20 texts        canonical texts that do not stand in the event itself
 *      24 textsEnd
 *      28 seen         SEEN_BYTES each, open addressing, empty between calls; more than twice `capacity` entries
 *      32 seenMask
 *      36 used         u32[capacity + ROW_CAP]: places of `seen` that are taken
 *      40 pages        UNICODE_BYTES, shared with the matcher
 */
export const ADDRESSES_SOURCES = 0;
export const ADDRESSES_SOURCE_COUNT = 4;
export const ADDRESSES_LISTED = 8;
export const ADDRESSES_TARGET = 12;
export const ADDRESSES_CAPACITY = 16;
export const ADDRESSES_TEXTS = 20;
export const ADDRESSES_TEXTS_END = 24;
export const ADDRESSES_SEEN = 28;
export const ADDRESSES_SEEN_MASK = 32;
export const ADDRESSES_USED = 36;
export const ADDRESSES_PAGES = 40;
export const ADDRESSES_BYTES = 64;
/** u64 cell (0 = free), u32 row. */
export const SEEN_BYTES = 16;
export const SEEN_CELL = 0;
export const SEEN_ROW = 8;

/**
 * Candidates: what of the events of a batch may be a listed indicator, u32 fields. Every listed one is among them, or the record is called
 * odd; some others are too.
 *  offset field
 *       0 rowStart
 *       4 rowEnd
 *       8 out          CANDIDATE_BYTES each: addresses in the bytes of the records
 *      12 capacity     of `out` and of `texts`
 *      16 flags        CANDIDATES_*
 *      20 filter4      bits of listed IPv4 addresses: of a hash of theirs the highest bits are a word's number, the lowest tell two bits in it
 *      24 shift4       a hash is shifted right by so much for the word's number
 *      28 blocks4      bit[2^24]: does a listed block touch the addresses of these upper 24 bits? 0 where no block is listed
 *      32 seed         of hashes
 *      36 names        the same as filter4 of listed domains, hosts of listed URLs, and hashes of files
 *      40 namesShift
 *      44 columns      u32[2] each: descriptor, LISTED_*
 *      48 columnCount
 *      52 texts        LISTED_BYTES each: values of columns
 *      56 near4        bit[2^22]: is an address with these upper 22 bits listed, or does a listed block touch them?
 */
export const CANDIDATES_ROW_START = 0;
export const CANDIDATES_ROW_END = 4;
export const CANDIDATES_OUT = 8;
export const CANDIDATES_CAPACITY = 12;
export const CANDIDATES_FLAGS = 16;
export const CANDIDATES_FILTER4 = 20;
export const CANDIDATES_SHIFT4 = 24;
export const CANDIDATES_BLOCKS4 = 28;
export const CANDIDATES_SEED = 32;
export const CANDIDATES_NAMES = 36;
export const CANDIDATES_NAMES_SHIFT = 40;
export const CANDIDATES_COLUMNS = 44;
export const CANDIDATES_COLUMN_COUNT = 48;
export const CANDIDATES_TEXTS = 52;
export const CANDIDATES_NEAR4 = 56;
export const CANDIDATES_BYTES = 64;
/** Records are JSON, where \\ begins an escape. */
export const CANDIDATES_JSON = 1;
/** IPv6 addresses are listed, or blocks of them. */
export const CANDIDATES_WITH_V6 = 2;
/** u32 row, u32 address of its first byte, u32 kind; the address: as a number, or sixteen bytes in network order. */
export const CANDIDATE_BYTES = 32;
export const CANDIDATE_ROW = 0;
export const CANDIDATE_AT = 4;
export const CANDIDATE_KIND = 8;
export const CANDIDATE_ADDRESS = 16;
/** The record spells characters by their numbers that an address may be made of. */
export const CANDIDATE_ODD = 0;
export const CANDIDATE_V4 = 4;
export const CANDIDATE_V6 = 6;
export const CANDIDATES_FULL = 0xffffffff;
/** What the values of a column are. */
export const LISTED_ADDRESS = 1;
export const LISTED_DOMAIN = 2;
export const LISTED_URL = 3;
export const LISTED_HASH = 4;
/** u32 row, u32 place among the columns, u64 cell. */
export const LISTED_BYTES = 16;
/** Hash of a name: of its bytes from the last to the first h = (h ^ byte) * LISTED_FACTOR, beginning with the seed; then mixed. */
export const LISTED_FACTOR = 0x01000193;

/**
 * Reframe: any arrangement of JSON values to one record a line. State kept between chunks, zeroed by the host before the first.
 *  offset type field
 *       0  u32  depth      containers open
 *       4  u32  base       depth at which records lie: 0, 1 in an array, 2 in an array inside a wrapper
 *       8  u32  inString
 *      12  u32  escaped    the next byte of the string is escaped
 *      16  u32  inLine     the line at hand has bytes
 *      20  u32  blank      a blank is owed before the next byte
 *      24  u32  held       bytes held back while they may be the head of a wrapper
 *      28  u32  tail       after a wrapper's array: what follows inside the wrapper is dropped
 *      32  u32  flags      REFRAME_UNWRAP, set by the host
 *      36  u32  headBytes  bytes of a byte order mark seen so far, 3 = over
 *      40  u8[24] head     the held bytes
 */
export const REFRAME_DEPTH = 0;
export const REFRAME_BASE = 4;
export const REFRAME_IN_STRING = 8;
export const REFRAME_ESCAPED = 12;
export const REFRAME_IN_LINE = 16;
export const REFRAME_BLANK = 20;
export const REFRAME_HELD = 24;
export const REFRAME_TAIL = 28;
export const REFRAME_FLAGS = 32;
export const REFRAME_HEAD_BYTES = 36;
export const REFRAME_HEAD = 40;
export const REFRAME_BYTES = 64;
export const REFRAME_UNWRAP = 1;
/** Output of a chunk is at most twice its bytes and this. */
export const REFRAME_SLACK = 64;

/**
 * Body: what came, as a sender arranged it, told apart and cut into its elements.
 *  offset type field
 *       0  u32  spans        u32 start, u32 end of each element, addresses
 *       4  u32  spanCap      elements there is room for
 *       8  u32  stack        u32[stackCap]: 32 levels of open containers each, one bit a level
 *      12  u32  stackCap
 *      16  u32  recordBytes  elements over it are marked
 *      20  u32  count        elements, set by frameScan
 *      24  u32  flags        BODY_*, set by frameScan
 */
export const BODY_SPANS = 0;
export const BODY_SPAN_CAP = 4;
export const BODY_STACK = 8;
export const BODY_STACK_CAP = 12;
export const BODY_RECORD_BYTES = 16;
export const BODY_COUNT = 20;
export const BODY_FLAGS = 24;
export const BODY_BYTES = 32;
export const BODY_SPAN_BYTES = 8;
/** Bytes behind a body that frameScan writes over and puts back. */
export const BODY_PAD = 64;
/** What a body is: nothing but blanks; begins as no JSON; one array; objects side by side; begins as JSON and is none; nested too deep to tell. */
export const BODY_EMPTY = 0;
export const BODY_TEXT = 1;
export const BODY_ARRAY = 2;
export const BODY_OBJECTS = 3;
export const BODY_BROKEN = 4;
export const BODY_DEEP = 5;
/** Some element is no object; is over recordBytes; follows on the one before it without a gap; has line feeds in it; found no room among the spans. */
export const BODY_ODD = 1;
export const BODY_LONG = 2;
export const BODY_TIGHT = 4;
export const BODY_FOLDED = 8;
export const BODY_MANY = 16;

/**
 * Window: keyed state of the detectors, in a memory of its own. One struct per instance; the host fills the first part once.
 *  offset type field
 *       0  u32  standing      WINDOW_STANDING_BYTES each: u32 rule address, u32 place of the query in its rule
 *       4  u32  ruleCount
 *       8  u32  rules         u32[ruleCount]: rule addresses
 *      12  u32  pages         first byte for state, at a multiple of PAGE_BYTES
 *      16  u32  pagesEnd      one past the last; the memory is grown up to there
 *      20  u32  pageTable     u8[pages]
 *      24  u64  seed          of the key hash, so that nobody can prepare keys that collide
 *      32  u32  hashMask      all ones; tests make hashes collide with fewer
 *      36  u32  capacity      records one call takes
 *      40  f64  latenessMs
 *  One batch:
 *      48  u32  inTime        f64[]
 *      52  u32  inHigh        f64[]
 *      56  u32  inStanding    u32[]
 *      60  u32  inRow         u32[]
 *      64  u32  inValue       u64[]
 *      68  u32  inKeyStart    u32[]: address of the key's text in this memory, less keyShift
 *      72  u32  inKeyLength   u32[]
 *      76  u32  keyShift
 *      80  u32  fragments     u32[], working area
 *      84  u32  touched       TOUCHED_BYTES each, working area
 *      88  u32  ordinal       of the first row: rows are counted over the whole stream, modulo 2^31
 *      92  u32  others        OTHER_BYTES each: streams beside the one at hand
 *      96  u32  otherCount
 *     104  f64  streamHighMs  highest event time of the stream before the batch
 *  A hit:
 *     112  u32  hitRule       number of the rule
 *     116  u32  hitCase
 *     120  f64  hitMs
 *     128  u32  hitKey        address of the key's text
 *     132  u32  hitKeyLength
 *     136  u32  hitOrdinal    of the event that made it
 *     140  u32  atHand        ordinal of the event at hand; a late one brings about hits of others
 *  Events of a hit, as windowEvents lists them:
 *     144  u32  events        EVENT_BYTES each: the first EVENT_CAP
 *     148  u32  lastEvents    EVENT_BYTES each: the last EVENT_TAIL, number n at n modulo EVENT_TAIL
 *     152  u32  eventCount    all of them
 *     156  u32  perQuery      u32[16]
 *  Counters:
 *     160  u32  lateDropped   matches too late to be judged
 *     164  u32  groups        live now
 *     168  u32  evicted       groups given up for want of room
 *     172  u32  evictedNear   of these, near their threshold
 *     176  u32  expired       groups whose time was over
 *     180  u32  pagesUsed
 *     184  u32  refused       matches that found no memory, or not all that they need
 *     188  u32  slots         places of the table
 */
export const WINDOW_STANDING = 0;
export const WINDOW_RULE_COUNT = 4;
export const WINDOW_RULES = 8;
export const WINDOW_PAGES = 12;
export const WINDOW_PAGES_END = 16;
export const WINDOW_PAGE_TABLE = 20;
export const WINDOW_SEED = 24;
export const WINDOW_HASH_MASK = 32;
export const WINDOW_CAPACITY = 36;
export const WINDOW_LATENESS = 40;
export const WINDOW_IN_TIME = 48;
export const WINDOW_IN_HIGH = 52;
export const WINDOW_IN_STANDING = 56;
export const WINDOW_IN_ROW = 60;
export const WINDOW_IN_VALUE = 64;
export const WINDOW_IN_KEY_START = 68;
export const WINDOW_IN_KEY_LENGTH = 72;
export const WINDOW_KEY_SHIFT = 76;
export const WINDOW_FRAGMENTS = 80;
export const WINDOW_TOUCHED = 84;
export const WINDOW_ORDINAL = 88;
export const WINDOW_OTHERS = 92;
export const WINDOW_OTHER_COUNT = 96;
export const WINDOW_STREAM_HIGH = 104;
export const WINDOW_HIT_RULE = 112;
export const WINDOW_HIT_CASE = 116;
export const WINDOW_HIT_MS = 120;
export const WINDOW_HIT_KEY = 128;
export const WINDOW_HIT_KEY_LENGTH = 132;
export const WINDOW_HIT_ORDINAL = 136;
export const WINDOW_AT_HAND = 140;
export const WINDOW_EVENTS = 144;
export const WINDOW_LAST_EVENTS = 148;
export const WINDOW_EVENT_COUNT = 152;
export const WINDOW_PER_QUERY = 156;
export const WINDOW_LATE_DROPPED = 160;
export const WINDOW_GROUPS = 164;
export const WINDOW_EVICTED = 168;
export const WINDOW_EVICTED_NEAR = 172;
export const WINDOW_EXPIRED = 176;
export const WINDOW_PAGES_USED = 180;
export const WINDOW_REFUSED = 184;
export const WINDOW_SLOTS = 188;
export const WINDOW_BYTES = 192;
export const PAGE_BYTES = 65536;
export const WINDOW_STANDING_BYTES = 8;
/** Group touched by the event at hand: u32 group (window 0: number of a record of it, plus 1), u32 a record of it, u32 queries. */
export const TOUCHED_BYTES = 12;
/** Another stream: f64 its high, f64 ordinal of the row at which it no longer counts. */
export const OTHER_BYTES = 16;
/** windowEvents: only those that no hit counted yet; count them from now on. */
export const EVENTS_FRESH = 1;
export const EVENTS_MARK = 2;
/** Rows are counted modulo this and one. */
export const ORDINAL_MASK = 0x7fffffff;
/** Event of a hit: f64 time, u32 ordinal, u32 queries it matched. */
export const EVENT_BYTES = 16;
export const EVENT_MS = 0;
export const EVENT_ORDINAL = 8;
export const EVENT_QUERIES = 12;
export const EVENT_CAP = 1024;
export const EVENT_TAIL = 8;

/**
 * Rule of the window kernel, 96 bytes and its queries.
 *  offset type field
 *       0  f64  windowMs
 *       8  u32  number        of the rule
 *      12  u32  queryCount
 *      16  u32  caseCount
 *      20  u32  cases         u32[caseCount]: address of the case's program, 0 = always true
 *      24  u32  after         program of what stands after THEN, 0 = no THEN
 *      28  u32  afterQueries  bits of the queries it mentions
 *      32  u32  shared        bits of the queries without group-by beside others that have it
 *      36  u32  groupCap
 *      40  u32  keyOffset     of the key's text in a group
 *      44  u32  leftOffset    of the times at which the side before THEN was true, 0 = no THEN
 *      48  u32  groupCount    kept by the kernel, like all that follow
 *      52  u32  sharedGroup
 *      56  u32  coldHead      queue of groups, the next to be looked over first
 *      60  u32  coldTail
 *      64  u32  hotHead       those near their threshold
 *      68  u32  hotTail
 *      72  u32  optimistic    1: a case can be ruled out by the shared queries alone
 *      76  u32  hitOffset     in a group: f64 time, u32 ordinal of the latest event of its hits, u32 its place among the candidates
 *                             plus 1; 0 = no shared queries
 *      80  u32  candidates    u32[]: groups that an event of a shared query could bring a hit of; 0 = not known, all of them
 *      84  u32  candidateCount
 *      88  u32  candidateCap
 *      92  u32  salt          of its groups' hashes, told by the host
 */
export const RULE_WINDOW = 0;
export const RULE_NUMBER = 8;
export const RULE_QUERY_COUNT = 12;
export const RULE_CASE_COUNT = 16;
export const RULE_CASES = 20;
export const RULE_AFTER = 24;
export const RULE_AFTER_QUERIES = 28;
export const RULE_SHARED = 32;
export const RULE_GROUP_CAP = 36;
export const RULE_KEY_OFFSET = 40;
export const RULE_LEFT_OFFSET = 44;
export const RULE_GROUP_COUNT = 48;
export const RULE_SHARED_GROUP = 52;
export const RULE_COLD_HEAD = 56;
export const RULE_COLD_TAIL = 60;
export const RULE_HOT_HEAD = 64;
export const RULE_HOT_TAIL = 68;
export const RULE_OPTIMISTIC = 72;
export const RULE_HIT_OFFSET = 76;
export const RULE_CANDIDATES = 80;
export const RULE_CANDIDATE_COUNT = 84;
export const RULE_CANDIDATE_CAP = 88;
export const RULE_SALT = 92;
export const RULE_QUERIES = 96;

/**
 * Query of a rule, 48 bytes: what its windows keep.
 *  offset type field
 *       0  u32  kind          KEEP_*
 *       4  u32  offset        of its store in a group
 *       8  u32  need          events (KEEP_COUNT) or values (KEEP_DISTINCT) that settle every condition
 *      12  u32  capacity      entries kept at most for one stream
 *      16  u32  near          entries from which the group counts as near its threshold, 0 = never
 *      20  u32  panes         number of panes for what was displaced, 0 = none
 *      24  f64  paneMs
 *      32  f64  nearValue     sum from which the group counts as near
 *      40  u32  bounds        BOUND_BYTES each: constants a maximum is compared with
 *      44  u32  boundCount
 */
export const QUERY_KIND = 0;
export const QUERY_OFFSET = 4;
export const QUERY_NEED = 8;
export const QUERY_CAPACITY = 12;
export const QUERY_NEAR = 16;
export const QUERY_PANES = 20;
export const QUERY_PANE_MS = 24;
export const QUERY_NEAR_VALUE = 32;
export const QUERY_BOUNDS = 40;
export const QUERY_BOUND_COUNT = 44;
export const QUERY_BYTES = 48;
/** The latest times. */
export const KEEP_COUNT = 0;
/** The latest times, and counts per pane of those displaced. */
export const KEEP_WIDE = 1;
/** The latest time of the most recent distinct values. */
export const KEEP_DISTINCT = 2;
/** The latest numbers, and sums per pane of those displaced. */
export const KEEP_SUM = 3;
/** The latest numbers; of those displaced, the last time above each constant, and maxima per pane. */
export const KEEP_MAX = 4;
/** Bound of a maximum: f64 factor, f64 limit, u32 COMPARE_GREATER or COMPARE_AT_LEAST. */
export const BOUND_BYTES = 24;
export const BOUND_FACTOR = 0;
export const BOUND_LIMIT = 8;
export const BOUND_OP = 16;

/**
 * Step of a condition's program, 48 bytes: a comparison, and where to go from it. Programs begin with step 0.
 *  offset type field
 *       0  u32  kind          NODE_*
 *       4  u32  query
 *       8  f64  number        NODE_AT_LEAST: how many; NODE_COMPARE: factor of the query's value
 *      16  f64  right         constant, or factor of the right query's value
 *      24  u32  rightQuery    NO_QUERY = constant
 *      28  u32  op            NODE_COMPARE: COMPARE_*; else 1 = the answer is turned round
 *      32  u32  onTrue        step, NODE_TRUE or NODE_FALSE
 *      36  u32  onFalse
 *      40  u32  bound         NODE_ABOVE: which of the query's bounds
 */
export const NODE_KIND = 0;
export const NODE_QUERY = 4;
export const NODE_NUMBER = 8;
export const NODE_RIGHT = 16;
export const NODE_RIGHT_QUERY = 24;
export const NODE_OP = 28;
export const NODE_ON_TRUE = 32;
export const NODE_ON_FALSE = 36;
export const NODE_BOUND = 40;
export const NODE_STEP_BYTES = 48;
export const NODE_AT_LEAST = 0;
export const NODE_ABOVE = 1;
export const NODE_COMPARE = 2;
export const NODE_TRUE = 0xffffffff;
export const NODE_FALSE = 0xfffffffe;
export const NO_QUERY = 0xffffffff;
export const COMPARE_GREATER = 0;
export const COMPARE_AT_LEAST = 1;
export const COMPARE_LESS = 2;
export const COMPARE_AT_MOST = 3;

/**
 * Group: what a rule knows of one key. Header of 24 bytes, the stores of its queries, the key's text.
 *  offset type field
 *       0  u32  next          in the rule's queue
 *       4  u32  fragment      of the key's hash: its place in the table
 *       8  u32  rule
 *      12  u16  keyBytes      kept of the text; the text itself may be longer
 *      14  u8   flags         GROUP_*
 *      16  f64  lastMs        latest event
 */
export const GROUP_NEXT = 0;
export const GROUP_FRAGMENT = 4;
export const GROUP_RULE = 8;
export const GROUP_KEY_BYTES = 12;
export const GROUP_FLAGS = 14;
export const GROUP_LAST = 16;
export const GROUP_HEAD_BYTES = 24;
/** Touched since it was last looked over. */
export const GROUP_TOUCHED = 1;
/** Touched by the event at hand. */
export const GROUP_AT_HAND = 2;
/** Stands in the queue of those near their threshold. */
export const GROUP_HOT = 4;
/** The text was longer than kept: its head is kept, then 16 bytes of digest. */
export const GROUP_LONG_KEY = 8;
export const GROUP_KEY_CAP = 512;
/** The same in a rule with queries that all groups share. */
export const SHARED_KEY_CAP = 65_504;

/**
 * Entry of a store: f64 time, u32 ordinal shifted left by one (bit 0: counted by a hit), and u64 value where the query has one.
 * A store is one entry in place followed by the u32 address of its ring, which holds all entries once there are two.
 *
 * Ring: u32 capacity, u32 head, u32 length, u32 extension, u32 countedFrom, u32 countedTo (entries all counted by hits; there may be
 * others); where entries have values also u32 live, u32 unused; then entries in order of time, ties by arrival, from head on,
 * wrapping.
 */
export const ENTRY_MS = 0;
export const ENTRY_ORDINAL = 8;
export const ENTRY_VALUE = 12;
export const ENTRY_BYTES = 12;
export const VALUE_ENTRY_BYTES = 20;
export const RING_CAPACITY = 0;
export const RING_HEAD = 4;
export const RING_LENGTH = 8;
export const RING_EXTENSION = 12;
export const RING_COUNTED_FROM = 16;
export const RING_COUNTED_TO = 20;
export const RING_LIVE = 24;
/** Bytes of a ring's head beside as many as one entry has. */
export const RING_HEAD_BYTES = 12;
/** Pane of displaced numbers: f64 number (time / paneMs; NaN: never used), f64 value. A ring's extension: f64 for each bound, the last time a number passed it, then panes. */
export const PANE_BYTES = 16;
/** Times at which the side before THEN was true, kept at most. */
export const LEFT_CAP = 256;

/**
 * Text program: a regular expression as instructions of 40 bytes, `u32 op`, then operands a..e by op. Set tables are 256 bytes, 1 = in.
 */
export const TEXT_INSTRUCTION_BYTES = 40;
export const TEXT_OP = 0;
export const TEXT_A = 4;
export const TEXT_B = 8;
export const TEXT_C = 12;
export const TEXT_D = 16;
export const TEXT_E = 20;
/** Of a run whose set lacks few bytes: how many, and which (eight bytes, the last repeated). */
export const TEXT_STOP_COUNT = 24;
export const TEXT_STOPS = 32;
export const TEXT_STOP_CAP = 5;
/** a = address of the bytes, b = how many. */
export const TEXT_LITERAL = 1;
/** a = set table. */
export const TEXT_SET = 2;
/** a = set table, b = fewest, c = most, d = RUN_*, e = the byte that must follow, 256 = any. */
export const TEXT_RUN = 3;
/** a = instruction tried first, b = second (addresses); c, d = tables of the bytes each can begin with, 0 = any, or none at all. */
export const TEXT_SPLIT = 4;
export const TEXT_JUMP = 5;
/** a = slot: 2n where group n begins, 2n + 1 where it ends. */
export const TEXT_SAVE = 6;
export const TEXT_ASSERT = 7;
/** a = number of the rule. */
export const TEXT_MATCH = 8;
/** Fails unless texts stand somewhere ahead, one behind the other. a = list of u32 address, u32 length; b = how many. */
export const TEXT_NEED = 9;
export const RUN_GREEDY = 0;
export const RUN_LAZY = 1;
/** Ends where the set ends, never before. */
export const RUN_POSSESSIVE = 2;
export const ASSERT_START = 0;
export const ASSERT_END = 1;
export const ASSERT_WORD = 2;
export const ASSERT_NO_WORD = 3;
/** Groups of one program at most. */
export const TEXT_GROUP_CAP = 256;

/**
 * Grok step, 48 bytes: a text program laid on one column.
 *  offset type field
 *       0  u32  program    address of instruction 0
 *       4  u32  number     of the program, as the host knows it
 *       8  u32  source     column descriptor
 *      12  u32  mask       row bitset, 0 = every row
 *      16  u32  rules      u32[]: by rule, address of its captures: u32 count, then CAPTURE_BYTES each
 *      20  u32  slots      groups times two
 *      24  u32  matched    row bitset set by the step, 0 = not wanted
 *
 * Capture, 24 bytes: u32 group, u32 filter CAPTURE_*, u32 number of the filter as the host knows it, u32 feeds, u32 feedCount,
 * u32 memo (MEMO_BYTES, or 0 where the host filters nothing: by a hash of the value, u64 cell of what was filtered, u64 cell it gave).
 * Feed: u32 column descriptor; bit 0 set = the row's values there are taken away, bit 1 set = only rows without a value are given one.
 */
export const GROK_PROGRAM = 0;
export const GROK_NUMBER = 4;
export const GROK_SOURCE = 8;
export const GROK_MASK = 12;
export const GROK_RULES = 16;
export const GROK_SLOTS = 20;
export const GROK_MATCHED = 24;
export const GROK_BYTES = 32;
export const CAPTURE_GROUP = 0;
export const CAPTURE_FILTER = 4;
export const CAPTURE_NUMBER = 8;
export const CAPTURE_FEEDS = 12;
export const CAPTURE_FEED_COUNT = 16;
export const CAPTURE_MEMO = 20;
export const CAPTURE_BYTES = 24;
/** The text as it stands. */
export const CAPTURE_TEXT = 0;
/** A number: shortest decimal text. */
export const CAPTURE_NUMERIC = 1;
/** ASCII letters in lower case; text beyond ASCII goes to the host. */
export const CAPTURE_LOWER = 2;
/** Whatever the host makes of it. */
export const CAPTURE_HOST = 3;
/** The text as it stands, be it empty: otherwise the empty text is no value. */
export const CAPTURE_ANY_TEXT = 4;
/** A time as web servers write it, `dd/MMM/yyyy:HH:mm:ss Z`, in epoch milliseconds. */
export const CAPTURE_ACCESS_TIME = 5;
/** A URL decoded and in lower case: as it stands when it is so already, else the host's. */
export const CAPTURE_URL = 6;
export const MEMO_ENTRIES = 256;
export const MEMO_BYTES = 4096;

/**
 * Conversion, 40 bytes: values of one column as a filter makes them, in another.
 *  offset type field
 *       0  u32  source     column descriptor
 *       4  u32  target     column descriptor, emptied first
 *       8  u32  mask       row bitset, 0 = every row
 *      12  u32  filter     CAPTURE_*
 *      16  u32  number     of the filter as the host knows it
 *      20  u32  memo       MEMO_BYTES
 *      24  u32  flags      CONVERT_FIRST_ONLY, CONVERT_KEEPS_EMPTY
 *      28  u32  extras     room for the target's further values: u64[capacity], u32[capacity]
 *      32  u32  capacity
 */
export const CONVERT_SOURCE = 0;
export const CONVERT_TARGET = 4;
export const CONVERT_MASK = 8;
export const CONVERT_FILTER = 12;
export const CONVERT_NUMBER = 16;
export const CONVERT_MEMO = 20;
export const CONVERT_FLAGS = 24;
export const CONVERT_EXTRAS = 28;
export const CONVERT_CAPACITY = 32;
export const CONVERT_BYTES = 40;
/** Of each row the first value alone. */
export const CONVERT_FIRST_ONLY = 1;
/** The empty text is a value too. */
export const CONVERT_KEEPS_EMPTY = 2;

/**
 * Text put together, 24 bytes.
 *  offset type field
 *       0  u32  parts
 *       4  u32  count
 *       8  u32  target     column descriptor, emptied first
 *      12  u32  mask       row bitset, 0 = every row
 *      16  u32  replaces   1: a part without a value is empty; else the row is given no text
 *
 * Part, 16 bytes: u32 column descriptor, or 0 for u32 text, u32 length of its own; u32 place among the column's extras, of the kernel.
 */
export const BUILD_PARTS = 0;
export const BUILD_COUNT = 4;
export const BUILD_TARGET = 8;
export const BUILD_MASK = 12;
export const BUILD_REPLACES = 16;
export const BUILD_BYTES = 24;
export const PART_COLUMN = 0;
export const PART_TEXT = 4;
export const PART_LENGTH = 8;
export const PART_NEXT = 12;
export const PART_BYTES = 16;
/** Characters of a text put together. */
export const BUILT_CAP = 256;

/**
 * Tags of one key laid over those that events have, 40 bytes.
 *  offset type field
 *       0  u32  tags       column of whole tags, 0 = not wanted
 *       4  u32  values     column of the values of tags with the key
 *       8  u32  source     column of the whole tags that are laid
 *      12  u32  key        its text and the colon
 *      16  u32  keyLength
 *      20  u32  override   1: tags of the key give way; else rows that have one keep it
 *      24  u32  moved      row bitset set by the step: rows that were given tags
 *      28  u32  extras     two areas of u64[capacity], u32[capacity] each: where the tags' further values lie, in turn
 *      32  u32  other
 *      36  u32  capacity
 */
export const LAY_TAGS = 0;
export const LAY_VALUES = 4;
export const LAY_SOURCE = 8;
export const LAY_KEY = 12;
export const LAY_KEY_LENGTH = 16;
export const LAY_OVERRIDE = 20;
export const LAY_MOVED = 24;
export const LAY_EXTRAS = 28;
export const LAY_OTHER = 32;
export const LAY_CAPACITY = 36;
export const LAY_BYTES = 40;

/**
 * Lines, 24 bytes: text cut into rows.
 *       0  u32  rowStart   u32[ROW_CAP]
 *       4  u32  rowEnd     u32[ROW_CAP], without the line's end
 *       8  u32  column     descriptor of the column that takes the lines
 *      12  u32  consumed   set by the kernel
 */
export const LINES_ROW_START = 0;
export const LINES_ROW_END = 4;
export const LINES_COLUMN = 8;
export const LINES_CONSUMED = 12;
export const LINES_BYTES = 16;

/**
 * Sketches and histories are flat and hold no address, only offsets and numbers: a copy of their bytes is their stored form once
 * sketchSeal has written its checksum; sketchCheck says whether bytes that come back may be used. Every one begins with this head.
 *  offset type field
 *       0  u32  magic
 *       4  u16  kind       KIND_OF_*
 *       6  u16  version
 *       8  u32  bytes      of the whole, a multiple of 8
 *      12  u32  refused    inputs that are no values (NaN, infinities), wraps
 *      16  u64  seal       checksum of all other bytes, set by sketchSeal
 *      24  u64  seed
 */
export const SKETCH_MAGIC = 0;
export const SKETCH_KIND = 4;
export const SKETCH_VERSION = 6;
export const SKETCH_BYTES = 8;
export const SKETCH_REFUSED = 12;
export const SKETCH_SEAL = 16;
export const SKETCH_SEED = 24;
export const SKETCH_MAGIC_VALUE = 0x314b5356;
export const SKETCH_VERSION_VALUE = 1;
export const KIND_OF_DISTINCT = 1;
export const KIND_OF_QUANTILE = 2;
export const KIND_OF_FREQUENCY = 3;
export const KIND_OF_SEEN = 4;
export const KIND_OF_MEMBERS = 5;
export const KIND_OF_SIGNATURE = 6;
export const KIND_OF_HISTORY = 7;

/**
 * Distinct (HyperLogLog): after the head
 *      32  u32  precision   p, 4..16
 *      36  u32  dense       0 = sparse, 1 = dense
 *      40  u32  count       entries of the sparse list
 *      48  u32[2^p / 16, at least 4] ascending: 25 bits of index, 6 bits of rank (sparse only)
 *          u8[2^p] registers (dense only)
 */
export const DISTINCT_PRECISION = 32;
export const DISTINCT_DENSE = 36;
export const DISTINCT_COUNT = 40;
export const DISTINCT_DATA = 48;

/**
 * Quantile (DDSketch): after the head
 *      32  f64  alpha      relative accuracy
 *      40  f64  gamma      (1 + alpha) / (1 - alpha)
 *      48  f64  multiplier 1 / ln gamma
 *      56  u32  bins       capacity of either store
 *      60  u32  growing    1: quantileAdd stops where it would have to collapse
 *      64  u64  count
 *      72  u64  zeroCount
 *      80  f64  sum
 *      88  f64  least
 *      96  f64  greatest
 *     104  positive store, 16 bytes: i32 low (index of bin 0), u32 span (bins in use), u32 collapsed, u32 0
 *     120  negative store (by magnitude)
 *     136  u64[bins] positive, u64[bins] negative
 */
export const QUANTILE_ALPHA = 32;
export const QUANTILE_GAMMA = 40;
export const QUANTILE_MULTIPLIER = 48;
export const QUANTILE_BINS = 56;
export const QUANTILE_GROWING = 60;
export const QUANTILE_COUNT = 64;
export const QUANTILE_ZERO_COUNT = 72;
export const QUANTILE_SUM = 80;
export const QUANTILE_LEAST = 88;
export const QUANTILE_GREATEST = 96;
export const QUANTILE_POSITIVE = 104;
export const QUANTILE_NEGATIVE = 120;
export const QUANTILE_DATA = 136;
export const STORE_LOW = 0;
export const STORE_SPAN = 4;
export const STORE_COLLAPSED = 8;

/**
 * Frequency (Count-Min): after the head
 *      32  u32  widthBits     log2 of the counters in a row
 *      36  u32  depth         rows, at most FREQUENCY_DEPTH_CAP
 *      40  u32  conservative
 *      48  u64  total         sum of all weights, halved with the counters
 *      64  u32[depth][width]
 */
export const FREQUENCY_WIDTH_BITS = 32;
export const FREQUENCY_DEPTH = 36;
export const FREQUENCY_CONSERVATIVE = 40;
export const FREQUENCY_TOTAL = 48;
export const FREQUENCY_DATA = 64;
export const FREQUENCY_DEPTH_CAP = 16;

/**
 * Seen (blocked Bloom filters in generations): after the head
 *      32  u32  generations   2..SEEN_GENERATION_CAP
 *      36  u32  blocks        of 64 bytes in each
 *      40  u32  capacity      inserts in one generation for which the bound holds
 *      44  u32  over          inserts beyond it, wraps
 *      48  f64  spanMs        of one generation
 *      56  f64  newest        number of the newest generation, floor(ms / spanMs)
 *      64  u32[SEEN_GENERATION_CAP] inserts of each; generation n is at n modulo generations
 *     128  the blocks
 */
export const SEEN_GENERATIONS = 32;
export const SEEN_BLOCKS = 36;
export const SEEN_CAPACITY = 40;
export const SEEN_OVER = 44;
export const SEEN_SPAN = 48;
export const SEEN_NEWEST = 56;
export const SEEN_INSERTS = 64;
export const SEEN_DATA = 128;
export const SEEN_GENERATION_CAP = 16;
export const SEEN_BLOCK_BYTES = 64;

/**
 * Members (cuckoo filter): after the head
 *      32  u32  buckets      a power of two, of four u16 fingerprints each, 0 = free
 *      36  u32  count
 *      40  u32  random       state of the choice whom to move
 *      44  u32  spare        fingerprint that found no place, 0 = none
 *      48  u32  spareBucket
 *      64  the buckets
 */
export const MEMBERS_BUCKETS = 32;
export const MEMBERS_COUNT = 36;
export const MEMBERS_RANDOM = 40;
export const MEMBERS_SPARE = 44;
export const MEMBERS_SPARE_BUCKET = 48;
export const MEMBERS_DATA = 64;

/**
 * Words: one struct per memory.
 *  offset type field
 *       0  u32  classes    u8[0x110000]: WORD_* of every code point, 0 = not asked yet; the host fills pages of 256
 *       4  u32  spans      u32 address, u32 bytes of each word of the last text
 *       8  u32  capacity   spans there is room for
 *      12  u32  missing    code point whose page is wanted
 *      16  u32  texts      texts segmented, wraps
 *      20  u32  declined   texts left to the host, wraps
 *      24  u64  seed       of the hashes of words
 */
export const WORDS_CLASSES = 0;
export const WORDS_SPANS = 4;
export const WORDS_CAPACITY = 8;
export const WORDS_MISSING = 12;
export const WORDS_TEXTS = 16;
export const WORDS_DECLINED = 20;
export const WORDS_SEED = 24;
export const WORDS_BYTES = 32;
export const WORD_SPAN_BYTES = 8;
/** Separates; a pictograph does so too, unless a zero width joiner stands before it. */
export const WORD_OTHER = 1;
export const WORD_PICTOGRAPH = 2;
/** Not decided here: scripts cut by dictionary, and whatever fits no class. */
export const WORD_DECLINE = 3;
/** Belongs to what stands before it. */
export const WORD_EXTEND = 4;
export const WORD_JOINER = 5;
/** Join words: between letters, between digits, between both. */
export const WORD_MID_LETTER = 6;
export const WORD_MID_NUMBER = 7;
export const WORD_MID_BOTH = 8;
export const WORD_SINGLE_QUOTE = 9;
export const WORD_DOUBLE_QUOTE = 10;
/** Make words: from here on. */
export const WORD_UNDERSCORE = 11;
export const WORD_DIGIT = 12;
export const WORD_LETTER = 13;
export const WORD_HEBREW = 14;
/** What the kernels answer instead of a number of words. */
export const WORDS_ANSWER_DECLINED = -1;
export const WORDS_ANSWER_MISSING = -2;
export const WORDS_ANSWER_FULL = -3;

/**
 * Signature (MinHash): after the head
 *      32  u32  length      values of a signature, a multiple of 4
 *      48  u32[length] factors (odd), u32[length] summands
 */
export const SIGNATURE_LENGTH = 32;
export const SIGNATURE_DATA = 48;
export const SIGNATURE_LENGTH_CAP = 256;

/**
 * History of token sets of one group: after the head
 *      32  u32  itemCap     items (times) kept
 *      36  u32  setCap      distinct sets kept
 *      40  u32  poolCap     keys kept: tokens of all sets, one for the set itself, and its bands
 *      44  u32  tokenCap    tokens of one set; of longer ones those of the lowest hashes are kept
 *      48  u32  bands       0 = exact, by tokens; else candidates by bands
 *      52  u32  rows        values of a signature in each band
 *      56  u32  threshold   similarity wanted, in SIMILARITY_ONE
 *      60  u32  tableMask
 *      64  u32  items       offset of ITEM_BYTES[itemCap], a ring in order of time
 *      68  u32  bits        offset of u64[setCap], a bit for each token's hash
 *      72  u32  sets        offset of SET_BYTES[setCap]
 *      76  u32  keys        offset of u64[poolCap]
 *      80  u32  links       offset of LINK_BYTES[poolCap]
 *      84  u32  table       offset of CHAIN_BYTES[tableMask + 1], open addressing
 *      88  u32  scratch     offset of u64[tokenCap], then u32[bands * rows], then u64[bands]
 *      92  u32  signature   offset of a signature struct, where there are bands
 *      96  u32  itemHead
 *     100  u32  itemCount
 *     104  u32  setTop      sets ever in use
 *     108  u32  setFree     list of free ones, number + 1
 *     112  u32  setCount
 *     116  u32  poolTop
 *     120  u32  epoch       number of the query
 *     124  u32  evicted     items given up for want of room, wraps
 *     128  u32  cut         sets longer than tokenCap, wraps
 *     132  u32  scans       queries that looked at all sets, wraps
 *     136  u32  verified    sets compared token by token, wraps
 *     140  u32  poolLive    keys of the pool in use; it is closed up when its top reaches its end
 *     144  the areas
 */
export const HISTORY_ITEM_CAP = 32;
export const HISTORY_SET_CAP = 36;
export const HISTORY_POOL_CAP = 40;
export const HISTORY_TOKEN_CAP = 44;
export const HISTORY_BANDS = 48;
export const HISTORY_ROWS = 52;
export const HISTORY_THRESHOLD = 56;
export const HISTORY_TABLE_MASK = 60;
export const HISTORY_ITEMS = 64;
export const HISTORY_BITS = 68;
export const HISTORY_SETS = 72;
export const HISTORY_KEYS = 76;
export const HISTORY_LINKS = 80;
export const HISTORY_TABLE = 84;
export const HISTORY_SCRATCH = 88;
export const HISTORY_SIGNATURE = 92;
export const HISTORY_ITEM_HEAD = 96;
export const HISTORY_ITEM_COUNT = 100;
export const HISTORY_SET_TOP = 104;
export const HISTORY_SET_FREE = 108;
export const HISTORY_SET_COUNT = 112;
export const HISTORY_POOL_TOP = 116;
export const HISTORY_EPOCH = 120;
export const HISTORY_EVICTED = 124;
export const HISTORY_CUT = 128;
export const HISTORY_SCANS = 132;
export const HISTORY_VERIFIED = 136;
export const HISTORY_POOL_LIVE = 140;
export const HISTORY_DATA = 144;
/** Similarity 1; thresholds are whole numbers, so that equality at the threshold is exact. */
export const SIMILARITY_ONE = 10_000;
/** Item: f64 time, u32 set. */
export const ITEM_BYTES = 16;
export const ITEM_MS = 0;
export const ITEM_SET = 8;
/** Set, 24 bytes: u32 first key, u32 tokens, u32 items that are this set, u32 epoch of the query that last met it, u32 keys kept, u32 next free. */
export const SET_BYTES = 24;
export const SET_FIRST = 0;
export const SET_SIZE = 4;
export const SET_COUNT = 8;
export const SET_EPOCH = 12;
export const SET_KEYS = 16;
export const SET_NEXT = 20;
/** Link of a key in its chain: u32 next + 1, u32 previous + 1, u32 set. A piece given back: u32 keys, u32 0, u32 NO_SET at its first. */
export const NO_SET = 0xffffffff;
export const LINK_BYTES = 12;
export const LINK_NEXT = 0;
export const LINK_PREVIOUS = 4;
export const LINK_SET = 8;
/** Chain of equal keys: u64 key, u32 first + 1 (0 = free place), u32 length. */
export const CHAIN_BYTES = 16;
export const CHAIN_KEY = 0;
export const CHAIN_FIRST = 8;
export const CHAIN_LENGTH = 12;
