import type { PageProps } from "../shell/pages.ts";
import { EntityExplorer } from "./entity-explorer.tsx";
import { EntityPage } from "./entity-page.tsx";
import "../styles/entities.css";

export default function EntitiesPage({ rest: [type, ...value] }: PageProps) {
  return type === undefined || !value.length ? <EntityExplorer /> : <EntityPage key={`${type}:${value.join("/")}`} id={`${type}:${value.join("/")}`} />;
}
