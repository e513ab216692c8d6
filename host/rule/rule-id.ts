import { hash } from "node:crypto";

/** Id of a rule that names none: words of its name and a fingerprint of it, the same in every run and after every edit. */
export function ruleIdOf(name: string): string {
  const fingerprint = hash("sha256", name).slice(0, 11);
  const words = name.toLowerCase().match(/[a-z0-9]+/g)?.slice(0, 4).join("-").slice(0, 48) ?? "rule";
  return `${words}-${fingerprint}`;
}
