import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { assetKeeper, assetRoutes } from "./assets.ts";
import { filterKeeper, filterRoutes } from "./filters.ts";
import { statsRoutes } from "./stats.ts";
import { suppressionKeeper, suppressionRoutes } from "./suppressions.ts";
import { tuningRoutes } from "./tuning.ts";

/** What stands beside rules: suppressions, security filters and critical assets, those of the API joined to those of files. */
export function settingsRoom(context: ControlContext): Room {
  const [suppressions, filters, assets] = [suppressionKeeper(context), filterKeeper(context), assetKeeper(context)];
  return {
    routes: [...suppressionRoutes(context, suppressions), ...statsRoutes(context, suppressions), ...filterRoutes(context, filters), ...assetRoutes(context, assets), ...tuningRoutes(context)],
    part: { complete: (setup) => assets.complete(filters.complete(suppressions.complete(setup))) },
  };
}
