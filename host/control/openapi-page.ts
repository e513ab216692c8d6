import type { TSchema } from "typebox";
import type { Route } from "./route.ts";

/** The document for people to read: one page, no script, nothing fetched from anywhere. */
export function openApiPage(routes: readonly Route[], version: string): string {
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  const contents = tags.map((tag) => `<li><a href="#${anchor(tag)}">${escaped(tag)}</a></li>`).join("");
  const sections = tags.map((tag) => `<h2 id="${anchor(tag)}">${escaped(tag)}</h2>${routes.filter((each) => each.tag === tag).map(article).join("")}`).join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Vespid API</title><style>${style}</style></head>
<body><header><h1>Vespid API</h1><p>Version ${escaped(version)}. Calls take an API key in <code>DD-API-KEY</code> and an application key in <code>DD-APPLICATION-KEY</code>, or a session. The same as a document: <a href="/openapi.json">openapi.json</a>.</p><nav><ul>${contents}</ul></nav></header><main>${sections}</main></body></html>`;
}

function article(each: Route): string {
  const permission = each.permission === "anyone" ? "open to anyone" : each.permission === "known" ? "anybody who is known" : [each.permission].flat().join(" or ");
  return `<details id="${escaped(each.operationId)}"><summary><b class="${each.method.toLowerCase()}">${each.method}</b> <code>${escaped(each.path.replaceAll(/:(\w+)/g, "{$1}"))}</code> <span>${escaped(each.summary)}</span></summary>
<p><code>${escaped(each.operationId)}</code>, permission: <code>${escaped(permission)}</code></p>${block("Query", each.query)}${block("Body", each.body)}${Object.entries(each.answers).map(([status, schema]) => (schema ? block(`Answer ${status}`, schema) : `<p>Answer ${status}: empty</p>`)).join("")}</details>`;
}

function block(title: string, schema: TSchema | undefined): string {
  return schema ? `<h3>${title}</h3><pre>${escaped(JSON.stringify(schema, null, 2))}</pre>` : "";
}

const anchor = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const style = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}code,pre{font:13px/1.45 ui-monospace,monospace}pre{overflow:auto;max-height:28rem;padding:.75rem;border:1px solid #8884;border-radius:6px}details{border-bottom:1px solid #8883;padding:.35rem 0}summary{cursor:pointer}summary b{display:inline-block;min-width:4.2rem}.get{color:#2a7}.post{color:#27c}.put,.patch{color:#b70}.delete{color:#c33}nav ul{columns:3;padding-left:1.2rem}h2{margin-top:2rem}`;
