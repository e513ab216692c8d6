import type { GrokFilter } from "./pipeline.ts";

/** What a matcher takes, and what it makes of it. */
export interface Matcher {
  readonly regex: string;
  readonly filter?: GrokFilter;
}

const octet = "(?:25[0-5]|2[0-4]\\d|[01]?\\d?\\d)";
const ipv4 = `${octet}(?:\\.${octet}){3}`;
// The shape of an address, not its validity: spelling that out takes ten times the states.
const ipv6 = `(?:[0-9A-Fa-f]{0,4}:){2,7}(?:${ipv4}|[0-9A-Fa-f]{0,4})(?:%[\\w.\\-]+)?`;
const ip = `(?:${ipv6}|${ipv4})`;
// Without the 63 of a label: counted repetitions are written out state by state.
const hostname = "\\b[0-9A-Za-z][\\w\\-]*(?:\\.[0-9A-Za-z][\\w\\-]*)*\\.?";
const ipOrHost = `(?:${ip}|${hostname})`;
const port = "[1-9]\\d{0,4}";
const user = "[\\w.\\-]+";
const integer = "[+-]?\\d+";
const number = "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)";
const exponent = "(?:[eE][+-]?\\d+)?";
const doubleQuoted = '"[^"]*"';
const singleQuoted = "'[^']*'";
const quoted = `(?:${doubleQuoted}|${singleQuoted})`;
const unixPath = "(?:/(?:[\\w%!$@:.,~+=\\-]|\\\\.)*)+";
const winPath = "(?:[A-Za-z]+:|\\\\)(?:\\\\[^\\\\?*]*)+";
const uriProto = "[A-Za-z]+(?:\\+[A-Za-z+]+)?";
const uriHost = `${ipOrHost}(?::${port})?`;
const uriPath = "(?:/[\\w$.+!*'(){},~:;=@#%\\-]*)+";
const uriParam = "\\?[\\w$.+!*'|(){},~@#%&/=:;?\\-\\[\\]]*";
const commonMac = "(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}";
const windowsMac = "(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}";
const ciscoMac = "(?:[A-Fa-f0-9]{4}\\.){2}[A-Fa-f0-9]{4}";

/** Matchers without arguments. Those that make a number of their text name the filter that does it. */
export const matchers: ReadonlyMap<string, Matcher> = new Map(Object.entries<Matcher>({
  integer: { regex: integer, filter: { name: "integer", args: [] } },
  integerStr: { regex: integer },
  integerExt: { regex: `${integer}${exponent}`, filter: { name: "integerExt", args: [] } },
  integerExtStr: { regex: `${integer}${exponent}` },
  number: { regex: number, filter: { name: "number", args: [] } },
  numberStr: { regex: number },
  numberExt: { regex: `${number}${exponent}`, filter: { name: "numberExt", args: [] } },
  numberExtStr: { regex: `${number}${exponent}` },
  word: { regex: "\\b\\w+\\b" },
  notSpace: { regex: "\\S+" },
  data: { regex: ".*" },
  greedyData: { regex: ".*" },
  space: { regex: "\\s+" },
  doubleQuotedString: { regex: doubleQuoted },
  singleQuotedString: { regex: singleQuoted },
  quotedString: { regex: quoted },
  qs: { regex: quoted },
  uuid: { regex: "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}" },
  mac: { regex: `(?:${ciscoMac}|${windowsMac}|${commonMac})` },
  ciscoMac: { regex: ciscoMac },
  windowsMac: { regex: windowsMac },
  commonMac: { regex: commonMac },
  ipv4: { regex: ipv4 },
  ipv6: { regex: ipv6 },
  ip: { regex: ip },
  hostname: { regex: hostname },
  host: { regex: hostname },
  ipOrHost: { regex: ipOrHost },
  port: { regex: port },
  hostPort: { regex: `${ipOrHost}:${port}` },
  user: { regex: user },
  path: { regex: `(?:${unixPath}|${winPath})` },
  unixPath: { regex: unixPath },
  winPath: { regex: winPath },
  tty: { regex: "/dev/(?:pts|tty[pq]?)\\w*/?\\d+" },
  uriProto: { regex: uriProto },
  uriHost: { regex: uriHost },
  uriPath: { regex: uriPath },
  uriParam: { regex: uriParam },
  uriPathParam: { regex: `${uriPath}(?:${uriParam})?` },
  uri: { regex: `${uriProto}://(?:${user}(?::[^@]*)?@)?(?:${uriHost})?(?:${uriPath}(?:${uriParam})?)?` },
}));
