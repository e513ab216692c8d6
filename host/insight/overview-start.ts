import { packsHref, signalsHref, logsHref } from "./links.ts";
import { type OnboardingFacts, type OverviewModule, overviewModule } from "./overview-ask.ts";
import type { OnboardingData } from "./overview-model.ts";

const MOST_NEWS = 5;
const NOT_HERE = "this release cannot do it yet";

interface Task {
  readonly id: string;
  readonly title: string;
  readonly fact: keyof OnboardingFacts;
  readonly href: string;
}

/** @param span of the links */
function tasks(span: { readonly fromMs: number; readonly toMs: number }): readonly Task[] {
  return [
    { id: "first_log", title: "Send the first log", fact: "hasLogs", href: logsHref("", span) },
    { id: "first_pack", title: "Enable a content pack", fact: "hasPack", href: packsHref({ status: "install" }) },
    { id: "first_notification_rule", title: "Tell somebody: add a notification rule", fact: "hasNotificationRule", href: "/security/notification-rules" },
    { id: "first_colleague", title: "Bring in a second user", fact: "hasColleague", href: "/settings/users" },
    { id: "first_triage", title: "Triage a signal", fact: "hasTriage", href: signalsHref("@workflow.triage.state:open", span) },
    { id: "geoip", title: "Load a GeoIP database", fact: "hasGeo", href: "/settings/intake" },
  ];
}

export const startModules: readonly OverviewModule[] = [
  overviewModule({
    id: "onboarding", title: "Get started", needs: "known",
    href: () => "/settings/onboarding",
    async read({ onboarding, span }): Promise<OnboardingData> {
      const facts = await onboarding();
      const list = tasks(span).map(({ id, title, fact, href }) => ({ id, title, done: facts[fact] === true, href, ...(facts[fact] === null ? { note: NOT_HERE } : {}) }));
      return { tasks: list, open: list.filter(({ done }) => !done).length };
    },
  }),
  overviewModule({
    id: "news", title: "Research and release notes", needs: "known",
    href: () => "/release-notes",
    read: ({ news }) => ({ entries: news().slice(0, MOST_NEWS) }),
  }),
];
