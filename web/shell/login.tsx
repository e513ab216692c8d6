import { useEffect, useState } from "react";
import { ApiFault, get } from "../lib/api.ts";
import { type Session, logIn } from "../lib/session.tsx";

export function Login({ onIn }: { readonly onIn: (session: Session) => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const [hasOidc, setOidc] = useState(false);
  useEffect(() => {
    get<{ readonly oidc: boolean }>("/api/v2/login").then(({ oidc }) => setOidc(oidc), () => {});
  }, []);
  const submit = async (): Promise<void> => {
    setAsking(true);
    try {
      onIn(await logIn(email, password));
    } catch (error) {
      setProblem((error as ApiFault).message);
      setAsking(false);
    }
  };
  return (
    <main className="login">
      <form onSubmit={(event) => (event.preventDefault(), void submit())}>
        <h1>
          <img src="/web/icon.svg" alt="" width="36" height="36" /> Vespid
        </h1>
        <label>
          Email address
          <input type="email" required autoComplete="username" autoFocus value={email} onChange={(event) => setEmail(event.target.value)} />
        </label>
        <label>
          Password
          <input type="password" required autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        {problem && <p className="login-problem" role="alert">{problem}</p>}
        <button type="submit" className="primary" disabled={isAsking}>
          Log in
        </button>
        {hasOidc && <a className="button" href="/auth/oidc/login">Log in by your organisation</a>}
        <p className="login-help">
          No account yet? <code>vespid users add you@example.com --password</code> makes one on the server.
        </p>
      </form>
    </main>
  );
}
