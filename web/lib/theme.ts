export type Theme = "dark" | "light" | "system";
const NAME = "vespid-theme";

export function currentTheme(): Theme {
  const kept = localStorage.getItem(NAME);
  return kept === "dark" || kept === "light" ? kept : "system";
}

export function applyTheme(theme: Theme = currentTheme()): void {
  const isDark = theme === "system" ? !matchMedia("(prefers-color-scheme: light)").matches : theme === "dark";
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(NAME);
  else localStorage.setItem(NAME, theme);
  applyTheme(theme);
}
