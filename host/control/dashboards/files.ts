import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { contentFolder } from "../../packs.ts";
import { type Variable } from "./variables.ts";
import { type Widget, readWidgets } from "./widgets.ts";

/** A dashboard that comes along with the program. */
export interface FileDashboard {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly layoutType: "ordered" | "free";
  readonly widgets: readonly Widget[];
  readonly variables: readonly Variable[];
  /** Its pack, while which is enabled it is listed; undefined: always. */
  readonly pack: string | undefined;
}

const SHARED = "dashboards";
const OF_PACK = "dashboard.json";

let known: readonly FileDashboard[] | undefined;

/** Those of `content/dashboards`, then those of packs, each in the order of their names. A file that is wrong throws an `ApiError`. */
export function fileDashboards(): readonly FileDashboard[] {
  return (known ??= readFolder(contentFolder()));
}

export function readFolder(folder: string): readonly FileDashboard[] {
  const shared = join(folder, SHARED);
  const names = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith(".json")).sort() : [];
  const packs = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, OF_PACK))).map(({ name }) => name).sort();
  return [
    ...names.map((name) => readFile(join(shared, name), name.slice(0, -".json".length), undefined)),
    ...packs.map((pack) => readFile(join(folder, pack, OF_PACK), `pack-${pack}`, pack)),
  ];
}

interface WireDashboard {
  readonly title: string;
  readonly description?: string;
  readonly layout_type?: "ordered" | "free";
  readonly widgets: Parameters<typeof readWidgets>[0];
  readonly template_variables?: readonly Variable[];
}

function readFile(path: string, id: string, pack: string | undefined): FileDashboard {
  const { title, description = null, layout_type: layoutType = "ordered", widgets, template_variables: variables = [] } = JSON.parse(readFileSync(path, "utf8")) as WireDashboard;
  return { id, title, description, layoutType, widgets: readWidgets(widgets, variables), variables, pack };
}
