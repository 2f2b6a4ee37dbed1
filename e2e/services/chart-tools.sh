#!/usr/bin/env bash
# chart-tools.sh DIR: installs what the Helm chart is checked with, where this machine can: Helm as a Go package and
# kubernetes-validate, which has Kubernetes' own schemas, as a Python package. Does nothing when DIR has them already. Never
# fails: tests skip what is not there, and say so.
set -u
out=$(realpath -m "$1")
helm=v3.22.0
kubernetes_validate=1.37.0
mkdir -p "$out"
if ! command -v helm > /dev/null && [ "$(cat "$out/helm.version" 2> /dev/null)" != $helm ]; then
  if command -v go > /dev/null; then
    # In a directory without a Go module; checksums are those of Go's database.
    (cd "$out" && GOBIN="$out/bin" GOFLAGS=-trimpath timeout 1200 go install "helm.sh/helm/v3/cmd/helm@$helm") > "$out/helm.log" 2>&1 \
      && echo $helm > "$out/helm.version" || { echo "can't install helm:" >&2; tail -n 5 "$out/helm.log" >&2; }
  else
    echo "can't install helm: no go" >&2
  fi
fi
if [ "$(cat "$out/schemas.version" 2> /dev/null)" != $kubernetes_validate ]; then
  rm -rf "$out/python"
  timeout 300 python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --target "$out/python" \
    "kubernetes-validate==$kubernetes_validate" >&2 \
    && echo $kubernetes_validate > "$out/schemas.version" || echo "can't install kubernetes-validate" >&2
fi
exit 0
