"""Rule: the YAML that people write keeps to ``.yamllint``; what is written twice under one key is a fault there too."""

from collections.abc import Iterator
from pathlib import Path

from yamllint import linter
from yamllint.config import YamlLintConfig

FOLDERS = ("manifests", "configs", "scripts", ".github")


def faults(root: Path) -> list[str]:
    """``file:line:column: what`` of every fault."""
    config = YamlLintConfig(file=str(root / ".yamllint"))
    return [line for file in yaml_files(root) for line in _faults(file, root, config)]


def yaml_files(root: Path) -> list[Path]:
    found = [file for folder in FOLDERS for end in ("yaml", "yml") for file in (root / folder).rglob(f"*.{end}")]
    return sorted(found)


def _faults(file: Path, root: Path, config: YamlLintConfig) -> Iterator[str]:
    for problem in linter.run(file.read_text(), config, str(file)):
        yield f"{file.relative_to(root)}:{problem.line}:{problem.column}: {problem.message}"
