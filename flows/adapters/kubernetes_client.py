"""How the Kubernetes API of an environment is reached: kubeconfig, or the service account of a pod."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import InputError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HOST = "KUBERNETES_SERVICE_HOST"


def connect(context: str | None, variables: Mapping[str, str], account: Path = SERVICE_ACCOUNT) -> "ApiClient":
    """A client of the API; nothing is asked yet.

    In a pod, unless a context or $KUBECONFIG is named, it is that of the pod's service account, whose token is read
    again as it is renewed; else that of a kubeconfig ($KUBECONFIG, or ~/.kube/config) and of a context in it. Raises
    InputError naming what is missing.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_kube_config
    from kubernetes.config.incluster_config import InClusterConfigLoader
    from yaml import YAMLError

    told = Configuration(retries=0)  # whoever asks decides how often
    file = variables.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    inside = _HOST in variables and not context and not variables.get("KUBECONFIG")
    try:
        if inside:
            loader = InClusterConfigLoader(str(account / "token"), str(account / "ca.crt"), environ=variables)
            loader.load_and_set(told)
        else:
            load_kube_config(file, context, told, persist_config=False)
    except (ConfigException, YAMLError, OSError, ValueError, TypeError) as error:
        raise _unusable(inside, file, context, error) from error
    return ApiClient(told)


def _unusable(inside: bool, file: str, context: str | None, error: Exception) -> InputError:
    if inside:
        rule = "the service account of this pod must be mounted (automountServiceAccountToken)"
        return InputError("kubernetes", f"{rule}: {error}")
    if not any(Path(one).is_file() for one in file.split(os.pathsep)):
        return InputError("KUBECONFIG", "must name a kubeconfig, or ~/.kube/config must be there", file)
    named = f", with context {context}" if context else ""
    return InputError(
        "KUBECONFIG", f"must be a kubeconfig that kubectl can use{named}: {' '.join(str(error).split())}", file
    )
