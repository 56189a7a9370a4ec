"""Each rule keeps quiet on a system that is right, and speaks when one thing in it is not."""

import pytest

from tests.manifests.checking.breaks import BREAKS
from tests.manifests.checking.cel import CHANGES, CHECKS
from tests.manifests.checking.examples import Break, broken, example
from tests.manifests.checking.rules import RULES, Rule, check
from tests.manifests.checking.schemas import read_schema_file
from tests.manifests.schema_folder import require_schemas
from tests.system import require_program

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # of Ray Serve's own schema
BY_NAME = {rule.__name__: rule for rule in RULES}
NEED_SCHEMAS = {"cel_rule", "list_key_once"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_system_that_is_right_has_no_finding(rule: Rule) -> None:
    assert [str(finding) for finding in rule(example())] == []


@pytest.mark.parametrize("change", BREAKS, ids=str)
def test_a_rule_says_what_is_broken(change: Break) -> None:
    if change.rule in NEED_SCHEMAS or (change.rule == "strict_schema" and "Deployment" not in change.at):
        require_schemas()
    if change.rule == "prometheus_rules":
        require_program("promtool", "prometheus")
    assert list(BY_NAME[change.rule](broken(change)))


def test_every_rule_has_a_system_that_breaks_it() -> None:
    assert {change.rule for change in BREAKS} == BY_NAME.keys()


def test_a_finding_reads_as_where_what_and_the_value() -> None:
    change = Break("image_pinned", "Deployment/web spec.template.spec.containers[0].image", "nginx:latest")
    assert [str(finding) for finding in check(broken(change))] == [
        "Deployment/web spec.template.spec.containers[web].image: "
        "pinned by a tag other than latest, or a digest, got nginx:latest"
    ]


def test_what_does_not_parse_is_said_before_anything_that_reads_it() -> None:
    change = Break("strict_schema", "Deployment/web spec.template.spec.containers", "none")
    assert [finding.path for finding in check(broken(change))] == ["spec.template.spec.containers"]


def test_every_cel_rule_of_ray_is_written_in_python() -> None:
    require_schemas()
    known = read_schema_file("cel_rules.json")
    texts = {rule["rule"] for kind, rules in known.items() if kind.startswith("ray.io/") for rule in rules}
    assert len(texts) == 6
    assert texts <= CHECKS.keys() | CHANGES
