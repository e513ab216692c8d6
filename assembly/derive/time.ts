import { COLUMN_CELLS, KIND_NUMBER, KIND_STRING } from "../layout";
import { decimalOf } from "../column/decimal";
import { inMask } from "./coalesce";
import { clockMs, daysOf, monthLength, monthNamed, two, yearOf } from "./calendar";

// Forms other than numbers and ISO 8601; NaN when it is no time.
// @ts-ignore: decorator
@external("host", "readTimestamp")
declare function hostReadTimestamp(address: usize, length: usize, arrivalMs: f64): f64;

let lastDate: u64 = 0; // "YYYY-MM-" of the last text read, and what it came to
let lastMonthDays: i32 = 0;
let lastMonthLength: i32 = 0;

/** `YYYY-MM-DDThh:mm:ss[.fraction][Z|±hh:mm|±hhmm]`; NaN for any other text (the host knows the rarer forms). */
function isoMs(p: usize, n: usize): f64 {
  if (n < 19 || load<u8>(p, 4) != 0x2d || load<u8>(p, 7) != 0x2d || load<u8>(p, 13) != 0x3a || load<u8>(p, 16) != 0x3a) return NaN;
  const separator = load<u8>(p, 10);
  if (separator != 0x54 && separator != 0x20 && separator != 0x74) return NaN;
  const date = load<u64>(p);
  if (date != lastDate) {
    const century = two(p);
    const year = two(p + 2);
    const month = two(p + 5);
    if (century < 0 || year < 0 || month < 1 || month > 12) return NaN;
    lastMonthDays = daysOf(century * 100 + year, month, 1);
    lastMonthLength = (month == 12 ? daysOf(century * 100 + year + 1, 1, 1) : daysOf(century * 100 + year, month + 1, 1)) - lastMonthDays;
    lastDate = date;
  }
  const day = two(p + 8);
  const hour = two(p + 11);
  const minute = two(p + 14);
  const second = two(p + 17);
  if (day < 1 || day > lastMonthLength || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return NaN;
  let ms: i32 = 0;
  let at: usize = 19;
  if (at < n && load<u8>(p + at) == 0x2e) {
    at++;
    let scale: i32 = 100;
    const first = at;
    while (at < n) {
      const c = <u32>load<u8>(p + at) - 48;
      if (c > 9) break;
      ms += <i32>c * scale;
      scale /= 10;
      at++;
    }
    if (at == first) return NaN;
  }
  let offset: i32 = 0;
  if (at < n) {
    const c = load<u8>(p + at);
    if (c == 0x5a || c == 0x7a) {
      if (at + 1 != n) return NaN;
    } else if (c == 0x2b || c == 0x2d) {
      const colon: usize = at + 6 == n && load<u8>(p + at + 3) == 0x3a ? 1 : 0;
      if (at + 5 + colon != n) return NaN;
      const offsetHours = two(p + at + 1);
      const offsetMinutes = two(p + at + 3 + colon);
      if (offsetHours < 0 || offsetMinutes < 0) return NaN;
      offset = offsetHours * 60 + offsetMinutes;
      if (c == 0x2d) offset = -offset;
    } else return NaN;
  }
  return <f64>(lastMonthDays + day - 1) * 86400000.0 + <f64>((hour * 60 + minute - offset) * 60 + second) * 1000.0 + <f64>ms;
}

const DAY_MS: f64 = 86400000.0;

/** `Mmm dd hh:mm:ss` as of the arrival: its year, or the one before when that lies more than a day ahead. NaN for any other text. */
function yearlessMs(p: usize, n: usize, year: i32, arrivalMs: f64): f64 {
  if (n != 15 || load<u8>(p, 3) != 0x20 || load<u8>(p, 6) != 0x20) return NaN;
  const month = monthNamed(p);
  const digit = <i32>load<u8>(p, 5) - 48;
  const day = load<u8>(p, 4) == 0x20 ? (digit >= 0 && digit <= 9 ? digit : -1) : two(p + 4);
  const clock = clockMs(p + 7);
  // The end of February may not be there in the one year or the other: the host's.
  if (!month || day < 1 || clock < 0 || (month == 2 ? day > 28 : day > monthLength(year, month))) return NaN;
  const ms = <f64>daysOf(year, month, day) * DAY_MS + <f64>clock;
  return ms <= arrivalMs + DAY_MS ? ms : <f64>daysOf(year - 1, month, day) * DAY_MS + <f64>clock;
}

function epochMs(value: f64): f64 {
  const size = abs(value);
  if (size < 1e11) return floor(value * 1000.0);
  if (size < 1e14) return floor(value);
  if (size < 1e17) return floor(value / 1e3);
  return floor(value / 1e6);
}

/** The time that a value says, NaN when it says none. */
function timeOf(cell: u64, year: i32, arrivalMs: f64): f64 {
  const p = <usize>(<u32>cell);
  const n = <usize>(<u32>(cell >> 32) & 0x0fffffff);
  const kind = <u32>(cell >> 60);
  if (kind == KIND_NUMBER) return epochMs(decimalOf(p, n));
  if (kind != KIND_STRING) return NaN;
  let time = isoMs(p, n);
  if (time != time) time = yearlessMs(p, n, year, arrivalMs);
  return time != time ? hostReadTimestamp(p, n, arrivalMs) : time;
}

/** Takes values out of a column that say no time, those of the mask. */
export function dropTimeless(column: usize, mask: usize, rows: u32, arrivalMs: f64): void {
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  const year = yearOf(arrivalMs);
  for (let row: u32 = 0; row < rows; row++) {
    const at = cells + (<usize>row << 3);
    const cell = load<u64>(at);
    if (!cell || !inMask(mask, row)) continue;
    const time = timeOf(cell, year, arrivalMs);
    if (time != time) store<u64>(at, 0);
  }
}

/**
 * Event times of a batch: `times[row]` in whole ms, `highs[row]` the highest so far starting from `high`.
 * A row without a readable time takes `arrivalMs`, and so does one whose time lies after `latestMs`: a clock that is
 * ahead must not make the events of others late.
 *
 * @returns the number of rows without a readable time, and in the upper half that of rows after `latestMs`.
 */
export function deriveTimes(column: usize, rows: u32, arrivalMs: f64, latestMs: f64, times: usize, highs: usize, high: f64): u64 {
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  let missing: u32 = 0;
  let ahead: u32 = 0;
  const year = yearOf(arrivalMs);
  for (let row: u32 = 0; row < rows; row++) {
    const cell = load<u64>(cells + (<usize>row << 3));
    let time = cell ? timeOf(cell, year, arrivalMs) : NaN;
    if (time != time) {
      time = arrivalMs;
      missing++;
    } else if (time > latestMs) {
      time = arrivalMs;
      ahead++;
    }
    store<f64>(times + (<usize>row << 3), time);
    if (time > high) high = time;
    store<f64>(highs + (<usize>row << 3), high);
  }
  return (<u64>ahead << 32) | <u64>missing;
}
