/** Two decimal digits, -1 for anything else. */
// @ts-ignore: decorator
@inline
export function two(p: usize): i32 {
  const a = <u32>load<u8>(p) - 48;
  const b = <u32>load<u8>(p, 1) - 48;
  return a <= 9 && b <= 9 ? <i32>(a * 10 + b) : -1;
}

/** Days from 1970-01-01 to a civil date (proleptic Gregorian), by eras of 400 years. */
export function daysOf(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const era = y / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}

/** Days of a month. */
export function monthLength(year: i32, month: i32): i32 {
  return (month == 12 ? daysOf(year + 1, 1, 1) : daysOf(year, month + 1, 1)) - daysOf(year, month, 1);
}

/** The civil year of a time, for times from the year 1 on. */
export function yearOf(ms: f64): i32 {
  const days = <i32>floor(ms / 86400000.0);
  let year = 1970 + days / 366;
  while (daysOf(year + 1, 1, 1) <= days) year++;
  while (daysOf(year, 1, 1) > days) year--;
  return year;
}

/** `Jan` to `Dec` as 1 to 12, 0 for any other three letters. */
export function monthNamed(p: usize): i32 {
  const name = (<u32>load<u8>(p) << 16) | (<u32>load<u8>(p, 1) << 8) | <u32>load<u8>(p, 2);
  switch (name) {
    case 0x4a616e: return 1;
    case 0x466562: return 2;
    case 0x4d6172: return 3;
    case 0x417072: return 4;
    case 0x4d6179: return 5;
    case 0x4a756e: return 6;
    case 0x4a756c: return 7;
    case 0x417567: return 8;
    case 0x536570: return 9;
    case 0x4f6374: return 10;
    case 0x4e6f76: return 11;
    case 0x446563: return 12;
    default: return 0;
  }
}

/** Milliseconds of `hh:mm:ss`, -1 when it is none. */
export function clockMs(p: usize): i32 {
  const hour = two(p);
  const minute = two(p + 3);
  const second = two(p + 6);
  if (load<u8>(p, 2) != 0x3a || load<u8>(p, 5) != 0x3a || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1;
  return ((hour * 60 + minute) * 60 + second) * 1000;
}

/** `dd/MMM/yyyy:HH:mm:ss Z`, as web servers write it; NaN for any other text. */
export function accessMs(p: usize, n: usize): f64 {
  if (n != 26 || load<u8>(p, 2) != 0x2f || load<u8>(p, 6) != 0x2f || load<u8>(p, 11) != 0x3a || load<u8>(p, 20) != 0x20) return NaN;
  const day = two(p);
  const month = monthNamed(p + 3);
  const century = two(p + 7);
  const yearOfCentury = two(p + 9);
  const clock = clockMs(p + 12);
  const sign = load<u8>(p, 21);
  const hours = two(p + 22);
  const minutes = two(p + 24);
  if (!month || century < 0 || yearOfCentury < 0 || clock < 0 || (sign != 0x2b && sign != 0x2d) || hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return NaN;
  const year = century * 100 + yearOfCentury;
  if (day < 1 || day > monthLength(year, month)) return NaN;
  const offset = (hours * 60 + minutes) * 60000;
  return <f64>daysOf(year, month, day) * 86400000.0 + <f64>(sign == 0x2d ? clock + offset : clock - offset);
}
