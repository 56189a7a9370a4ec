"""scripts/minikube-images.sh: the images under the names that the overlay asks for, in the Docker of Minikube."""

import shutil

import pytest

from tests.scripts.conftest import ROOT, Bench

TARGETS = ("serve", "ops", "train")


@pytest.fixture
def machine(bench: Bench) -> Bench:
    """With a Minikube that runs, and a docker that writes down which daemon it was to ask."""
    shutil.copytree(ROOT / "docker", bench.checkout / "docker")
    bench.stub("minikube", "echo 'export DOCKER_HOST=tcp://minikube:2376'")
    bench.stub("docker", 'echo "  at ${DOCKER_HOST:-here}" >>"$CALLS"')
    return bench


def test_each_image_is_built_where_pods_look_for_it_under_the_name_that_the_overlay_asks_for(machine: Bench) -> None:
    done = machine.run("minikube-images.sh")
    assert done.returncode == 0, done.stderr
    calls = machine.calls().splitlines()
    assert calls[0] == "minikube docker-env --shell bash"
    assert calls[2::2] == ["  at tcp://minikube:2376"] * len(TARGETS)
    for target, call in zip(TARGETS, calls[1::2], strict=True):
        assert call.startswith("docker buildx build --file docker/Dockerfile ")
        assert f" --target {target} " in call
        assert call.endswith(f" --builder default --load --tag ghcr.io/acme/vigia-{target}:0.1.0 .")


def test_one_image_alone_can_be_built(machine: Bench) -> None:
    machine.run("minikube-images.sh", "train")
    assert [call.count("vigia-train:0.1.0") for call in machine.calls().splitlines()] == [0, 1, 0]


def test_an_image_that_the_overlay_names_by_digest_is_not_built(machine: Bench) -> None:
    overlay = machine.checkout / "manifests/overlays/minikube/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("newTag: 0.1.0", f"digest: sha256:{'0' * 64}"))
    done = machine.run("minikube-images.sh")
    assert done.returncode == 2
    assert "names no tag of vigia-serve" in done.stderr
    assert machine.calls() == ""


def test_an_overlay_that_names_no_owner_is_filled_in_first(fresh: Bench) -> None:
    done = fresh.run("minikube-images.sh")
    assert done.returncode == 2
    assert "scripts/fill-in.sh" in done.stderr


def test_what_is_not_there_is_named_and_nothing_is_built(machine: Bench) -> None:
    assert "names no tag of vigia-web" in machine.run("minikube-images.sh", "serve", "web").stderr
    machine.stub("minikube", "exit 85")
    done = machine.run("minikube-images.sh")
    assert done.returncode == 2
    assert "Minikube does not run" in done.stderr
    assert "docker buildx" not in machine.calls()
