"""The MLflow door: runs, nested trials, model versions and aliases."""

import hashlib
import json
import logging
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from sqlalchemy.exc import SQLAlchemyError

from features.errors import InputError, UnreachableError
from training.trials import Trial

_LONGEST_NAME = 250
_LONGEST_TAG = 5_000
_LONGEST_DATASET, _LONGEST_DIGEST = 500, 36


@dataclass(frozen=True)
class ModelVersion:
    """A registered bundle: where it is published and what its content must hash to; tags as they stood when read."""

    name: str
    version: str
    uri: str
    digest: str
    run_id: str
    tags: Mapping[str, str] = field(default_factory=dict)


class Registry:
    """Tracking and registry of one environment."""

    def __init__(self, uri: str, artifacts: Path) -> None:
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._uri, self._artifacts = uri, artifacts
        artifacts.mkdir(parents=True, exist_ok=True)
        with _translated(uri):
            self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)

    @contextmanager
    def run(self, experiment: str, name: str, parameters: Mapping[str, Any]) -> Iterator[str]:
        """The run of that name in an experiment, both made if need be; yields its id.

        Ends it FINISHED, or FAILED on any error. A run that was cut off is taken up again: names are its key.
        """
        with _translated(self._uri):
            found = self._client.get_experiment_by_name(experiment)
            place = (self._artifacts / experiment).as_uri()
            number = found.experiment_id if found else self._client.create_experiment(experiment, place)
            known = self._client.search_runs([number], f"attributes.run_name = '{name}'", max_results=1)
            run = known[0] if known else self._client.create_run(number, run_name=name)
            run_id: str = run.info.run_id
            if known:
                self._client.update_run(run_id, status="RUNNING")
            for key, value in parameters.items():
                self._client.log_param(run_id, parameter_name(key), value)
        status = "FAILED"
        try:
            yield run_id
            status = "FINISHED"
        finally:
            with _translated(self._uri):
                self._client.set_terminated(run_id, status)

    def log_trials(self, run_id: str, trials: Sequence[Trial]) -> None:
        """One nested run a trial, keyed by its number: those that are complete stay as they are, others are completed.

        Figures of a trial serve to choose it and are named so; durations are logged as ``info_…``.
        """
        with _translated(self._uri):
            number = self._client.get_run(run_id).info.experiment_id
            query = f"tags.`mlflow.parentRunId` = '{run_id}'"
            nested = self._client.search_runs([number], query, max_results=2 * len(trials) + 1) if trials else []
            known = {run.data.tags.get("trial"): run for run in nested}
            for trial in trials:
                child = known.get(str(trial.number))
                if child is None:
                    tags = {"mlflow.parentRunId": run_id, "trial": str(trial.number), "family": trial.family}
                    child = self._client.create_run(number, run_name=f"trial-{trial.number:03d}", tags=tags)
                if child.info.status == "RUNNING":
                    self._log_trial(child.info.run_id, trial)

    def _log_trial(self, child: str, trial: Trial) -> None:
        now = int(time.time() * 1_000)
        values = {**trial.figures, **{f"info_{name}": value for name, value in trial.timings.items()}}
        why = trial.error or trial.excluded
        self._client.log_batch(
            child,
            metrics=[Metric(name, value, now, 0) for name, value in values.items()],
            params=[Param(name, str(value)) for name, value in trial.parameters.items()],
            tags=[RunTag("may_not_be_chosen", why[:_LONGEST_TAG])] if why else [],
        )
        self._client.set_terminated(child, "FAILED" if trial.error else "FINISHED")

    def log(
        self,
        run_id: str,
        figures: Mapping[str, float | None],
        files: Iterable[Path],
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log the figures that are known, artifacts and tags."""
        now = int(time.time() * 1_000)
        known = [Metric(key, value, now, 0) for key, value in figures.items() if value is not None]
        with _translated(self._uri):
            self._client.log_batch(run_id, metrics=known, tags=[RunTag(*tag) for tag in _bounded(tags or {}).items()])
            for file in files:
                self._client.log_artifact(run_id, str(file))

    def log_data(self, run_id: str, uri: str, fingerprint: str, rows: int) -> None:
        """Name the table that a run worked on, as MLflow's input dataset."""
        profile = json.dumps({"num_rows": rows})
        source = json.dumps({"uri": uri})
        found = Dataset(uri[:_LONGEST_DATASET], fingerprint[:_LONGEST_DIGEST], "vigia", source, profile=profile)
        with _translated(self._uri):
            self._client.log_inputs(run_id, [DatasetInput(found, [InputTag("mlflow.data.context", "training")])])

    def read(self, run_id: str, name: str) -> bytes | None:
        """The content of a run's artifact; None without that run or artifact."""
        try:
            with _translated(self._uri), tempfile.TemporaryDirectory() as folder:
                if name not in {found.path for found in self._client.list_artifacts(run_id)}:
                    return None
                return Path(self._client.download_artifacts(run_id, name, folder)).read_bytes()
        except InputError:
            return None

    def register(self, name: str, uri: str, digest: str, run_id: str) -> ModelVersion:
        """The version of that digest: an existing one, else a new one."""
        with _translated(self._uri):
            if name not in {model.name for model in self._client.search_registered_models(f"name='{name}'")}:
                self._client.create_registered_model(name)
            for found in self._client.search_model_versions(f"name='{name}'"):
                if found.tags.get("digest") == digest:
                    return _version(found)
            tags = {"digest": digest}
            return _version(self._client.create_model_version(name, source=uri, run_id=run_id, tags=tags))

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        with _translated(self._uri):
            self._client.set_registered_model_alias(name, alias, version)

    def tag_version(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version; others stay."""
        with _translated(self._uri):
            for key, value in _bounded(tags).items():
                self._client.set_model_version_tag(name, version, key, value)

    def by_alias(self, name: str, alias: str) -> ModelVersion | None:
        """The version an alias points at; None without model or alias."""
        try:
            with _translated(self._uri):
                return _version(self._client.get_model_version_by_alias(name, alias))
        except InputError:
            return None

    def by_version(self, name: str, version: str) -> ModelVersion:
        """A version by number. Raises InputError when there is none."""
        with _translated(self._uri):
            return _version(self._client.get_model_version(name, version))


def _bounded(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags within what MLflow holds; a cut shows."""
    return {key: text if len(text) <= _LONGEST_TAG else f"{text[: _LONGEST_TAG - 1]}…" for key, text in tags.items()}


def _version(found: Any) -> ModelVersion:
    tags = dict(found.tags)
    return ModelVersion(found.name, str(found.version), found.source, tags.get("digest", ""), found.run_id, tags)


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        if error.error_code in (ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), "INVALID_PARAMETER_VALUE"):
            raise InputError("registry", error.message) from error
        raise UnreachableError(f"registry {uri}: {error.message}") from error
    except (SQLAlchemyError, OSError) as error:
        raise UnreachableError(f"registry {uri}: {str(error).splitlines()[0]}") from error


def parameter_name(key: str) -> str:
    """The key with every sign that MLflow refuses in a name as its code point: a key may hold the name of a column."""
    name = re.sub(r"[^\w.\- :]", lambda sign: f"_{ord(sign[0]):x}_", key)
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
