"""The MLflow door: runs, nested trials, model versions and aliases."""

import hashlib
import json
import logging
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from features.errors import VigiaError
from flows.adapters.mlflow_errors import MissingError, again, already_there, translated
from flows.environments import Environment
from flows.lease import FileLease
from training.trials import Trial

_LONGEST_NAME = 250
_LONGEST_TAG = 5_000
_LONGEST_DATASET, _LONGEST_DIGEST = 500, 36
_BATCH = 100  # parameters of one request
_SQLITE = "sqlite:///"
_MAKING_S = 120.0  # seven seconds on a quiet machine


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
    """Tracking and registry of one environment: MLflow's server, or a SQLite file. Many clients may use it at once.

    A server is asked with the credentials of MLflow's own variables.
    """

    def __init__(self, uri: str, artifacts: Path | str | None) -> None:
        """``artifacts``: folder or URI where experiments that are made here keep their files; None: as a server says.

        Raises UnreachableError where a SQLite file cannot be opened; a server is not asked yet.
        """
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it raises what it logs with a traceback
        self._uri = uri
        self._artifacts = artifacts.as_uri() if isinstance(artifacts, Path) else artifacts
        with translated(uri), _opening(uri):
            self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)

    @contextmanager
    def run(self, experiment: str, name: str, parameters: Mapping[str, Any]) -> Iterator[str]:
        """The run of that name in an experiment, both made if need be; yields its id.

        Ends it FINISHED, or FAILED on any error. A run that was cut off is taken up again: names are its key.
        """
        with translated(self._uri):
            number = self._experiment(experiment)
            known = self._client.search_runs([number], f"attributes.run_name = '{name}'", max_results=1)
            run = known[0] if known else self._client.create_run(number, run_name=name)
            run_id: str = run.info.run_id
            if known:
                self._client.update_run(run_id, status="RUNNING")
            given = [Param(parameter_name(key), str(value)) for key, value in parameters.items()]
            for first in range(0, len(given), _BATCH):
                self._client.log_batch(run_id, params=given[first : first + _BATCH])
        try:
            yield run_id
        except BaseException:
            with suppress(VigiaError), translated(self._uri):  # what went wrong first is what is told
                self._client.set_terminated(run_id, "FAILED")
            raise
        with translated(self._uri):
            self._client.set_terminated(run_id, "FINISHED")

    def _experiment(self, name: str) -> str:
        """Its id; made unless it is there, or another client makes it at this moment."""
        place = None if self._artifacts is None else f"{self._artifacts}/{name}"
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name, place))
            except MlflowException as error:
                if not already_there(error):
                    raise
                found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id)

    def models(self) -> tuple[str, ...]:
        """The names of all registered models, sorted."""
        with translated(self._uri):
            names: list[str] = []
            page = None
            while True:
                found = self._client.search_registered_models(page_token=page)
                names += [model.name for model in found]
                if not (page := found.token):
                    return tuple(sorted(names))

    def log_trials(self, run_id: str, trials: Sequence[Trial]) -> None:
        """One nested run a trial, keyed by its number: those that are complete stay as they are, others are completed.

        Figures of a trial serve to choose it and are named so; durations are logged as ``info_…``.
        """
        with translated(self._uri):
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
        with translated(self._uri):
            self._client.log_batch(run_id, metrics=known, tags=[RunTag(*tag) for tag in _bounded(tags or {}).items()])
            for file in files:
                self._client.log_artifact(run_id, str(file))

    def log_data(self, run_id: str, uri: str, fingerprint: str, rows: int) -> None:
        """Name the table that a run worked on, as MLflow's input dataset."""
        profile = json.dumps({"num_rows": rows})
        source = json.dumps({"uri": uri})
        found = Dataset(uri[:_LONGEST_DATASET], fingerprint[:_LONGEST_DIGEST], "vigia", source, profile=profile)
        with translated(self._uri):
            self._client.log_inputs(run_id, [DatasetInput(found, [InputTag("mlflow.data.context", "training")])])

    def read(self, run_id: str, name: str) -> bytes | None:
        """The content of a run's artifact; None without that run or artifact."""
        try:
            with translated(self._uri), tempfile.TemporaryDirectory() as folder:
                if name not in {found.path for found in self._client.list_artifacts(run_id)}:
                    return None
                return Path(self._client.download_artifacts(run_id, name, folder)).read_bytes()
        except MissingError:
            return None

    def register(self, name: str, uri: str, digest: str, run_id: str) -> ModelVersion:
        """The version of that digest: an existing one, else a new one.

        Of several clients that register one digest at once, all get the version with the lowest number.
        """
        with translated(self._uri):
            try:
                self._client.create_registered_model(name)
            except MlflowException as error:
                if not already_there(error):
                    raise
            found = self._of_digest(name, digest)
            if found is None:
                made = again(partial(self._create, name, uri, digest, run_id))
                found = self._of_digest(name, digest) or made
                if found.version != made.version:  # another client was first
                    self._client.delete_model_version(name, made.version)
            return _version(found)

    def _create(self, name: str, uri: str, digest: str, run_id: str) -> Any:
        return self._client.create_model_version(
            name, source=uri, run_id=run_id, tags={"digest": digest}, await_creation_for=None
        )

    def _of_digest(self, name: str, digest: str) -> Any:
        """The first version of a digest, as MLflow has it; None without one."""
        found = self._client.search_model_versions(f"name = '{name}' and tags.`digest` = '{digest}'")
        return min(found, key=lambda version: int(version.version), default=None)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        with translated(self._uri):
            again(partial(self._client.set_registered_model_alias, name, alias, version))

    def tag_version(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version; others stay."""
        with translated(self._uri):
            for key, value in _bounded(tags).items():
                self._client.set_model_version_tag(name, version, key, value)

    def by_alias(self, name: str, alias: str) -> ModelVersion | None:
        """The version an alias points at; None without model or alias."""
        try:
            with translated(self._uri):
                return _version(self._client.get_model_version_by_alias(name, alias))
        except MissingError:
            return None

    def by_version(self, name: str, version: str) -> ModelVersion:
        """A version by number. Raises InputError when there is none."""
        with translated(self._uri):
            return _version(self._client.get_model_version(name, version))


def _bounded(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags within what MLflow holds; a cut shows."""
    return {key: text if len(text) <= _LONGEST_TAG else f"{text[: _LONGEST_TAG - 1]}…" for key, text in tags.items()}


def _version(found: Any) -> ModelVersion:
    tags = dict(found.tags)
    return ModelVersion(found.name, str(found.version), found.source, tags.get("digest", ""), found.run_id, tags)


def parameter_name(key: str) -> str:
    """The key with every sign that MLflow refuses in a name as its code point: a key may hold the name of a column."""
    name = re.sub(r"[^\w.\- :]", lambda sign: f"_{ord(sign[0]):x}_", key)
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@contextmanager
def _opening(uri: str) -> Iterator[None]:
    """Whoever opens a SQLite file first makes its tables, in a hundred steps that two at once leave broken."""
    if not uri.startswith(_SQLITE):
        yield
        return
    file = Path(uri.removeprefix(_SQLITE))
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLease(file.with_name(f"{file.name}.lease")).held(_MAKING_S):
        yield


def registry_of(environment: Environment) -> Registry:
    """The registry that an environment names."""
    return Registry(environment.registry, environment.artifacts)
