import { createRoot } from "react-dom/client";
import { applyTheme } from "./lib/theme.ts";
import { App } from "./shell/app.tsx";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/explorer.css";

applyTheme();
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => applyTheme());
createRoot(document.getElementById("root")!).render(<App />);
