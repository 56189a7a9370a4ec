# What the cluster has before ours comes: charts by Helm, Argo CD, and the waits for them. Sourced after report.sh and
# versions.env; `here` is the folder of the scripts.
# shellcheck shell=bash
: "${here:?}" "${dry_run:?}"

readonly chart_wait=15m kube_wait=600s cpus=6 memory_mib=12288

docker_answers() {
  ((dry_run)) || docker info >/dev/null 2>&1 || code=2 fail "docker does not answer you. Is it running (systemctl status docker), \
and are you in its group? sudo usermod -aG docker \$USER, then log in again"
}

minikube_cluster() {
  large_enough
  run minikube start --cpus="$cpus" --memory="$memory_mib" --driver=docker
  local addon
  for addon in ingress metrics-server dashboard; do
    run minikube addons enable "$addon"
  done
}

# Minikube starts one that is there with the size that it has, and only warns; later, pods stay Pending.
large_enough() {
  local nanocpus bytes
  read -r nanocpus bytes < <(docker container inspect --format '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}' minikube 2>/dev/null) ||
    return 0 # there is none yet
  (((nanocpus == 0 || nanocpus >= cpus * 10 ** 9) && (bytes == 0 || bytes >= memory_mib * 2 ** 20))) ||
    code=2 fail "the Minikube that is there has $((nanocpus / 10 ** 9)) CPUs and $((bytes / 2 ** 20)) MiB (0: no limit); $cpus and \
$memory_mib are needed. To make it anew, without what is in it: minikube delete. To try with it: --context minikube"
}

# kinds_of REPOSITORY CHART VERSION: those in a chart's folder crds, which Helm installs once and never brings up again.
kinds_of() {
  say "+ helm show crds $2 --repo $1 --version $3"
  ((dry_run)) || helm show crds "$2" --repo "$1" --version "$3" |
    feed kubectl apply --server-side --force-conflicts --filename -
}

# chart RELEASE NAMESPACE REPOSITORY CHART VERSION: installed or brought to that version and scripts/values/RELEASE.yaml.
chart() {
  run helm upgrade --install "$1" "$4" --repo "$3" --version "$5" --namespace "$2" --create-namespace \
    --values "scripts/values/$1.yaml" --wait --timeout "$chart_wait"
}

namespaces() {
  say "+ namespaces $*"
  printf '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}\n' "$@" |
    feed kubectl apply --server-side --filename -
}

charts() {
  local istio=https://istio-release.storage.googleapis.com/charts
  local prometheus=https://prometheus-community.github.io/helm-charts kuberay=https://ray-project.github.io/kuberay-helm/
  kinds_of "$prometheus" kube-prometheus-stack "${KUBE_PROMETHEUS_STACK_VERSION:?}"
  kinds_of "$kuberay" kuberay-operator "${KUBERAY_VERSION:?}"
  chart istio-base istio-system "$istio" base "${ISTIO_VERSION:?}"
  chart istiod istio-system "$istio" istiod "$ISTIO_VERSION"
  chart istio-cni istio-system "$istio" cni "$ISTIO_VERSION"
  chart istio-ingress istio-system "$istio" gateway "$ISTIO_VERSION"
  chart cert-manager cert-manager https://charts.jetstack.io cert-manager "${CERT_MANAGER_VERSION:?}"
  chart prometheus-operator monitoring "$prometheus" kube-prometheus-stack "$KUBE_PROMETHEUS_STACK_VERSION"
  chart kuberay-operator ray-system "$kuberay" kuberay-operator "$KUBERAY_VERSION"
}

# Its manifest is larger than a client-side apply can record, so server-side; and by force, since a version before may
# own the same fields.
argo_cd() {
  run kubectl apply --namespace argocd --server-side --force-conflicts --filename \
    "https://raw.githubusercontent.com/argoproj/argo-cd/${ARGOCD_VERSION:?}/manifests/install.yaml"
  run kubectl wait --namespace argocd --for=condition=Available deployment --all --timeout "$kube_wait"
  run kubectl rollout status --namespace argocd statefulset/argocd-application-controller --timeout "$kube_wait"
}

kinds() {
  run kubectl wait --for=condition=Established --timeout "$kube_wait" \
    crd/{rayclusters,rayservices,rayjobs}.ray.io crd/gateways.networking.istio.io \
    crd/servicemonitors.monitoring.coreos.com crd/certificates.cert-manager.io crd/applications.argoproj.io
}
