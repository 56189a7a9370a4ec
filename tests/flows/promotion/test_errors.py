"""What cannot be edited safely is refused, with file, line and reason, and nothing is returned."""

import textwrap

import pytest

from features.errors import InputError
from flows.promotion.edit import Target, promote_text, read_leaves, set_leaves

NEXT = {"uri": "s3://bundles/sha256/bb22", "digest": "bb22", "model": "anomaly-detector", "version": "12"}
HEAD = "kind: RayService\nmetadata: {name: blue}\nspec:\n"
INNER = """\
applications:
  - name: anomaly-detector
    deployments:
      - name: AnomalyDetector
        user_config:
          bundle:
            uri: "u"
            digest: "d"
            model: "m"
            version: "1"
"""


def block(inner: str = INNER, header: str = "|") -> str:
    """A manifest whose inner line n is line n + 4."""
    return HEAD + f"  serveConfigV2: {header}\n" + textwrap.indent(inner, "    ")


def changed(old: str, new: str) -> str:
    assert INNER.count(old) == 1
    return block(INNER.replace(old, new))


CASES = {
    "nothing": ("", 1, "must hold a RayService"),
    "another kind": ("kind: RayCluster\n", 1, "must hold a RayService"),
    "no YAML": ("kind: RayService\nspec: [\n", 2, "must be YAML: expected the node content, but found '<stream end>'"),
    "a tab as indentation": (
        "kind: RayService\nspec:\n\tx: 1\n",
        3,
        "must be YAML: found character '\\t' that cannot start any token",
    ),
    "a control character": ("kind: RayService\n# \x07\n", 2, "must be YAML: special characters are not allowed"),
    "two RayServices": (block() + "---\n" + block(), 16, "must hold exactly one RayService, got 2"),
    "no spec": ("kind: RayService\n", 1, "must hold spec"),
    "no serveConfigV2": (HEAD + "  other: 1\n", 4, "must hold serveConfigV2"),
    "serveConfigV2 twice": (block() + "  serveConfigV2: x\n", 15, "must hold serveConfigV2 once"),
    "a mapping": (
        HEAD + "  serveConfigV2:\n    applications: []\n",
        5,
        "serveConfigV2 must be a string (KubeRay accepts no mapping); write it as a block: |",
    ),
    "an alias": (
        "x-config: &c |\n  a: 1\n" + HEAD + "  serveConfigV2: *c\n",
        6,
        "serveConfigV2 must be written out, not an alias, got '*c'",
    ),
    "nothing inside": (HEAD + "  serveConfigV2: ''\n", 4, "serveConfigV2 must hold one document, got 0"),
    "text inside": (HEAD + "  serveConfigV2: text\n", 4, "must be a mapping that holds applications"),
    "two documents inside": (block(INNER + "---\na: 1\n"), 16, "serveConfigV2 must hold one document, got 2"),
    "no YAML inside": (
        changed('model: "m"', 'model: "m'),
        14,
        "must be YAML: expected <block end>, but found '<scalar>'",
    ),
    "lines folded together": (
        block(INNER, ">").replace("    applications:", "    a: 1\n    applications:"),
        6,
        "must be YAML: mapping values are not allowed here",
    ),
    "an odd line break": (
        changed('"m"', '"m" # \u2028 x'),
        4,
        "serveConfigV2 must be written so that its characters can be told apart",
    ),
    "a template around": ("{{- if .Values.on }}\n" + block() + "{{- end }}\n", 1, "must be YAML, not a template"),
    "a template line inside": (
        changed("    deployments:", "    {{- if .x }}\n    deployments:"),
        7,
        "must be YAML, not a template",
    ),
    "a template as a value": (changed('"d"', "{{ .Values.digest }}"), 12, "must be YAML, not a template"),
    "a template within a value": (
        changed('"m"', "m-{{ .Values.model }}"),
        13,
        "must be YAML, not a template, got 'm-{{ .Values.model }}'",
    ),
    "a template in quotes": (
        changed('"m"', '"{{ .Values.model }}"'),
        13,
        "bundle.model must be a value, not a template, got '{{ .Values.model }}'",
    ),
    "a template beside": (
        block() + "  replicas: {{ .Values.replicas }}\n",
        15,
        "must be YAML, not a template",
    ),
    "no such application": (changed("anomaly-detector", "other"), 6, "must hold the application anomaly-detector"),
    "no such deployment": (changed("AnomalyDetector", "Other"), 8, "must hold the deployment AnomalyDetector"),
    "applications are no list": (block("applications: {}\n"), 5, "must be a list of applications"),
    "the application twice": (
        block(INNER + "  - name: anomaly-detector\n"),
        15,
        "must hold the application anomaly-detector once",
    ),
    "the deployment twice": (
        block(INNER + "      - name: AnomalyDetector\n"),
        15,
        "must hold the deployment AnomalyDetector once",
    ),
    "a leaf twice": (changed('"d"', '"d"\n            digest: "e"'), 13, "must hold digest once"),
    "a leaf by an alias": (
        changed('"u"', "&u u").replace('"d"', "*u"),
        12,
        "digest must be written out, not an alias, got '*u'",
    ),
    "a leaf with an anchor": (changed('"d"', "&d d"), 12, "bundle.digest must have no anchor and no tag, got '&d d'"),
    "a leaf with a tag": (
        changed('"d"', "!!str d"),
        12,
        "bundle.digest must have no anchor and no tag, got '!!str d'",
    ),
    "a section by an alias": (
        block(INNER + "          previous: *b\n").replace("bundle:", "bundle: &b"),
        15,
        "previous must be written out, not an alias, got '*b'",
    ),
    "leaves merged in": (
        changed("          bundle:\n", "          bundle:\n            <<: {digest: x}\n"),
        11,
        "bundle must hold its values itself, not merged with <<",
    ),
    "user_config merged in": (
        changed("        user_config:", "        <<: {x: 1}\n        user_configs:"),
        9,
        "must hold user_config itself: it may come from what << merges",
    ),
    "a leaf on two lines": (
        changed('"d"', '"d\n              e"'),
        12,
        "bundle.digest must be a value on one line, got 'd e'",
    ),
    "a leaf that is a block": (changed('"d"', "|\n              d"), 12, "bundle.digest must be a value on one line"),
    "a leaf that is a mapping": (changed('"d"', "{a: 1}"), 12, "bundle.digest must be a value on one line"),
    "a section that is text": (block(INNER + "          previous: no\n"), 15, "previous must be a mapping, got 'no'"),
    "a section that says null": (
        block(INNER + "          previous: null\n"),
        15,
        "previous must be a mapping or empty, got 'null'",
    ),
    "a value that is used elsewhere too": (
        block(INNER + "        copy: *b\n").replace("bundle:", "bundle: &b"),
        8,
        "cannot be edited without changing something else, got ['applications.0.deployments.0.copy']",
    ),
}


@pytest.mark.parametrize(("text", "line", "rule"), CASES.values(), ids=CASES)
def test_it_is_refused_with_file_line_and_reason(text: str, line: int, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        promote_text(text, NEXT, Target("overlay.yaml"))
    assert str(caught.value) == f"overlay.yaml:{line}: {rule}"
    assert caught.value.field == f"overlay.yaml:{line}"


def test_the_line_is_counted_with_carriage_returns_too() -> None:
    with pytest.raises(InputError, match=r"^overlay\.yaml:12: bundle\.digest must have no anchor"):
        promote_text(changed('"d"', "&d d").replace("\n", "\r\n"), NEXT, Target("overlay.yaml"))


def test_a_rayservice_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"^manifest:1: must hold a RayService named green$"):
        read_leaves(block(), Target(service="green"))


def test_half_a_surrogate_pair_is_no_value() -> None:
    with pytest.raises(InputError, match=r"bundle: must hold characters that UTF-8 can write"):
        set_leaves(block(), {("bundle", "digest"): "\ud83d"})
