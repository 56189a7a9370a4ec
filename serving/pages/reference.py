"""An OpenAPI description as HTML: endpoints with a call of each, then the fields of every message."""

import json
import re
from html import escape
from typing import Any

_LINK = "#/components/schemas/"


def reference(description: Any, address: str) -> str:
    """The body of the page; ``address``: where the service is called, such as ``http://127.0.0.1:8000``."""
    parts = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            parts.append(_endpoint(path, method.upper(), operation, address))
    parts.append("<h2>Messages</h2>")
    parts += [_message(name, schema) for name, schema in sorted(description["components"]["schemas"].items())]
    return "\n".join(parts)


def _endpoint(path: str, method: str, operation: Any, address: str) -> str:
    parts = [f'<h2 id="{escape(operation["operationId"])}"><code>{method} {escape(path)}</code></h2>']
    parts += [f"<p>{escape(operation['summary'])}.</p>", _prose(operation.get("description", ""))]
    rows = [
        (f"<code>{escape(p['name'])}</code> ({p['in']})", escape(p["description"])) for p in operation["parameters"]
    ]
    contents = operation.get("requestBody", {}).get("content", {})
    rows += [(f"body, <code>{escape(kind)}</code>", _type(content["schema"])) for kind, content in contents.items()]
    for code, answer in operation["responses"].items():
        kinds = ", ".join(
            f"<code>{escape(kind)}</code>: {_type(of['schema'])}" for kind, of in answer["content"].items()
        )
        rows.append((f"answer {code}", f"{_inline(answer['description'])} {kinds}"))
    parts += [_table(rows), f"<pre>{escape(_call(path, method, contents, address))}</pre>"]
    return '<section class="card">' + "\n".join(parts) + "</section>"


def _call(path: str, method: str, contents: Any, address: str) -> str:
    if method == "GET":
        return f"curl {address}{path}"
    kind, content = next(iter(contents.items()))
    return f"curl -X {method} {address}{path} -H 'Content-Type: {kind}' -d '{json.dumps(content['example'])}'"


def _message(name: str, schema: Any) -> str:
    needed = schema.get("required", [])
    rows = [
        (
            f"<code>{escape(field)}</code>",
            _type(of) + ("" if field in needed else ' <span class="muted">optional</span>'),
        )
        for field, of in schema.get("properties", {}).items()
    ]
    parts = [
        f'<h3 id="message-{escape(name)}">{escape(name)}</h3>',
        _prose(schema.get("description", "")),
        _table(rows),
    ]
    return '<section class="card">' + "\n".join(parts) + "</section>"


def _type(schema: Any) -> str:
    """A JSON schema in words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(_LINK))
        return f'<a href="#message-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "any value")
    if kind == "array":
        low, high = schema.get("minItems"), schema.get("maxItems")
        count = f"{low or 0:,} to {high:,} × " if high else ""
        items = schema.get("prefixItems") or [schema["items"]]
        words = ", ".join(_type(item) for item in items)
        return f"list of {count}({words})" if "anyOf" in items[0] else f"list of {count}{words}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])} by name"
    return (
        _inline(schema["description"]) if "contentEncoding" in schema and "description" in schema else escape(str(kind))
    )


def _table(rows: list[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in rows)
    return f'<div class="wide"><table>{lines}</table></div>' if rows else ""


def _prose(text: str) -> str:
    parts = []
    for block in filter(None, text.split("\n\n")):
        lines = block.splitlines()
        if all(line.startswith("- ") for line in lines):
            parts.append("<ul>" + "".join(f"<li>{_inline(line[2:])}</li>" for line in lines) + "</ul>")
        else:
            parts.append(f"<p>{_inline(' '.join(line.strip() for line in lines))}</p>")
    return "".join(parts)


def _inline(text: str) -> str:
    return re.sub(r"`{1,2}(.+?)`{1,2}", r"<code>\1</code>", escape(text))
