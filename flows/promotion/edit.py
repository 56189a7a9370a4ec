"""The edit: a bundle's coordinates into the text of a RayService manifest, touching nothing but those values.

A YAML parser gives positions only; the characters between them are replaced, both texts are parsed again, and exactly
the intended values must differ. So far the document must hold ``serveConfigV2`` as a literal block (``|``).
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from features.errors import InputError

APPLICATION, DEPLOYMENT = "anomaly-detector", "AnomalyDetector"
Leaves = dict[tuple[str, str], str]
"""(section, key) -> value, such as ("bundle", "digest")."""


def read_leaves(text: str) -> Leaves:
    """The values below ``user_config.bundle`` and ``user_config.previous`` of a manifest."""
    return {path: str(node.value) for path, node in _leaves(_block(text)[0]).items()}


def serve_config(text: str) -> dict[str, Any]:
    """``serveConfigV2`` of a manifest, parsed."""
    config: dict[str, Any] = yaml.safe_load(_block(text)[0])
    return config


def promote_text(text: str, bundle: Mapping[str, str]) -> str:
    """The manifest with ``user_config.bundle`` set to uri, digest, model and version, and the old one as previous.

    The same text when that digest is there already. Raises InputError when it cannot be done safely.
    """
    old = read_leaves(text)
    if old.get(("bundle", "digest")) == bundle["digest"]:
        return text
    wanted = {("bundle", key): value for key, value in bundle.items()}
    wanted |= {("previous", key): old.get(("bundle", key), "") for key in bundle}
    inner, start, indent = _block(text)
    missing = set(wanted) - set(old)
    if missing:
        raise InputError("serveConfigV2", "user_config must hold these leaves", sorted(".".join(p) for p in missing))
    lines = text.splitlines(keepends=True)
    for path, node in _leaves(inner).items():
        if path in wanted:
            row = start + node.start_mark.line
            begin, end = indent + node.start_mark.column, indent + node.end_mark.column
            if node.start_mark.line != node.end_mark.line:
                raise InputError("serveConfigV2", f"{'.'.join(path)} must be on one line", node.value)
            lines[row] = lines[row][:begin] + json.dumps(wanted[path]) + lines[row][end:]
    new = "".join(lines)
    if read_leaves(new) != {**old, **wanted} or _without(new) != _without(text):
        raise InputError("serveConfigV2", "cannot be edited without changing something else")
    return new


def _block(text: str) -> tuple[str, int, int]:
    """The inner document, the line it starts on, and its indentation."""
    try:
        documents = [node for node in yaml.compose_all(text, yaml.SafeLoader) if node is not None]
    except yaml.YAMLError as error:
        raise InputError("manifest", f"must be YAML: {' '.join(str(error).split())}") from error
    services = [node for node in documents if _plain(_child(node, "kind")) == "RayService"]
    if len(services) != 1:
        raise InputError("manifest", "must hold exactly one RayService", len(services))
    node = _child(_child(services[0], "spec"), "serveConfigV2")
    if not isinstance(node, yaml.ScalarNode) or node.style != "|":
        raise InputError("serveConfigV2", "must be a literal block (|)", getattr(node, "style", None))
    start = node.start_mark.line + 1
    lines = text.splitlines()[start:]
    first = next((line for line in lines if line.strip()), "")
    return node.value, start, len(first) - len(first.lstrip(" "))


def _leaves(inner: str) -> dict[tuple[str, str], yaml.ScalarNode]:
    root = yaml.compose(inner, yaml.SafeLoader)
    application = _named(_child(root, "applications"), APPLICATION)
    deployment = _named(_child(application, "deployments"), DEPLOYMENT)
    config = _child(deployment, "user_config")
    found = {}
    for section in ("bundle", "previous"):
        node = _child(config, section)
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(value, yaml.ScalarNode):
                found[(section, key.value)] = value
    return found


def _without(text: str) -> Any:
    """The parsed manifest with the editable leaves taken out."""
    manifest = [document for document in yaml.safe_load_all(text) if document]
    for document in manifest:
        if document.get("kind") == "RayService":
            config = yaml.safe_load(document["spec"]["serveConfigV2"])
            for application in config["applications"]:
                for deployment in application["deployments"]:
                    if (application["name"], deployment["name"]) == (APPLICATION, DEPLOYMENT):
                        deployment["user_config"] |= {"bundle": None, "previous": None}
            document["spec"]["serveConfigV2"] = config
    return manifest


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                found: yaml.Node = value
                return found
    return None


def _named(node: yaml.Node | None, name: str) -> yaml.Node:
    items: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else []
    for item in items:
        if _plain(_child(item, "name")) == name:
            return item
    raise InputError("serveConfigV2", "must hold the entry", name)


def _plain(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
