import { describe, expect, test } from "vitest";
import { RecentEvents } from "../../host/detect/recent.ts";
import { InputProfiles } from "../../host/input-profiles.ts";
import type { InputProfile } from "../../host/engine/task.ts";

const profile = (number: number): InputProfile => ({ format: "raw", host: `h-${number}` });

/** A recent-events stand that says how far it has come and what can still be seen. */
function recents(): { readonly recent: RecentEvents; at: number; seenFrom: number } {
  const stand = { at: 0, seenFrom: 0, recent: undefined as unknown as RecentEvents };
  stand.recent = { get count() { return stand.at; }, mayBeSeen: (slot: number) => slot >= stand.seenFrom } as RecentEvents;
  return stand;
}

describe("input profiles by number", () => {
  test("equal ones share a number", () => {
    const profiles = new InputProfiles(new RecentEvents());
    expect([profile(1), profile(2), { ...profile(1) }].map((each) => profiles.numberOf(each))).toEqual([0, 1, 0]);
    expect(profiles.list).toEqual([profile(1), profile(2)]);
  });

  test("a hundred thousand senders leave no more behind than can be seen", () => {
    const stand = recents();
    const profiles = new InputProfiles(stand.recent);
    for (let i = 0; i < 100_000; i++) {
      stand.at += 1000;
      stand.seenFrom = stand.at - 500_000;
      const number = profiles.numberOf(profile(i));
      expect(profiles.list[number]!.host).toBe(`h-${i}`);
    }
    expect(profiles.list.length).toBeLessThan(5000);
  });

  test("what an event in sight bears keeps its number", () => {
    const stand = recents();
    const profiles = new InputProfiles(stand.recent);
    const numbers = Array.from({ length: 20_000 }, (_, i) => profiles.numberOf(profile(i)));
    expect(new Set(numbers).size).toBe(20_000);
    expect(numbers.every((number, i) => profiles.list[number]!.host === `h-${i}`)).toBe(true);
  });

  test("saved, with those that only signals know, and taken up again", () => {
    const profiles = new InputProfiles(new RecentEvents());
    profiles.numberOf(profile(1));
    const saved = profiles.saved();
    const known = profile(7);
    expect([saved.numberOf(profiles.list[0]!), saved.numberOf(known), saved.numberOf(known)]).toEqual([0, 1, 1]);
    const again = new InputProfiles(new RecentEvents());
    again.restore(JSON.parse(JSON.stringify([...saved.list, undefined])) as InputProfile[]);
    expect([again.numberOf(profile(7)), again.numberOf(profile(8)), again.numberOf(profile(9))]).toEqual([1, 2, 3]);
  });
});
