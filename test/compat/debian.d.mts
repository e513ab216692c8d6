export interface Debian {
  readonly path: string;
  readonly modules: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}
export function debianProgram(name: "rsyslog" | "syslog-ng"): Debian | undefined;
export function fetchDebian(name: "rsyslog" | "syslog-ng"): string | undefined;
