import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSyslog } from "../../host/event/syslog.ts";

describe("syslog lines", () => {
  test.each<[string, unknown]>([
    ["Mar  1 10:00:00 bastion sshd[9]: Failed password for admin", { message: "Failed password for admin", syslog: { timestamp: "Mar  1 10:00:00", hostname: "bastion", appname: "sshd", procid: "9" } }],
    ["<34>Oct 11 22:14:15 mymachine su: 'su root' failed", { message: "'su root' failed", syslog: { prival: 34, facility: 4, severity: 2, timestamp: "Oct 11 22:14:15", hostname: "mymachine", appname: "su" } }],
    ["2026-03-01T10:00:00.123456+01:00 web-1 CRON[77]: (root) CMD (true)", { message: "(root) CMD (true)", syslog: { timestamp: "2026-03-01T10:00:00.123456+01:00", hostname: "web-1", appname: "CRON", procid: "77" } }],
    ["Mar 11 10:00:00 fw no tag here", { message: "no tag here", syslog: { timestamp: "Mar 11 10:00:00", hostname: "fw" } }],
    ["<165>1 2026-03-01T10:00:00.003Z host.example app 8710 ID47 - \ufeffhello there", { message: "hello there", syslog: { prival: 165, facility: 20, severity: 5, version: 1, timestamp: "2026-03-01T10:00:00.003Z", hostname: "host.example", appname: "app", procid: "8710", msgid: "ID47" } }],
    ['<13>1 - - - - - [a@1 x="1" y="q\\"\\\\\\]z"][b] m', { message: "m", syslog: { prival: 13, facility: 1, severity: 5, version: 1, sd: { "a@1": { x: "1", y: 'q"\\]z' }, b: {} } } }],
    ['<13>1 - h a - - [metas ddsource="nginx" ddtags="env:test,k:v"] {"a":1}', { message: '{"a":1}', ddsource: "nginx", ddtags: "env:test,k:v", syslog: { prival: 13, facility: 1, severity: 5, version: 1, hostname: "h", appname: "a" } }],
    ['<36>0 2026-03-01T10:00:00.5+00:00 h sshd - - [metas ddsource="auth" ddtags="env:test"]  m', { message: " m", ddsource: "auth", ddtags: "env:test", syslog: { prival: 36, facility: 4, severity: 4, version: 0, timestamp: "2026-03-01T10:00:00.5+00:00", hostname: "h", appname: "sshd" } }],
    ["<36>00 - h a - - - m", undefined],
    ['Mar  1 10:00:00 h app: @cee: {"a":1}', { message: '{"a":1}', syslog: { timestamp: "Mar  1 10:00:00", hostname: "h", appname: "app" } }],
    ["<192>Oct 11 22:14:15 h a: m", undefined],
    ["<13>1 - - - - - [open x", undefined],
    ["10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5", undefined],
    ["hello", undefined],
    ["", undefined],
  ])("%s", (line, expected) => expect(readSyslog(line)).toEqual(expected));

  test("no text breaks it", () => {
    const piece = fc.oneof(fc.constantFrom("<13>", "1 ", "- ", "Mar  1 10:00:00 ", "h ", "a[", "]", ": ", '[x y="', '"', "\\", "@cee:", "{"), fc.string({ maxLength: 4 }));
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const read = readSyslog(pieces.join(""));
      if (read) expect(typeof read.message).toBe("string");
    }), { numRuns: 2000 });
  });
});
