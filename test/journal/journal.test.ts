import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { comparePositions, positionText, readPosition, type JournalEntry } from "../../host/journal/contract.ts";
import { Journal } from "../../host/journal/journal.ts";
import { arrivalMs, entry, everything, folders, noise, textOf, texts } from "./support.ts";
import { random } from "./support-plain.ts";

const folder = folders();

describe("append and read", () => {
  test("entries come back as they were, in order, in the same process and in the next", async () => {
    const path = folder("round");
    const entries: JournalEntry[] = [
      entry("one\n"),
      entry("", { partition: "" }),
      entry("x".repeat(100_000), { partition: "tcp:514", profile: { format: "syslog", tags: ["env:prod", 'quote:"'], service: "ö", pipelines: [] } }),
      noise(70_000, 1, { arrivalMs: arrivalMs + 0.5 }),
      entry("same profile, another object", { profile: { format: "raw", source: "nginx" } }),
    ];
    const journal = await Journal.open(path);
    const at = await journal.append(entries);
    const stored = await everything(journal);
    expect(stored.damage).toEqual([]);
    expect(stored.entries.map(({ profile, arrivalMs, partition, bytes }) => ({ profile, arrivalMs, partition, bytes: Buffer.from(bytes) }))).toEqual(entries);
    expect(stored.entries.map(({ position }) => position)).toEqual(entries.map((_, i) => ({ segment: at.segment, entry: at.entry + i })));
    await journal.close();

    const again = await Journal.open(path);
    expect(again.recovery).toMatchObject({ tornBytes: 0, damage: [], segments: 1 });
    expect((await everything(again)).entries).toEqual(stored.entries);
    const next = await again.append([entry("after")]);
    expect(next).toEqual({ segment: at.segment, entry: at.entry + entries.length });
    expect(await texts(again, next)).toEqual(["after"]);
    await again.close();
  });

  test.each([true, false])("any sizes over many segments, compressed: %s", async (compress) => {
    const next = random(7);
    const journal = await Journal.open(folder(`sizes-${compress}`), { segmentBytes: 40_000, compress });
    const sent: string[] = [];
    const places: Array<{ segment: number; entry: number }> = [];
    for (let i = 0; i < 300; i++) {
      const group = Array.from({ length: 1 + Math.floor(next() * 4) }, (_, k) => entry(`${i}.${k} ${"abc ".repeat(Math.floor(next() ** 4 * 3000))}`));
      places.push(await journal.append(group));
      sent.push(...group.map(textOf));
    }
    expect(journal.segments.length).toBeGreaterThan(compress ? 1 : 10);
    expect(await texts(journal)).toEqual(sent);
    expect(places.every((place, i) => i === 0 || comparePositions(places[i - 1]!, place) < 0)).toBe(true);
    // From any place, to any place.
    const all = (await everything(journal)).entries;
    for (let i = 0; i < 60; i++) {
      const [a, b] = [Math.floor(next() * all.length), Math.floor(next() * all.length)].sort((x, y) => x - y) as [number, number];
      expect(await texts(journal, all[a]!.position, all[b]!.position)).toEqual(sent.slice(a, b));
    }
    await journal.close();
  });

  test("large batches are packed one after another in the same room, what hardly packs among them", async () => {
    const journal = await Journal.open(folder("large"));
    const sent: Buffer[] = [];
    for (const [i, size] of [300_000, 70_000, 6_000_000, 900_000, 12_000_000, 80_000, 400_000].entries()) {
      const noisy = noise(i % 2 ? 1000 : size, i);
      sent.push(i % 2 ? Buffer.alloc(size, noisy.bytes) : Buffer.from(noisy.bytes));
      await journal.append([{ ...noisy, bytes: sent[i]! }]);
    }
    const { entries, damage } = await everything(journal);
    expect(damage).toEqual([]);
    expect(entries.map(({ bytes }, i) => sent[i]!.equals(bytes))).toEqual(sent.map(() => true));
    await journal.close();
  });

  test("what a source said of itself stands beside its entry", async () => {
    const journal = await Journal.open(folder("marks"));
    await journal.append([entry("a"), entry("b", { mark: "17 \u{1f41d}" }), entry("c", { mark: "" })]);
    await journal.append([entry("d")]);
    expect((await everything(journal)).entries.map(({ mark }) => mark)).toEqual([undefined, "17 \u{1f41d}", "", undefined]);
    await journal.close();
  });

  test("appends of one moment share a frame; without groups each has its own", async () => {
    for (const [groupBytes, syncs] of [[undefined, 1], [0, 50]] as const) {
      const journal = await Journal.open(folder(`group-${groupBytes}`), { groupBytes });
      const places = await Promise.all(Array.from({ length: 50 }, (_, i) => journal.append([entry(`a${i}`), entry(`b${i}`)])));
      expect(places.map((place) => place.entry)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i));
      expect(journal.health).toMatchObject({ appends: 50, entries: 100, syncs });
      expect(await texts(journal)).toEqual(Array.from({ length: 50 }, (_, i) => [`a${i}`, `b${i}`]).flat());
      await journal.close();
    }
  });

  test("appends during a sync share the next one", async () => {
    const journal = await Journal.open(folder("sharing"));
    const work = Array.from({ length: 20 }, async (_, who) => {
      for (let i = 0; i < 20; i++) await journal.append([entry(`${who} ${i}`)]);
    });
    await Promise.all(work);
    expect(journal.health.appends).toBe(400);
    expect(journal.health.syncs).toBeLessThan(200);
    const byWho = Map.groupBy(await texts(journal), (text) => text.split(" ")[0]!);
    expect([...byWho.values()].every((list) => list.every((text, i) => text.endsWith(` ${i}`)) && list.length === 20)).toBe(true);
    await journal.close();
  });

  test("nothing to append is nothing to wait for", async () => {
    const journal = await Journal.open(folder("nothing"));
    expect(await journal.append([])).toEqual(journal.end);
    expect(readdirSync(journal.folder).filter((name) => name.endsWith(".journal"))).toEqual([]);
    await journal.close();
  });

  test("a reader beside the writer sees a whole beginning, each time a longer one", async () => {
    const journal = await Journal.open(folder("beside"), { segmentBytes: 20_000, compress: false });
    await journal.append([entry("0 ")]);
    let writing = true;
    const seen: number[] = [];
    const reading = (async () => {
      while (writing) {
        const { entries, damage } = await everything(journal);
        expect(damage).toEqual([]);
        expect(entries.map(textOf).every((text, i) => text.startsWith(`${i} `))).toBe(true);
        seen.push(entries.length);
      }
    })();
    // Another follows, and is woken for what is new.
    const followed: string[] = [];
    const following = (async () => {
      for (let from = journal.start; followed.length < 500;) {
        await journal.waitBeyond(from);
        const to = journal.end;
        followed.push(...(await texts(journal, from, to)));
        from = to;
      }
    })();
    for (let i = 1; i < 500; i++) await journal.append([entry(`${i} ${"x".repeat(i % 500)}`)]);
    writing = false;
    await Promise.all([reading, following]);
    expect(seen.every((length, i) => i === 0 || length >= seen[i - 1]!)).toBe(true);
    expect(followed.length).toBe(500);
    expect(followed.every((text, i) => text.startsWith(`${i} `))).toBe(true);
    await journal.close();
  });

  test("closing writes what waits, and refuses what comes", async () => {
    const path = folder("closing");
    const journal = await Journal.open(path);
    const waiting = Promise.all([journal.append([entry("a")]), journal.append([entry("b")])]);
    const follower = journal.waitBeyond({ segment: 99, entry: 0 });
    await Promise.all([journal.close(), follower]);
    await waiting;
    await expect(journal.append([entry("c")])).rejects.toMatchObject({ code: "journal/closed" });
    expect(journal.health.state).toBe("closed");
    const again = await Journal.open(path);
    expect(await texts(again)).toEqual(["a", "b"]);
    await again.close();
  });
});

