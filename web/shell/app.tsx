import { Suspense, useEffect, useState } from "react";
import { Component, type ReactNode } from "react";
import { whenStranger } from "../lib/api.ts";
import { go, usePlace } from "../lib/router.tsx";
import { type Session, SessionProvider, currentSession } from "../lib/session.tsx";
import { Empty, Loading } from "../ui/fault.tsx";
import { Toasts } from "../ui/toast.tsx";
import { Login } from "./login.tsx";
import { Nav } from "./nav.tsx";
import { pageOf, pages } from "./pages.ts";

type Who = { readonly kind: "unknown" } | { readonly kind: "stranger" } | { readonly kind: "known"; readonly session: Session };

export function App() {
  const [who, setWho] = useState<Who>({ kind: "unknown" });
  useEffect(() => {
    // The page is wanted by all but strangers: it comes while the server is asked who this is.
    pageOf(location.pathname)?.page.load().catch(() => {});
    whenStranger(() => setWho({ kind: "stranger" }));
    currentSession().then((session) => setWho({ kind: "known", session }), () => setWho({ kind: "stranger" }));
  }, []);
  if (who.kind === "unknown") return <Loading />;
  if (who.kind === "stranger") return <Login onIn={(session) => setWho({ kind: "known", session })} />;
  return (
    <SessionProvider value={who.session}>
      <Shell session={who.session} onOut={() => setWho({ kind: "stranger" })} />
      <Toasts />
    </SessionProvider>
  );
}

function Shell({ session, onOut }: { readonly session: Session; readonly onOut: () => void }) {
  const { path } = usePlace();
  const may = (permissions: readonly string[]): boolean => permissions.some((one) => session.permissions.includes(one));
  const home = pages.find((page) => page.group && may(page.permissions))?.path ?? "/security/signals";
  const found = pageOf(path);
  useEffect(() => {
    if (!found) go(home, { replace: true });
  }, [found, home]);
  useEffect(() => {
    document.title = found ? `${found.page.title} · Vespid` : "Vespid";
  }, [found?.page]);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Nav session={session} may={may} onOut={onOut} />
      <main id="main" tabIndex={-1}>
        {found && (
          <Boundary key={found.page.path}>
            <Suspense fallback={<Loading />}>{may(found.page.permissions) ? <found.page.view rest={found.rest} /> : <Empty>Your roles do not let you see this page.</Empty>}</Suspense>
          </Boundary>
        )}
      </main>
    </div>
  );
}

/** A page that fails leaves the rest standing. */
class Boundary extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error): { readonly error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <div className="fault" role="alert">
        <p>This page failed: {this.state.error.message}</p>
        <button type="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </div>
    );
  }
}
