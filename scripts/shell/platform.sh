# What the cluster has before ours comes: charts by Helm, Argo CD, and the waits for them. Sourced after report.sh and
# versions.env; `here` is the folder of the scripts.
# shellcheck shell=bash
: "${here:?}"

readonly chart_wait=15m kube_wait=600s

minikube_cluster() {
  run minikube start --cpus=6 --memory=12288 --driver=docker
  local addon
  for addon in ingress metrics-server dashboard; do
    run minikube addons enable "$addon"
  done
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
  chart istio-base istio-system "$istio" base "${ISTIO_VERSION:?}"
  chart istiod istio-system "$istio" istiod "$ISTIO_VERSION"
  chart istio-cni istio-system "$istio" cni "$ISTIO_VERSION"
  chart istio-ingress istio-system "$istio" gateway "$ISTIO_VERSION"
  chart cert-manager cert-manager https://charts.jetstack.io cert-manager "${CERT_MANAGER_VERSION:?}"
  chart prometheus-operator monitoring https://prometheus-community.github.io/helm-charts kube-prometheus-stack \
    "${KUBE_PROMETHEUS_STACK_VERSION:?}"
  chart kuberay-operator ray-system https://ray-project.github.io/kuberay-helm/ kuberay-operator "${KUBERAY_VERSION:?}"
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
