"""`configs/environments.yaml`: what people write of the places that serve a model."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from features.errors import InputError
from flows.config.loading import checked, read_yaml
from flows.config.model import Config, Duration

FILL_IN = "FILL-IN"
"""Stands in the shipped file for what only its user knows."""
_SCHEMES = {
    "registry": ("sqlite", "http", "https"),
    "artifacts": ("file", "s3", "mlflow-artifacts"),
    "bundles": ("file", "s3"),
    "endpoint": ("http", "https"),
    "repository": ("file", "ssh", "http", "https"),
    "probe": ("http", "https"),
    "dashboard": ("http", "https"),
}
_HOSTLESS = ("file", "sqlite", "mlflow-artifacts")


class Token(Config):
    """Where a token is; never the token."""

    variable: str | None = Field(None, description="name of an environment variable, in capitals")
    file: Path | None = Field(None, description="file that holds nothing else")

    @model_validator(mode="after")
    def _one(self) -> "Token":
        if (self.variable is None) == (self.file is None):
            raise ValueError("must name either variable or file")
        return self


class Tokens(Config):
    """Where the tokens of an environment are; null where none is needed."""

    registry: Token | None = Field(None, description="bearer; null: MLflow's own MLFLOW_TRACKING_… variables")
    probe: Token | None = Field(None, description="bearer for the probe URL")
    dashboard: Token | None = Field(None, description="of Ray, for its dashboard; the Secret ray-auth-token has it")
    pull_request: Token | None = Field(None, description="of the git host's REST interface")


class EnvironmentConfig(Config):
    """One place that serves a model. What is null is the workspace's own, which only a laptop can live with."""

    registry: str | None = Field(None, description="MLflow: sqlite:///PATH or http(s)://host:port")
    artifacts: str | None = Field(None, description="where runs keep their pages; null: the registry's own place")
    bundles: str | None = Field(None, description="bundle store, file:///PATH or s3://bucket/prefix")
    endpoint: str | None = Field(None, description="of an S3 server other than AWS, http(s)://host:port")
    repository: str | None = Field(None, description="git: absolute path, URL or user@host:path")
    branch: str = Field("main", pattern=r"^[A-Za-z0-9][\w./-]*$")
    file: str | None = Field(None, description="in the repository; null: that of the overlay named as the environment")
    application: str = Field("anomaly-detector", min_length=1, description="its name in serveConfigV2")
    deployment: str = Field("AnomalyDetector", min_length=1, description="its name in serveConfigV2")
    controller: Literal["reconcile", "argocd"] = "reconcile"
    namespace: str | None = Field(None, description="of the RayService in Kubernetes")
    context: str | None = Field(None, description="of the kubeconfig; null: its current one, or the pod's own account")
    probe: str | None = Field(None, description="URL of the service; null: what `vigia serve` runs")
    dashboard: str | None = Field(None, description="URL of Ray's dashboard; null: the RayService's head, from within")
    tokens: Tokens = Tokens()
    allowed_disagreement: Duration = Field(
        "10m", validate_default=True, description="how long git, registry and replicas may differ"
    )

    @field_validator(*_SCHEMES)
    @classmethod
    def _place(cls, value: str | None, info: ValidationInfo) -> str | None:
        schemes = _SCHEMES[str(info.field_name)]
        if value is None or (info.field_name == "repository" and re.match(r"/|([^/:@]+@)?[^/:@]+:(?!//)", value)):
            return value
        scheme, colon, rest = value.partition(":")
        if not colon or scheme not in schemes or not rest.startswith("/"):
            starts = [f"{name}:/" if name == "mlflow-artifacts" else f"{name}://" for name in schemes]
            paths = ["/", "user@host:"] if info.field_name == "repository" else []
            raise ValueError(f"must start with {' or '.join([*starts, *paths])}")
        if scheme not in _HOSTLESS and not urlsplit(value).hostname:
            raise ValueError(f"must name a host or bucket after {scheme}://")
        return value

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str | None) -> str | None:
        if value is not None and (not value or value.startswith("/") or ".." in value.split("/")):
            raise ValueError("must be a path inside the repository")
        return value

    @model_validator(mode="after")
    def _shared(self) -> "EnvironmentConfig":
        if (self.registry or "sqlite").startswith("http") and not (self.bundles or "").startswith("s3://"):
            raise ValueError(
                "an MLflow server takes no version from a folder: with registry http, bundles must be s3://"
            )
        return self

    @model_validator(mode="after")
    def _elsewhere(self) -> "EnvironmentConfig":
        needed = ("registry", "bundles", "repository", "namespace", "probe")
        if self.controller == "argocd" and (missing := [name for name in needed if getattr(self, name) is None]):
            raise ValueError(f"controller argocd needs {', '.join(missing)}: a cluster shares no workspace")
        return self


def load_environment(name: str, file: Path | None) -> EnvironmentConfig:
    """The environment of that name in a file; without a file there is one, ``local``, all of it the workspace's own.

    Raises InputError naming field, rule and value; also where something is still to be filled in. The others of the
    file are not looked at, so that a laptop works while its owner's cluster is not described yet.
    """
    found: dict[str, Any] = {"local": None} if file is None else read_yaml(file, "--environments")
    if name not in found or not re.fullmatch(r"[a-z0-9](-?[a-z0-9]){0,30}", name):
        known = ", ".join(map(str, found))
        raise InputError("--env", f"must be one of: {known}" + (f" (in {file})" if file else ""), name)
    values = found[name] if found[name] is not None else {}
    if not isinstance(values, dict):
        raise InputError(name, "must hold keys and values", values)
    for key, value in _leaves(values, f"{name}."):
        if FILL_IN in value:
            raise InputError(key, f"must be filled in first, in {file}", value)
        _refuse_secret(key, value)
    return checked(EnvironmentConfig, values, f"{name}.")


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _refuse_secret(key: str, value: str) -> None:
    """Raise InputError, which does not repeat the value, where it holds a password or may be a token."""
    if key.endswith(".variable") and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
        raise InputError(key, "must be the name of an environment variable, in capitals, never the token itself")
    scheme, found, rest = value.partition("://")
    user = rest.partition("/")[0].rpartition("@")[0]
    if found and (":" in user or (user and scheme.startswith("http"))):
        raise InputError(key, "must hold no user or password; `tokens` says where one is", f"{scheme}://…")
