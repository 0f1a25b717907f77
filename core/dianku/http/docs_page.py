"""A small page that shows the OpenAPI document; it asks no other machine for anything."""

from __future__ import annotations

DOCS_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)

DOCS_PAGE = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dianku API</title>
<style>
body { font: 16px/1.5 "PingFang SC", "Noto Sans SC", "Microsoft YaHei", system-ui, sans-serif;
  margin: 0 auto; max-width: 60rem; padding: 1rem; color: #222; background: #fff; }
h1 { font-size: 28px; } h2 { font-size: 20px; margin: 2rem 0 .5rem; }
details { border-top: 1px solid #ddd; padding: .5rem 0; }
summary { cursor: pointer; } code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { overflow: auto; background: #f6f6f6; padding: 1rem; }
.method { display: inline-block; width: 4.5rem; font-weight: 600; }
.quiet { color: #666; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #161616; } pre { background: #222; }
  details { border-color: #333; } .quiet { color: #999; } a { color: #8ab4f8; } }
</style>
<h1>Dianku API</h1>
<p class="quiet">OpenAPI 3.1: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p>
<main></main>
<script>
const make = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};
fetch("/api/v1/openapi.json").then(answer => answer.json()).then(api => {
  const main = document.querySelector("main"), tags = new Map();
  const open = schema => schema && schema.$ref
    ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push([path, method, operation]);
    }
  for (const [tag, operations] of tags) {
    main.append(make("h2", tag));
    for (const [path, method, operation] of operations) {
      const box = make("details"), head = make("summary");
      head.append(make("span", method.toUpperCase(), "method"), make("code", path + " "),
        make("span", operation.summary, "quiet"));
      box.append(head, make("p", operation.description || ""),
        make("p", "permission: " + operation["x-permission"], "quiet"));
      if (operation.parameters.length)
        box.append(make("pre", JSON.stringify(operation.parameters, null, 2)));
      const body = operation.requestBody && Object.values(operation.requestBody.content)[0];
      if (body) box.append(make("pre", JSON.stringify(open(body.schema), null, 2)));
      main.append(box);
    }
  }
});
</script>
</html>
"""
