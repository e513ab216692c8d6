import { useEffect, useRef, useState } from "react";
import scalar from "../../build/vespid.scalar.wasm?url";
import simd from "../../build/vespid.simd.wasm?url";
import type { PastedAnswer, PastedMatches, PastedQuestion } from "../../host/engine/browser/contract.ts";
import workerPlace from "../../host/engine/browser/worker.ts?worker&url";

/** Of the Trusted Types API what is used here. */
interface TypePolicies {
  createPolicy(name: string, rules: { readonly createScriptURL: (place: string) => string }): { createScriptURL(place: string): string };
}

export type Pasted =
  | { readonly kind: "matches"; readonly matches: PastedMatches; /** Not of the text and queries as they stand now, but soon. */ readonly isOld: boolean }
  | { readonly kind: "fault"; readonly text: string }
  | { readonly kind: "none" };

/** Kernels import a memory that threads share, which browsers give only to pages that came over https, or from this machine. */
export const hasSharedMemory = (): boolean => globalThis.crossOriginIsolated && typeof SharedArrayBuffer === "function";

/** The name is the one that the content policy lets pass. */
const policy = (globalThis as { readonly trustedTypes?: TypePolicies }).trustedTypes?.createPolicy("vespid-worker", {
  createScriptURL(place) {
    if (place !== workerPlace) throw new Error("a worker from elsewhere");
    return place;
  },
});

/** What queries match in a pasted text, asked of the kernels in a worker; while it works the newest question waits, those between are dropped. */
export function usePasted(queries: ReadonlyArray<readonly string[]>, text: string): Pasted {
  const [pasted, setPasted] = useState<Pasted>({ kind: "none" });
  const ask = useRef<(question: PastedQuestion) => void>(undefined);
  useEffect(() => {
    if (!hasSharedMemory()) return;
    const worker = new Worker(policy ? policy.createScriptURL(workerPlace) : workerPlace, { type: "module" });
    let isBusy = false;
    let next: PastedQuestion | undefined;
    ask.current = (question) => {
      if (isBusy) next = question;
      else worker.postMessage(question);
      isBusy = true;
    };
    worker.onmessage = ({ data }: MessageEvent<PastedAnswer>) => {
      const isOld = next !== undefined;
      setPasted(data.kind === "matches" ? { ...data, isOld } : data);
      isBusy = false;
      if (next) ask.current!(next);
      next = undefined;
    };
    worker.onerror = () => setPasted({ kind: "fault", text: "the browser did not start the kernels' worker" });
    return () => worker.terminate();
  }, []);
  const key = JSON.stringify(queries);
  useEffect(() => {
    if (text.trim() === "") return setPasted({ kind: "none" });
    setPasted((before) => (before.kind === "matches" ? { ...before, isOld: true } : before));
    ask.current?.({ kernels: { simd, scalar }, queries: JSON.parse(key), text, arrivalMs: Date.now() });
  }, [key, text]);
  return text.trim() === "" ? { kind: "none" } : pasted;
}