describe("bounds", () => {
  test("more than the queue holds is refused, and what was taken is written", async () => {
    const journal = await Journal.open(folder("queue"), { queueBytes: 20_000 });
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => journal.append([entry(`${i} ${"x".repeat(2000)}`)])));
    const taken = outcomes.flatMap((outcome, i) => (outcome.status === "fulfilled" ? [i] : []));
    expect(taken.length).toBeGreaterThan(3);
    expect(taken.length).toBeLessThan(11);
    expect(outcomes.filter((outcome) => outcome.status === "rejected").every((outcome) => outcome.reason.code === "journal/busy")).toBe(true);
    expect(journal.health).toMatchObject({ state: "ok", queuedBytes: 0, refused: { busy: 30 - taken.length } });
    expect((await texts(journal)).map((text) => Number(text.split(" ")[0]))).toEqual(taken);
    // One that is larger than the queue alone is taken when nothing else waits.
    await journal.append([entry("y".repeat(50_000))]);
    await journal.close();
  });

  test("an arrival that is no time is refused before it can do harm", async () => {
    const journal = await Journal.open(folder("time"));
    await expect(journal.append([entry("a", { arrivalMs: Number.NaN })])).rejects.toThrow(/finite/);
    await journal.append([entry("b")]);
    expect(await texts(journal)).toEqual(["b"]);
    await journal.close();
  });
});

