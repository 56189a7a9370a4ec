"""scripts/0-install-dependencies.sh: pinned versions, each download held against its publisher's checksums, once."""

import hashlib
import io
import re
import tarfile
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.scripts.conftest import ROOT, Bench, expected

VERSIONS = dict(re.findall(r"(?m)^(\w+)=(\S+)$", (ROOT / "scripts/versions.env").read_text()))
PROGRAMS = ("kubectl", "kustomize", "minikube", "helm", "argocd")
GITHUB = "github.com"
PROGRAM = b"#!/bin/sh\necho a program\n"
# Every address becomes one of the publishers' folders on this machine.
CURL = """
address=${*: -1}
exec "$REAL_CURL" --fail --silent --show-error "${PUBLISHERS:?}/${address#https://}"
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Keep quiet."""


@pytest.fixture
def machine(bench: Bench) -> Iterator[Bench]:
    """Debian with everything but our programs, and publishers that have them; /usr/local/bin is FOLDER/installed."""
    publishers = bench.folder / "publishers"
    publish(publishers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(publishers)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    bench.stub("curl", CURL)
    bench.stub("dpkg", '[ "$1" != --print-architecture ] || echo amd64')
    bench.stub("docker", 'echo "Docker version 29.1.1, build 0"')
    bench.stub("apt-get")
    bench.stub("sudo", 'exec "$@"')
    for program in PROGRAMS:
        bench.stub(program, "exit 1")
    address = f"http://127.0.0.1:{server.server_port}"
    bench.environment |= {
        "PUBLISHERS": address,
        "REAL_CURL": "/usr/bin/curl",
        "VIGIA_BIN": str(bench.folder / "installed"),
    }
    (bench.folder / "installed").mkdir()
    yield bench
    server.shutdown()
    server.server_close()


def publish(folder: Path) -> None:
    """Each program as its publisher offers it: bare or in an archive, with a file of sums in one of three shapes."""
    kustomize, helm = VERSIONS["KUSTOMIZE_VERSION"], VERSIONS["HELM_VERSION"]
    kubectl = f"dl.k8s.io/release/{VERSIONS['KUBECTL_VERSION']}/bin/linux/amd64/kubectl"
    minikube = f"{GITHUB}/kubernetes/minikube/releases/download/{VERSIONS['MINIKUBE_VERSION']}/minikube-linux-amd64"
    argocd = f"{GITHUB}/argoproj/argo-cd/releases/download/{VERSIONS['ARGOCD_VERSION']}"
    table = f"{GITHUB}/kubernetes-sigs/kustomize/releases/download/kustomize/{kustomize}"
    archive = f"kustomize_{kustomize}_linux_amd64.tar.gz"
    files = {
        kubectl: PROGRAM,
        minikube: PROGRAM,
        f"{argocd}/argocd-linux-amd64": PROGRAM,
        f"{table}/{archive}": packed("kustomize"),
        f"get.helm.sh/helm-{helm}-linux-amd64.tar.gz": packed("linux-amd64/helm"),
    }
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    of = {name.rpartition("/")[2]: value for name, value in sums.items()}
    files[f"{kubectl}.sha256"] = of["kubectl"].encode()
    files[f"{minikube}.sha256"] = of["minikube-linux-amd64"].encode() + b"\n"
    files[f"{argocd}/cli_checksums.txt"] = line("argocd-linux-arm64") + line("argocd-linux-amd64", of)
    files[f"{table}/checksums.txt"] = line(f"x_{archive}") + line(archive, of)
    name = f"helm-{helm}-linux-amd64.tar.gz"
    files[f"get.helm.sh/{name}.sha256sum"] = line(name, of)
    for place, content in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)


