import { describe, expect, test } from "vitest";
import { sniff } from "../../host/event/sniff.ts";

describe("what an input's first bytes tell", () => {
  test.each([
    ['[{"message":"a"}]', { format: "intake", reframe: true }],
    ["[ \n", { format: "intake", reframe: true }],
    ['["a","b"]', { format: "intake", reframe: true }],
    ["[]", { format: "intake", reframe: true }],
    ["[2026-03-01 10:00:00] app: started\n", { format: "text", reframe: false }],
    ["[notice] nothing to see\n", { format: "text", reframe: false }],
    ["[Sun Mar 01 10:00:00.123456 2026] [core:error] [pid 7:tid 8] [client 192.0.2.7:1] AH00126: Invalid URI\n", { format: "text", reframe: false, source: "apache" }],
    ['192.0.2.7 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n', { format: "text", reframe: false, source: "apache" }],
    ["Mar  1 10:00:00 web-1 sshd[7]: Accepted publickey for deploy from 192.0.2.7 port 5 ssh2\n", { format: "syslog", reframe: false, source: "auth" }],
  ] as const)("%s", (text, expected) => {
    expect(sniff(new TextEncoder().encode(text))).toEqual(expected);
  });
});
