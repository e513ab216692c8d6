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