def line(name: str, sums: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Of a table of checksums; zeros for a file that nobody wants."""
    return f"{sums.get(name, '0' * 64)}  {name}\n".encode()


def packed(name: str) -> bytes:
    """An archive that holds the program under that name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(PROGRAM), 0o755
        archive.addfile(entry, io.BytesIO(PROGRAM))
    return buffer.getvalue()


def installed(machine: Bench) -> dict[str, int]:
    """Programs in place, with their modes."""
    return {file.name: file.stat().st_mode & 0o777 for file in (machine.folder / "installed").iterdir()}


def is_there(machine: Bench) -> None:
    """Every program says the version that is wanted."""
    for program in PROGRAMS:
        machine.stub(program, f"echo {VERSIONS[program.upper() + '_VERSION']}")


def test_the_first_run_installs_every_program_in_its_version(machine: Bench) -> None:
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 0, done.stderr
    assert installed(machine) == dict.fromkeys(PROGRAMS, 0o755)
    assert all((machine.folder / "installed" / program).read_bytes() == PROGRAM for program in PROGRAMS)
    calls = re.sub(r"FOLDER/tmp\.\w+", "WORK", machine.calls())
    assert calls == expected("install-dependencies", calls)


def test_the_second_run_downloads_and_changes_nothing(machine: Bench) -> None:
    is_there(machine)
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 0, done.stderr
    assert not [call for call in machine.calls().splitlines() if call.startswith(("curl", "apt-get", "sudo"))]
    assert not installed(machine)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_download_with_another_checksum_is_refused_and_not_kept(machine: Bench, program: str) -> None:
    is_there(machine)
    machine.stub(program, "echo v0.0.1")
    files = [file for file in (machine.folder / "publishers").rglob("*") if file.is_file()]
    [download] = [file for file in files if program in file.name and not re.search(r"sum|sha", file.name)]
    download.write_bytes(download.read_bytes() + b"tampered")
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 1
    assert "is not what its publisher says" in done.stderr
    assert not installed(machine)
    assert not list(machine.folder.glob("tmp.*"))


def test_a_checksum_file_that_does_not_name_the_program_is_refused(machine: Bench) -> None:
    is_there(machine)
    machine.stub("argocd", "exit 1")
    [sums] = (machine.folder / "publishers").rglob("cli_checksums.txt")
    sums.write_text(f"{'0' * 64}  argocd-linux-arm64\n")
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 1
    assert "names no single SHA-256 of argocd-linux-amd64" in done.stderr
    assert not installed(machine)


def test_a_dry_run_says_what_it_would_do_and_downloads_nothing(machine: Bench) -> None:
    machine.stub("docker", "exit 1")
    machine.stub("dpkg", 'case "$1" in -s) exit 1 ;; *) echo amd64 ;; esac')
    done = machine.run("0-install-dependencies.sh", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert {call.split()[0] for call in machine.calls().splitlines()} <= {"dpkg", "docker", *PROGRAMS}
    assert not installed(machine)
    for said in ("docker-ce", "helm-v", "apt-get install"):
        assert said in done.stderr


def test_a_key_of_docker_that_is_not_dockers_is_refused(machine: Bench) -> None:
    is_there(machine)
    machine.stub("docker", 'echo "Docker version 20.10.5"')
    machine.stub("gpg", "echo fpr:::::::::0000000000000000000000000000000000000000:")
    for system in ("debian", "ubuntu"):
        key = machine.folder / "publishers/download.docker.com/linux" / system / "gpg"
        key.parent.mkdir(parents=True)
        key.write_text("a key")
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 1
    assert "is not 9DC858229FC7DD38854AE2D88D81803C0EBFCD88" in done.stderr
    assert "apt-get" not in machine.calls()


def test_docker_comes_from_its_own_repository_if_the_key_is_dockers(machine: Bench) -> None:
    is_there(machine)
    machine.stub("docker", 'echo "Docker version 20.10.5"')
    machine.stub("install")
    # More than a pipe holds: what looks for the key must not close it early.
    machine.stub(
        "gpg", "echo pub:; echo fpr:::::::::9DC858229FC7DD38854AE2D88D81803C0EBFCD88:; yes uid: | head -n 100000"
    )
    for system in ("debian", "ubuntu"):
        key = machine.folder / "publishers/download.docker.com/linux" / system / "gpg"
        key.parent.mkdir(parents=True)
        key.write_text("a key")
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 0, done.stderr
    changes = [call for call in machine.calls().splitlines() if call.startswith(("install", "apt-get"))]
    assert [call.split()[-1] for call in changes] == [
        "/etc/apt/keyrings/docker.asc",
        "/etc/apt/sources.list.d/docker.list",
        "-qq",
        "docker-buildx-plugin",
    ]
    assert "usermod -aG docker" in done.stderr


def test_a_program_that_another_of_its_name_hides_is_spoken_of(machine: Bench) -> None:
    is_there(machine)
    machine.stub("helm", "echo v2.0.0")
    done = machine.run("0-install-dependencies.sh")
    assert f"another helm comes first on your PATH: {machine.folder}/bin/helm" in done.stderr
    assert "another kubectl" not in done.stderr


def test_elsewhere_than_on_debian_and_ubuntu_it_says_so(machine: Bench) -> None:
    machine.stub("dpkg", "exit 127")
    done = machine.run("0-install-dependencies.sh")
    assert done.returncode == 2
    assert "Debian and Ubuntu" in done.stderr
