import type { PageProps } from "../shell/pages.ts";
import { NewRule } from "./new-rule.tsx";
import { RuleList } from "./rule-list.tsx";
import { RulePage } from "./rule-page.tsx";
import "../styles/rules.css";

export default function RulesPage({ rest: [id] }: PageProps) {
  if (id === undefined) return <RuleList />;
  return id === "new" ? <NewRule /> : <RulePage key={id} id={id} />;
}
