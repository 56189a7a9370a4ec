"""A real repository, a real registry and a scripted fleet, to promote into and to verify."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from flows.adapters.git import commit_change, read_head
from flows.adapters.registry import Registry
from flows.alias_log import AliasLog
from flows.environments import environment
from flows.lease import FileLease
from flows.outcome import Outcome
from flows.promotion.edit import promote_text
from flows.promotion.judge import Rules
from flows.promotion.message import promotion_message
from flows.steps.doors import Doors
from flows.steps.head import named_bundle, target
from flows.steps.reconcile import apply_head
from flows.steps.verify import verify
from flows.workspace import Workspace
from serving.bundle import pack
from serving.settings import BundleRef
from tests.fakes.serve import FakeReplica, FakeServe, serving
from tests.flows.verification.quiet import Quiet
from tests.serving.service import store_files
from tests.serving.test_bundle import MANIFEST, sum_of

MODEL = "m"
QUICK = Rules(rounds=3, over_s=0.1, timeout_s=60.0)
SHORT = Rules(rounds=3, over_s=0.1, timeout_s=0.4)
"""Where nothing is to be verified in the end."""


@dataclass
class Place:
    """An environment with its fleet; version n is refs[n - 1]."""

    doors: Doors
    fleet: FakeServe
    refs: list[BundleRef]
    progress: Quiet = field(default_factory=Quiet)

    def promote(self, number: int, **changed: str) -> str:
        """Commit a version, as promotion does; the commit. changed: values that git names instead."""
        place = self.doors.environment
        _, text = read_head(place.repository, place.branch, place.file)
        bundle = {**msgspec.to_builtins(self.refs[number - 1]), **changed}
        new = promote_text(text, bundle, target(place)).text
        message = promotion_message(place.name, bundle, named_bundle(place, text))
        return commit_change(place.repository, place.branch, place.file, text, new, message)

    def apply(self) -> bool:
        """What a controller does."""
        return apply_head(self.doors.environment, self.doors.api)

    def verify(self, rules: Rules = QUICK, expected: str = "") -> Outcome:
        """Verify, with a controller at work."""
        return verify(self.doors, rules, self.progress, expected, self.apply)

    def roll_out(self, version: int) -> Outcome:
        """Promote, apply and verify."""
        self.promote(version)
        self.apply()
        return self.verify()

    @property
    def head(self) -> dict[str, str]:
        """What git names."""
        place = self.doors.environment
        return named_bundle(place, read_head(place.repository, place.branch, place.file)[1])

    def alias(self, name: str) -> str:
        """The version of an alias, or nothing."""
        found = self.doors.registry.by_alias(MODEL, f"{name}-local")
        return found.version if found else ""

    def tags(self, version: int) -> dict[str, str]:
        """Tags of a version."""
        return dict(self.doors.registry.by_version(MODEL, str(version)).tags)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[BundleRef]]:
    """A workspace with four registered versions and a seeded repository, and these versions."""
    workspace = Workspace(tmp_path_factory.mktemp("verification") / "workspace")
    workspace.prepare()
    environment("local", workspace)
    registry = Registry(workspace.registry_uri, workspace.artifacts)
    refs = []
    for number in range(1, 5):
        files = pack(msgspec.structs.replace(MANIFEST, seed=number), sum_of(2))
        ref = store_files(workspace.bundles / "sha256", files, str(number))
        with registry.run("verification", f"run-{number}", {}) as run_id:
            version = registry.register(MODEL, ref.uri, ref.digest, run_id)
        refs.append(BundleRef(ref.uri, ref.digest, MODEL, version.version))
    return workspace.root, refs


@pytest.fixture
def place(template: tuple[Path, list[BundleRef]], tmp_path: Path) -> Iterator[Place]:
    """An environment with three replicas that serve nothing yet."""
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(template[0], workspace.root, symlinks=True)
    refs = [replace_uri(ref, template[0], workspace.root) for ref in template[1]]
    fleet = FakeServe([FakeReplica(name) for name in ("a", "b", "c")])
    with serving(fleet) as api:
        doors = Doors(
            environment("local", workspace),
            Registry(workspace.registry_uri, workspace.artifacts),
            api,
            FileLease(workspace.leases / "verify-local"),
            AliasLog(workspace.alias_log),
        )
        yield Place(doors, fleet, refs)


def replace_uri(ref: BundleRef, old: Path, new: Path) -> BundleRef:
    """The reference to a copy of a store."""
    return msgspec.structs.replace(ref, uri=ref.uri.replace(str(old), str(new)))
