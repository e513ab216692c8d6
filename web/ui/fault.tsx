import type { ApiFault } from "../lib/api.ts";
import { visible } from "../lib/text.ts";

/** What went wrong, in the server's words, and a way to try again. */
export function Fault({ fault, onRetry }: { readonly fault: ApiFault; readonly onRetry?: () => void }) {
  return (
    <div className="fault" role="alert">
      {fault.status === 403 ? <p>Your roles do not let you see this.</p> : (fault.texts.length ? fault.texts : [fault.message]).map((text, i) => <p key={i}>{visible(text)}</p>)}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { readonly children: React.ReactNode }) {
  return <div className="empty">{children}</div>;
}

export function Loading() {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">Loading</span>
    </div>
  );
}
