import { ControlApi } from "./api.ts";
import { auditRoom } from "./audit/room.ts";
import type { ControlContext, Setup, SetupPart } from "./context.ts";
import { dashboardsRoom } from "./dashboards/room.ts";
import { entitiesRoom } from "./entities/room.ts";
import { hostsRoom } from "./hosts/room.ts";
import { intelRoom } from "./intel/room.ts";
import { jobsRoom } from "./jobs/room.ts";
import { logsRoom } from "./logs/room.ts";
import { mitreRoom } from "./mitre/room.ts";
import { overviewRoom } from "./overview/room.ts";
import { packsRoom } from "./packs/room.ts";
import { KeyDoorkeeper } from "./people/doorkeeper.ts";
import { Pages } from "./pages/pages.ts";
import { peopleRoom, type PeopleSettings } from "./people/room.ts";
import type { Route } from "./route.ts";
import { rulesRoom } from "./rules/room.ts";
import { settingsRoom } from "./settings/room.ts";
import { signalsRoom } from "./signals/room.ts";
import { tablesRoom } from "./tables/room.ts";

/** One subject of the API: its routes, and what it changes of what detection runs by. */
export interface Room {
  readonly routes: readonly Route[];
  readonly part?: SetupPart;
  /** Called every minute or so: expiry, retention, deprecation dates. */
  tend?(nowMs: number): void | Promise<void>;
  close?(): void | Promise<void>;
}

export interface ControlSettings extends PeopleSettings {
  readonly keysRequired: boolean;
  readonly version: string;
  readonly perMinute?: number;
  /** Folder of the web pages. */
  readonly pages?: string;
}

/** Every room of the API together: what `vespid serve` answers beside taking logs. */
export class Control {
  readonly api: ControlApi;
  readonly #rooms: readonly Room[];

  private constructor(api: ControlApi, rooms: readonly Room[]) {
    this.api = api;
    this.#rooms = rooms;
  }

  static async create(context: ControlContext, settings: ControlSettings): Promise<Control> {
    const doorkeeper = new KeyDoorkeeper(context.sql, settings.keysRequired);
    const rooms = [...roomsOf(context), peopleRoom(context, doorkeeper, settings)];
    const pages = settings.pages === undefined ? undefined : Pages.load(settings.pages);
    const api = await ControlApi.create({
      routes: rooms.flatMap(({ routes }) => routes), doorkeeper, audit: context.audit, nowMs: context.nowMs, version: settings.version,
      ...(settings.perMinute === undefined ? {} : { perMinute: settings.perMinute }), onFault: context.onFault,
      ...(pages ? { pages } : {}),
    });
    return new Control(api, rooms);
  }

  /** What files and packs say, with what the store says beside it. Throws a `ProblemError` where both together make no sense. */
  complete(base: Setup): Setup {
    return this.#rooms.reduce((setup, { part }) => part?.complete(setup) ?? setup, base);
  }

  async tend(nowMs: number): Promise<void> {
    for (const room of this.#rooms) await room.tend?.(nowMs);
  }

  async close(): Promise<void> {
    await this.api.close();
    for (const room of this.#rooms) await room.close?.();
  }
}

/** In the order in which they change what detection runs by. */
function roomsOf(context: ControlContext): readonly Room[] {
  const packs = packsRoom(context);
  // Rules of packs that are off are none of the rules' room, as if their files were not there.
  return [logsRoom(context), hostsRoom(context), auditRoom(context), packs, rulesRoom({ ...context, base: () => packs.part.applied(context.base()) }), settingsRoom(context), tablesRoom(context), signalsRoom(context), mitreRoom(context, packs), jobsRoom(context), intelRoom(context), entitiesRoom(context), overviewRoom(context, packs), dashboardsRoom(context, packs)];
}
