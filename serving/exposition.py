"""The metrics of one replica: what they are, and their text for Prometheus."""

from dataclasses import asdict

from serving.holder import Holder
from serving.prediction_log import PredictionLog
from serving.telemetry import Family, Labels, Telemetry, single

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def families(telemetry: Telemetry, holder: Holder, log: PredictionLog | None) -> list[Family]:
    """Every metric of this replica, as docs/serving.md lists them."""
    served = holder.served
    same = (served.bundle.digest if served else "") == holder.desired.digest  # before the first promotion: neither
    found = telemetry.families()
    found.append(single("load_failures", "counter", "Bundles that could not be loaded.", holder.failures))
    found.append(single("desired_is_served", "gauge", "1 when the bundle asked for is the one served.", same))
    if served:
        about = (served.ref.model, served.ref.version, served.bundle.digest)
        labels = ("model", "version", "digest")
        found.append(Family("bundle_info", "gauge", "The bundle that is served.", labels, {about: 1.0}))
        text = "Share of alert rows in the calibration window of the bundle that is served."
        found.append(single("expected_alert_share", "gauge", text, served.bundle.manifest.alpha))
    if log:
        counts = asdict(log.counts())
        waiting = counts.pop("waiting")
        rows: dict[Labels, float] = {(outcome,): float(count) for outcome, count in counts.items()}
        text = "Rows by what the prediction log did with them; lost ones are of killed replicas."
        found.append(Family("log_rows", "counter", text, ("outcome",), rows))
        found.append(single("log_waiting_rows", "gauge", "Rows that wait to be written.", waiting))
    return found


def exposition(found: list[Family]) -> bytes:
    """Prometheus' text format 0.0.4."""
    lines = ["# The counters of this one replica, since it started; behind a balancer that is any one of them."]
    for family in found:
        name = f"vigia_{family.name}" + ("_total" if family.kind == "counter" else "")
        lines += [f"# HELP {name} {family.text}", f"# TYPE {name} {family.kind}"]
        sample = name + ("_bucket" if family.kind == "histogram" else "")
        lines += [f"{sample}{_labels(family, of)} {value:.17g}" for of, value in family.values.items()]
        if family.kind == "histogram":
            lines += [f"{name}_sum {family.total:.17g}", f"{name}_count {family.values['+Inf',]:.17g}"]
    return ("\n".join(lines) + "\n").encode()


def _labels(family: Family, values: tuple[str, ...]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(family.labels, values, strict=True))
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
