import type { OnboardingFacts, SourceLogs } from "../../insight/overview-ask.ts";
import type { TimeSpan } from "../../insight/links.ts";
import type { SignalNumbers } from "../../insight/signal-numbers.ts";
import { PeopleStore } from "../../store/people.ts";
import type { ControlContext } from "../context.ts";
import { within } from "../logs/room.ts";
import type { PacksRoom } from "../packs/room.ts";
import type { Principal } from "../principal.ts";

/** What people do on this server comes in as logs of this kind, and is no log somebody sent. */
const AUDIT = "audit";
/** Entries of the journal that are looked at for the first log. */
const MOST_ENTRIES = 1000;
const MOST_SOURCES = 1000;
const DAY_MS = 86_400_000;
const KNOWN_DAYS = 8;
const SLOT_MS = 600_000;

/** Facts about the server that modules are told of, as somebody may see them. */
export class OverviewFacts {
  readonly #context: ControlContext;
  readonly #packs: PacksRoom;
  /** Once a log was there, one was there. */
  #hasLogs = false;

  constructor(context: ControlContext, packs: PacksRoom) {
    this.#context = context;
    this.#packs = packs;
  }

  async onboarding(numbers: SignalNumbers): Promise<OnboardingFacts> {
    const people = new PeopleStore(this.#context.sql).users().filter(({ isActive }) => isActive);
    return {
      hasLogs: await this.#anyLog(), hasPack: this.#packs.part.names.size > 0, hasNotificationRule: null, hasColleague: people.length > 1,
      hasTriage: (await numbers.count("@workflow.triage.acted:true")) > 0, hasGeo: this.#context.geoip?.states.some(({ inUse }) => inUse !== undefined) ?? false,
    };
  }

  /** Sources of the last days; undefined for those who see some logs only. */
  sources(nowMs: number, { restriction }: Pick<Principal, "restriction">): readonly string[] | undefined {
    if (restriction) return undefined;
    const firstMs = nowMs - KNOWN_DAYS * DAY_MS;
    return [...new Set(this.#packs.store.days(Math.floor(firstMs / DAY_MS)).filter(({ lastSeenMs }) => lastSeenMs >= firstMs).map(({ source }) => source))].sort();
  }

  /** Counted as they came, by arrival; for those who see some only, by looking through the logs themselves, by event time. */
  async logs({ fromMs, toMs }: TimeSpan, widthMs: number, who: Pick<Principal, "restriction">): Promise<{ readonly sources: readonly SourceLogs[]; readonly isPartial: boolean }> {
    const restriction = within(who);
    const sources = new Map<string, Map<number, number>>();
    const add = (source: string, timeMs: number, count: number): void => void (sources.get(source) ?? sources.set(source, new Map()).get(source)!).set(timeMs, count);
    let isPartial = false;
    if (!restriction) for (const { source, startMs, events } of this.#packs.store.slots(Math.floor(fromMs / SLOT_MS) * SLOT_MS, toMs, widthMs)) add(source, startMs, events);
    else {
      const { status, body } = await this.#context.logs().aggregate({ filter: { query: "*", from: fromMs, to: toMs }, compute: [{ aggregation: "count", type: "timeseries", interval: widthMs }], group_by: [{ facet: "source", limit: MOST_SOURCES }] }, restriction);
      if (status !== 200) throw new Error(`logs cannot be counted: ${JSON.stringify(body)}`);
      const { data, meta } = body as { readonly data: { readonly buckets: ReadonlyArray<{ readonly by: { readonly source: string }; readonly computes: { readonly c0: ReadonlyArray<{ readonly time: string; readonly value: number }> } }> }; readonly meta: { readonly status: string } };
      isPartial = meta.status !== "done";
      for (const { by, computes } of data.buckets) for (const { time, value } of computes.c0) add(by.source, Date.parse(time), value);
    }
    return { sources: [...sources].map(([source, times]) => ({ source, times })), isPartial };
  }

  async #anyLog(): Promise<boolean> {
    if (this.#hasLogs) return true;
    const { journal } = this.#context;
    if (this.#packs.store.days(0).some(({ source }) => source !== AUDIT)) return (this.#hasLogs = true);
    let looked = 0;
    for await (const { profile } of journal.read(journal.start, journal.end)) {
      if (profile.dataSource !== AUDIT) return (this.#hasLogs = true);
      if (++looked >= MOST_ENTRIES) break;
    }
    return false;
  }
}
