import { useState } from "react";
import { useKeys } from "../lib/keys.tsx";
import { Link, go, usePlace } from "../lib/router.tsx";
import { type Session, logOut } from "../lib/session.tsx";
import { type Theme, chooseTheme, currentTheme } from "../lib/theme.ts";
import { Icon } from "../ui/icon.tsx";
import { Line } from "../ui/text.tsx";
import { tellFault } from "../ui/toast.tsx";
import { Help } from "./help.tsx";
import { pageOf, pages } from "./pages.ts";

const THEMES: readonly Theme[] = ["system", "dark", "light"];

export function Nav({ session, may, onOut }: { readonly session: Session; readonly may: (permissions: readonly string[]) => boolean; readonly onOut: () => void }) {
  const { path } = usePlace();
  const [isHelp, setHelp] = useState(false);
  const [theme, setTheme] = useState(currentTheme());
  const here = pageOf(path)?.page;
  const seen = pages.filter((page) => page.group && may(page.permissions));
  const nextTheme = (): void => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
    chooseTheme(next);
    setTheme(next);
  };
  useKeys("Anywhere", [
    { keys: "?", label: "What the keys do", run: () => setHelp(true) },
    { keys: "t", label: "Dark, light, or as the system has it", run: nextTheme },
    ...seen.filter(({ key }) => key).map(({ key, title, path: to }) => ({ keys: `g ${key}`, label: `Go to ${title}`, run: () => go(to) })),
  ]);
  return (
    <nav className="nav" aria-label="Pages">
      <Link href={seen[0]?.path ?? "/"} className="nav-home">
        <img src="/web/icon.svg" alt="" width="26" height="26" />
        <span>Vespid</span>
      </Link>
      {(["Security", "Data", "Settings"] as const).map((group) => {
        const members = seen.filter((page) => page.group === group);
        if (!members.length) return null;
        return (
          <div key={group} className="nav-group">
            <h2>{group}</h2>
            <ul>
              {members.map((page) => (
                <li key={page.path}>
                  <Link href={page.path} title={page.key ? `${page.title} (g ${page.key})` : page.title} aria-current={here === page ? "page" : undefined}>
                    <Icon name={page.icon} />
                    <span>{page.title}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
      <div className="nav-end">
        <button type="button" onClick={() => setHelp(true)} title="Keyboard shortcuts (?)">
          <Icon name="keyboard" />
          <span>Shortcuts</span>
        </button>
        <button type="button" onClick={nextTheme} title="Dark, light, or as the system has it (t)">
          <Icon name="theme" />
          <span>Theme: {theme}</span>
        </button>
        <button type="button" onClick={() => void logOut().then(onOut, tellFault)} title={`Log out ${session.user.email}`}>
          <Icon name="out" />
          <span className="nav-who">
            <Line>{session.user.email}</Line>
          </span>
        </button>
      </div>
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </nav>
  );
}