describe("one writer", () => {
  test("a second journal on the folder is refused until the first is closed", async () => {
    const path = folder("lock");
    const journal = await Journal.open(path);
    await expect(Journal.open(path)).rejects.toMatchObject({ code: "journal/locked", message: expect.stringContaining(String(process.pid)) });
    expect(Journal.isLocked(path)).toBe(true);
    await journal.close();
    expect(Journal.isLocked(path)).toBe(false);
    await (await Journal.open(path)).close();
  });

  test("another process is refused too, and one that was killed holds nothing", async () => {
    const path = folder("lock-process");
    const child = spawn(process.execPath, ["--input-type=module", "-e", `
      const { Journal } = await import(${JSON.stringify(join(import.meta.dirname, "../../host/journal/journal.ts"))});
      await Journal.open(${JSON.stringify(path)});
      console.log("open");
      setInterval(() => {}, 1000);`], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await expect(Journal.open(path)).rejects.toMatchObject({ code: "journal/locked" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    const journal = await Journal.open(path);
    await journal.append([entry("mine now")]);
    await journal.close();
  });
});

describe("places", () => {
  test("none up to a checkpoint is given again, though the files are gone", async () => {
    const journal = await Journal.open(folder("gone"), { checkpoint: { segment: 7, entry: 120 } });
    expect(journal.end).toEqual({ segment: 8, entry: 0 });
    expect(await journal.append([entry("a")])).toEqual({ segment: 8, entry: 0 });
    await journal.close();
    const behind = await Journal.open(journal.folder, { checkpoint: { segment: 8, entry: 5 } });
    expect(await behind.append([entry("b")])).toEqual({ segment: 9, entry: 0 });
    expect(await texts(behind)).toEqual(["a", "b"]);
    await behind.close();
    const level = await Journal.open(journal.folder, { checkpoint: { segment: 9, entry: 1 } });
    expect(await level.append([entry("c")])).toEqual({ segment: 9, entry: 1 });
    await level.close();
  });

  test.each([["12:340", { segment: 12, entry: 340 }], ["12", { segment: 12, entry: 0 }], ["", undefined], ["a:b", undefined], ["1:2:3", undefined], ["-1:0", undefined]])("%s is read as %o", (text, place) => {
    expect(readPosition(text)).toEqual(place);
    if (place && text.includes(":")) expect(positionText(place)).toBe(text);
  });
});
