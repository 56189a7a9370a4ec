"""Linear autoencoder: rows far from the principal subspace of normal rows are anomalous; fitted in closed form.

Score: mean squared residual over features, in squared robust standard deviations. Fails on anomalies that lie far out
within the subspace, and on normal rows that follow curves rather than planes.
"""

import numpy as np
from numpy.typing import NDArray

from training.export.dense import export_autoencoder
from training.space import Parameters, Real, Report, Space, no_report

DEFAULTS: Parameters = {"explained": 0.9, "trim": 0.2}
SPACE: Space = {"explained": Real(0.5, 0.99), "trim": Real(0.0, 0.3)}
_CLIP = 10.0  # in fitting only: one wild value must not own a component
_ROUNDS = 3


def fit(
    values: NDArray[np.float32],
    parameters: Parameters,
    seed: int,  # noqa: ARG001  # nothing is drawn
    *,
    report: Report = no_report,  # noqa: ARG001  # fitted in one step
) -> bytes:
    """ONNX graph of the residual from the principal subspace of transformed features (n, d).

    The subspace has the fewest components that explain the share ``explained`` of the variance, at most d - 1. The
    share ``trim`` of the rows that fit worst is left out: at first those furthest from the median, so that anomalies
    cannot pull a component towards themselves and then fit well; then by residual (the concentration steps of
    Rousseeuw and Van Driessen: A Fast Algorithm for the Minimum Covariance Determinant Estimator, 1999).
    """
    rows = np.clip(values.astype(np.float64), -_CLIP, _CLIP)
    kept = max(1, round(len(rows) * (1 - parameters["trim"])))
    centre, subspace = np.median(rows, axis=0), np.zeros((rows.shape[1], 0))
    for _ in range(_ROUNDS):
        residuals = rows - centre
        residuals -= residuals @ subspace @ subspace.T
        nearest = rows[np.argsort((residuals**2).sum(axis=1), kind="stable")[:kept]]
        centre = nearest.mean(axis=0)
        subspace = _principal(nearest - centre, parameters["explained"])
    projection = subspace @ subspace.T
    bias = centre - projection @ centre
    return export_autoencoder([(projection.astype(np.float32), bias.astype(np.float32))], relu_after=())


def _principal(rows: NDArray[np.float64], explained: float) -> NDArray[np.float64]:
    """(d, k) orthonormal directions of most variance of centred rows."""
    variances, vectors = np.linalg.eigh(rows.T @ rows)
    variances, vectors = np.maximum(variances[::-1], 0), vectors[:, ::-1]
    enough = 1 + int(np.searchsorted(np.cumsum(variances), explained * variances.sum()))
    return vectors[:, : min(enough, rows.shape[1] - 1)]
