import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { matches } from "../../host/query/matches.ts";
import { readEvent, windowsCutter } from "../../host/intake/windows.ts";
import { type Members, intakeRecord } from "../../host/intake/windows/event.ts";
import { readXml } from "../../host/intake/windows/xml.ts";
import { queryOf } from "../support/query.ts";
import { hasShared, readShared, readSharedJson } from "../support/shared.ts";
import { MemorySink, until } from "./lines-support.ts";
import { follow, newFolder } from "./tail-support.ts";

const encoder = new TextEncoder();

function eventXml(id: number, more = "", data = '<Data Name="TargetUserName">ann</Data><Data Name="IpAddress">192.0.2.7</Data>'): string {
  return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/><EventID Qualifiers=''>${id}</EventID><Version>0</Version><Level>0</Level><Task>12544</Task><Opcode>0</Opcode><Keywords>0x8010000000000000</Keywords><TimeCreated SystemTime='2026-03-02T08:41:00.1234567Z'/><EventRecordID>77</EventRecordID><Correlation/><Execution ProcessID='612' ThreadID='701'/><Channel>Security</Channel><Computer>dc1.shop.test</Computer><Security/></System><EventData>${data}</EventData>${more}</Event>`;
}

function record(text: string, isXml = text.startsWith("<")): Members {
  const event = readEvent(encoder.encode(text), isXml);
  if (typeof event === "string") throw new Error(event);
  return JSON.parse(JSON.stringify(intakeRecord(event))) as Members;
}

const expected = {
  host: "dc1.shop.test", timestamp: "2026-03-02T08:41:00.1234567Z", status: "info", evt: { id: 4625 },
  Event: { System: { EventID: 4625, Channel: "Security", Computer: "dc1.shop.test", Execution: { ProcessID: 612, ThreadID: 701 }, Provider: { Name: "Microsoft-Windows-Security-Auditing" }, TimeCreated: { SystemTime: "2026-03-02T08:41:00.1234567Z" } }, EventData: { Data: { TargetUserName: "ann", IpAddress: "192.0.2.7" } } },
};

describe("a Windows event", () => {
  test("[IN-11] of an XML export has Event.System, Event.EventData.Data and evt.id", () => {
    const made = record(eventXml(4625, "<RenderingInfo Culture='en-US'><Message>An account failed to log on.&#13;&#10;\tx &lt;y&gt; &amp;amp;</Message></RenderingInfo>"));
    expect(made).toMatchObject({ ...expected, message: "An account failed to log on.\r\n\tx <y> &amp;" });
  });

  test.each<[string, string]>([
    ["the Agent's JSON", JSON.stringify({ Event: { System: { EventID: { value: "4625", Qualifiers: "" }, Channel: "Security", Computer: "dc1.shop.test", Execution: { ProcessID: "612", ThreadID: "701" }, Provider: { Name: "Microsoft-Windows-Security-Auditing" }, TimeCreated: { SystemTime: "2026-03-02T08:41:00.1234567Z" } }, EventData: { Data: { TargetUserName: "ann", IpAddress: "192.0.2.7" } } } })],
    ["evtx_dump", JSON.stringify({ Event: { "#attributes": { xmlns: "x" }, System: { EventID: 4625, Channel: "Security", Computer: "dc1.shop.test", Execution: { "#attributes": { ProcessID: 612, ThreadID: 701 } }, Provider: { "#attributes": { Name: "Microsoft-Windows-Security-Auditing" } }, TimeCreated: { "#attributes": { SystemTime: "2026-03-02T08:41:00.1234567Z" } } }, EventData: { TargetUserName: "ann", IpAddress: "192.0.2.7" } } })],
    ["flat JSON", JSON.stringify({ EventID: 4625, Channel: "Security", Hostname: "dc1.shop.test", ExecutionProcessID: 612, ThreadID: "701", SourceName: "Microsoft-Windows-Security-Auditing", TimeCreated: "2026-03-02T08:41:00.1234567Z", Message: "m", TargetUserName: "ann", IpAddress: "192.0.2.7" })],
    ["Winlogbeat", JSON.stringify({ "@timestamp": "2026-03-02T08:41:00.1234567Z", message: "m", winlog: { event_id: "4625", channel: "Security", computer_name: "dc1.shop.test", ExecutionProcessID: 612, ThreadID: 701, provider_name: "Microsoft-Windows-Security-Auditing", event_data: { TargetUserName: "ann", IpAddress: "192.0.2.7" } } })],
  ])("[IN-11] of %s is the same", (_name, text) => expect(record(text)).toMatchObject(expected));

  test("of PowerShell has its values in order, and its time", () => {
    const made = record(JSON.stringify({ Id: 4625, LogName: "Security", MachineName: "dc1", ProviderName: "p", TimeCreated: "/Date(1772440860000)/", Level: 2, Message: "m", Properties: [{ Value: "ann" }, { Value: 7 }] }));
    expect(made).toMatchObject({ evt: { id: 4625 }, status: "error", timestamp: "2026-03-02T08:41:00.000Z", message: "m", Event: { EventData: { Data: ["ann", 7] } } });
  });

  test("keeps data without names, doubled names and user data", () => {
    const made = record(eventXml(1102, "<UserData><LogFileCleared xmlns='u'><SubjectUserName>ann</SubjectUserName><Item n='1'/><Item>b</Item></LogFileCleared></UserData>", "<Data>a</Data><Data>b</Data><Binary>00</Binary>"));
    expect(made).toMatchObject({ Event: { EventData: { Data: ["a", "b"], Binary: "00" }, UserData: { LogFileCleared: { SubjectUserName: "ann", Item: [{ n: "1" }, "b"] } } } });
    expect(record(eventXml(1, "", '<Data Name="x">1</Data><Data Name="x">2</Data><Data>3</Data>'))).toMatchObject({ Event: { EventData: { Data: { x: ["1", "2"], param1: "3" } } } });
  });

  test("with names that objects have of their own harms nobody", () => {
    const made = record(eventXml(1, "", '<Data Name="__proto__">a</Data><Data Name="constructor">b</Data>'));
    const data = ((made.Event as Members).EventData as Members).Data as Members;
    expect(Object.keys(data)).toEqual(["__proto__", "constructor"]);
    expect(({} as { a?: unknown }).a).toBeUndefined();
    const fromJson = record('{"EventID":1,"Channel":"c","__proto__":{"x":1},"toString":"t"}');
    expect(JSON.stringify(fromJson)).toContain('"__proto__":{"x":1}');
  });
});

describe("hostile XML", () => {
  test.each<[string, string, string]>([
    ["a document type with an entity", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml-doctype"],
    ["a document type inside", "<a><!DOCTYPE b></a>", "xml-doctype"],
    ["too deep", `${"<a>".repeat(40)}${"</a>".repeat(40)}`, "xml-too-large"],
    ["too many elements", `<a>${"<b/>".repeat(20_000)}</a>`, "xml-too-large"],
    ["too many attributes", `<a ${Array.from({ length: 100 }, (_, i) => `n${i}="v"`).join(" ")}/>`, "xml-attribute"],
    ["crossed elements", "<a><b></a></b>", "xml-unbalanced"],
    ["an end without a beginning", "</a>", "xml-unbalanced"],
    ["no end", "<a><b>", "xml-unbalanced"],
    ["no end of a comment", "<a><!-- ", "xml-unbalanced"],
    ["two roots", "<a/><b/>", "xml-several-roots"],
    ["text outside", "x<a/>", "xml-text-outside"],
    ["no name", "< a/>", "xml-name"],
    ["no quotes", "<a b=c/>", "xml-attribute"],
    ["nothing", "", "xml-unbalanced"],
  ])("%s is refused", (_name, text, reason) => expect(() => readXml(text)).toThrow(reason));

  test("entities of its own stay as they are written, characters by number are characters", () => {
    expect(readXml("<a b='&#65;&quot;'>&x;&lol9;&#x1F600;&#0;&#xD800;&amp;lt;<![CDATA[<&amp;>]]><!-- c --><?p?></a>")).toMatchObject({ text: "&x;&lol9;\u{1f600}\ufffd\ufffd&lt;<&amp;>" });
    expect(readXml("<a b='&#65;&quot;'/>").attributes.get("b")).toBe('A"');
  });

  test("no bytes make the reader throw anything but its own refusals, or never end", () => {
    const source = eventXml(4625, "<UserData><a b='c'>&#1;</a></UserData>");
    let seed = 3;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const marks = ["<", ">", "&", "'", '"', "/", "]]>", "<![CDATA[", "<!--", "=", "</Event>", "\0", "{", "}"];
    let readable = 0;
    for (let round = 0; round < 3000; round++) {
      let text = source;
      for (let i = 0; i <= random(3); i++) {
        const at = random(text.length);
        text = text.slice(0, at) + (random(2) ? marks[random(marks.length)] : "") + text.slice(at + random(4));
      }
      const event = readEvent(encoder.encode(text), true);
      if (typeof event !== "string") readable++;
      else expect(event).toMatch(/^(?:xml-[a-z-]+|no-event-id)$/);
    }
    expect(readable).toBeGreaterThan(200);
  });
});

describe("exports", () => {
  const flags = { isInside: false, isLast: true, isQuiet: true, isFull: false };
  const ids = (text: string): number[] => text.split("\n").filter((line) => line !== "").map((line) => (JSON.parse(line) as { evt: { id: number } }).evt.id);
  const cutIds = (text: string, more = {}, filter = {}) => {
    const cut = windowsCutter(filter)({ ...flags, ...more, bytes: encoder.encode(text) });
    return { ids: ids(new TextDecoder().decode(cut.records[0]!.bytes)), consumed: cut.consumed, rejected: Object.fromEntries(cut.rejected) };
  };

  test.each<[string, string]>([
    ["XML in a document", `\ufeff<?xml version="1.0"?><Events>${eventXml(4625)}\n${eventXml(4634)}</Events>`],
    ["XML side by side", eventXml(4625) + eventXml(4634)],
    ["JSON lines", '{"EventID":4625,"Channel":"Security"}\n{"EventID":4634,"Channel":"Security"}\n'],
    ["a JSON list over several lines", JSON.stringify([{ EventID: 4625, a: '}"\\' }, { EventID: 4634, b: { c: "{" } }], null, 2)],
  ])("%s: every event is found, and filtered by id", (_name, text) => {
    expect(cutIds(text)).toMatchObject({ ids: [4625, 4634], rejected: {} });
    expect(cutIds(text, {}, { ids: [4624, 4625] })).toMatchObject({ ids: [4625], rejected: { filtered: 1 } });
  });

  test("what is not there yet is waited for, at any place", () => {
    const text = `<Events>${eventXml(1)}${eventXml(2)}`;
    for (let end = 0; end < text.length; end++) {
      const part = cutIds(text.slice(0, end), { isLast: false });
      const rest = cutIds(text.slice(part.consumed));
      expect([...part.ids, ...rest.ids]).toEqual([1, 2]);
    }
  });

  test("what is no event, unfinished or too large costs itself", () => {
    expect(cutIds(`${eventXml(1)}<Event><Bad></Event>{"a":1}{"EventID":{}}{nonsense}${eventXml(2)}<Event >`)).toMatchObject({ ids: [1, 2], rejected: { "xml-unbalanced": 1, "no-event-id": 2, "not-json": 1, unfinished: 1 } });
    const large = windowsCutter({})({ ...flags, isLast: false, isFull: true, bytes: encoder.encode(`<Event>${"x".repeat(100)}`) });
    expect(large).toMatchObject({ consumed: 107, isInside: true });
    expect(cutIds(`xx</Event>${eventXml(3)}`, { isInside: true }).ids).toEqual([3]);
    expect(cutIds('xx"}\n{"EventID":4}', { isInside: true }).ids).toEqual([4]);
  });

  test("channels and providers are compared without case", () => {
    expect(cutIds(eventXml(1), {}, { channel: "security" }).ids).toEqual([1]);
    expect(cutIds(eventXml(1), {}, { channel: "System" }).ids).toEqual([]);
    expect(cutIds(eventXml(1), {}, { providers: ["microsoft-windows-security-auditing"] }).ids).toEqual([1]);
    expect(cutIds(eventXml(1), {}, { providers: ["other"] }).ids).toEqual([]);
  });

  test("[IN-12] a followed export gives the ids of the list and no others, as it grows", async () => {
    const folder = newFolder();
    const sink = new MemorySink();
    const filter = { channel: "Security", ids: [4624, 4625, 4648, 4672, 4688, 4720, 4726, 4740, 4767] };
    writeFileSync(join(folder, "wide.xml"), Buffer.from(`\ufeff<Events>${eventXml(4624)}</Events>`, "utf16le"));
    const path = join(folder, "security.xml");
    writeFileSync(path, `<Events>${eventXml(4625)}${eventXml(4634)}`);
    const tail = await follow(sink, { sources: [{ path: join(folder, "*.xml"), startPosition: "beginning", windows: filter, defaults: { service: "windows-security" } }] });
    await until("two events", () => sink.events().length === 2);
    const next = eventXml(4740);
    appendFileSync(path, next.slice(0, 300));
    await new Promise((resolve) => setTimeout(resolve, 80));
    appendFileSync(path, `${next.slice(300)}</Events>`);
    await until("three events", () => sink.events().length === 3);
    const events = sink.events();
    expect(events.map(({ attributes }) => (attributes!.evt as { id: number }).id).sort()).toEqual([4624, 4625, 4740]);
    expect(events.every((event) => event.source === "windows.events" && event.service === "windows-security" && event.host === "dc1.shop.test")).toBe(true);
    expect(tail.counts.rejected.get("filtered")).toBe(1);
    expect(matches(queryOf("source:windows.events @evt.id:4625"), events.find(({ attributes }) => (attributes!.evt as { id: number }).id === 4625)!)).toBe(true);
  });

  const facts = "windows-otrf/facts.json";
  test.skipIf(!hasShared(`data/${facts}`))("recorded events are read with the counts others found", () => {
    const { per_file: files } = readSharedJson<{ per_file: { file: string; events: number; security_events_per_id: Record<string, number> }[] }>(`data/${facts}`);
    for (const { file, events, security_events_per_id: perId } of files.filter(({ events: count }) => count < 1500)) {
      const bytes = readShared(`data/windows-otrf/${file}`);
      let at = 0;
      let found = 0;
      const counts = new Map<number, number>();
      while (at < bytes.length) {
        const cut = windowsCutter({})({ ...flags, isLast: at + (1 << 20) >= bytes.length, bytes: bytes.subarray(at, at + (1 << 20)) });
        at += cut.consumed;
        found += cut.records[0]!.events;
        for (const line of new TextDecoder().decode(cut.records[0]!.bytes).split("\n").filter((each) => each !== "")) {
          const made = JSON.parse(line) as { evt: { id: number }; Event: { System: { Channel?: string } } };
          if (made.Event.System.Channel?.toLowerCase() === "security") counts.set(made.evt.id, (counts.get(made.evt.id) ?? 0) + 1);
        }
      }
      expect([file, found]).toEqual([file, events]);
      expect([file, Object.fromEntries([...counts].map(([id, count]) => [String(id), count]))]).toEqual([file, perId]);
    }
  });
});
