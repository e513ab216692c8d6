import { useEffect, useState } from "react";
import { post } from "../lib/api.ts";
import { go, usePlace } from "../lib/router.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { Editor } from "./editor.tsx";
import { type Rule, type RuleDraft, RULES, emptyRule } from "./model.ts";
import { testLog } from "./tests-editor.tsx";

/** A rule from nothing, from a log (`log=`), from a query (`query=`) or for a technique (`tags=`). */
export function NewRule() {
  const { params } = usePlace();
  const [draft, setDraft] = useState<RuleDraft>(() => ({
    ...emptyRule, queries: [{ ...emptyRule.queries[0], query: params.get("query") ?? "" }], tags: (params.get("tags") ?? "").split(",").filter(Boolean),
  }));
  const [isSaving, setSaving] = useState(false);
  const logId = params.get("log");
  useEffect(() => {
    if (!logId) return;
    testLog(logId).then((log) => {
      const source = (log as { readonly ddsource?: unknown; readonly source?: unknown }).ddsource ?? (log as { readonly source?: unknown }).source;
      setDraft((before) => ({ ...before, queries: before.queries.map((query, i) => (i === 0 && !query.query && typeof source === "string" ? { ...query, query: `source:${source}` } : query)), tests: [{ name: "from a log", query: "a", expected: true, log }] }));
    }, tellFault);
  }, [logId]);
  const save = async (): Promise<void> => {
    setSaving(true);
    try {
      const rule = await post<Rule>(RULES, draft);
      tell(`${rule.name} judges from the next log on`);
      go(`/security/rules/${encodeURIComponent(rule.id)}`);
    } catch (error) {
      tellFault(error);
      setSaving(false);
    }
  };
  return (
    <div className="page rule-page">
      <h1>New rule</h1>
      <Editor draft={draft} onChange={setDraft} onSave={() => void save()} saveLabel="Make the rule" isNew isSaving={isSaving} />
    </div>
  );
}
