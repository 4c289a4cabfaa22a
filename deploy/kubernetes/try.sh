#!/usr/bin/env bash
# Gives the manifests to a real Kubernetes API server, and runs CoreDNS with the
# base's Corefile and account against it: try.sh [COREDNS]
#
# COREDNS is a binary with ede; without it cmd/coredns is built. No kubelet and
# no controllers run, so no pod is started. Needs root (for a network of its
# own), Go, etcd, kubectl, dig, curl, jq and openssl. The API server is built
# from the module proxy, which takes many minutes; KUBE_APISERVER names one that
# is there.
set -euo pipefail

version=1.37.1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$(dirname "$here")")
work=${TRY_WORK:-$(mktemp -d)}
export TRY_WORK=$work

fail() { echo "not ok: $*" >&2; exit 1; }

# k8s.io/kubernetes replaces the modules that it is made of by folders that its
# module does not have; they are released next to it.
api_server() {
    mkdir "$work/module"
    cd "$work/module"
    local source
    source=$(go mod download -json "k8s.io/kubernetes@v$version" | jq -r .Dir)
    sed -e 's/^module .*/module try/' -e "s#=> \./staging/src/\(k8s\.io/[a-z-]*\)#=> \1 v0.${version#*.}#" "$source/go.mod" >go.mod
    printf 'package main\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n\nfunc main() {}\n' >main.go
    go mod edit -require "k8s.io/kubernetes@v$version"
    go mod tidy
    go build -mod=mod -ldflags="-X k8s.io/component-base/version.gitVersion=v$version" -o "$work/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
}

if [ -z "${TRY_INSIDE:-}" ]; then
    trap 'rm -rf "$work"' EXIT
    [ -n "${KUBE_APISERVER:-}" ] || { (api_server); export KUBE_APISERVER=$work/kube-apiserver; }
    cd "$repository"
    [ $# -gt 0 ] || { go build -o "$work/coredns" ./cmd/coredns; set -- "$work/coredns"; }
    go tool -modfile=tools/go.mod kustomize build deploy/kubernetes/base >"$work/base.yaml"
    # Alone with its ports.
    TRY_INSIDE=1 unshare --net "$0" "$(realpath "$1")"
    exit
fi

ip link set lo up
cd "$work"
started=()
# At once: an API server without its store would wait for a minute.
trap 'kill -KILL "${started[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
until_ok() {
    for _ in $(seq 120); do "$@" >/dev/null 2>&1 && return; sleep 0.5; done
    tail -n 20 ./*.log >&2
    fail "not within a minute: $*"
}

etcd --data-dir etcd --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 >etcd.log 2>&1 &
started+=($!)
openssl genrsa -out account.key 2048 2>/dev/null
echo 'token,admin,1,system:masters' >tokens.csv
"$KUBE_APISERVER" --etcd-servers=http://127.0.0.1:2379 --bind-address=127.0.0.1 --secure-port=6443 --cert-dir=pki \
    --advertise-address=192.0.2.1 --endpoint-reconciler-type=none --service-cluster-ip-range=10.96.0.0/16 \
    --authorization-mode=RBAC --token-auth-file=tokens.csv --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file=account.key --service-account-signing-key-file=account.key >api.log 2>&1 &
started+=($!)
kubeconfig() {
    kubectl config --kubeconfig="$1" set-cluster try --server=https://127.0.0.1:6443 --insecure-skip-tls-verify=true
    kubectl config --kubeconfig="$1" set-credentials try --token="$2"
    kubectl config --kubeconfig="$1" set-context try --cluster=try --user=try
    kubectl config --kubeconfig="$1" use-context try
} >/dev/null
kubeconfig admin.conf token
export KUBECONFIG=$work/admin.conf
until_ok kubectl get --raw /readyz
until_ok kubectl get namespace kube-system
until_ok kubectl get priorityclass system-cluster-critical
until_ok kubectl get clusterrole cluster-admin
until_ok kubectl get service kubernetes
echo "ok: a Kubernetes API, $(kubectl version -o json | jq -r .serverVersion.gitVersion)"

kubectl create --validate=strict -f base.yaml >created.log
kubectl create --validate=strict -f "$here/k3s/coredns-custom.yaml" >>created.log
kubectl replace --validate=strict -f "$here/aks/coredns-custom.yaml" >>created.log
echo "ok: it takes the $(wc -l <created.log) objects with strict validation"

# What the Deployment's controller would do. The quota's status is its
# controller's to write; without one nothing is known of the quota.
kubectl -n coredns-ede patch resourcequota coredns-ede --subresource=status --type=merge \
    -p '{"status": {"hard": {"pods": "100"}, "used": {"pods": "0"}}}' >/dev/null
kubectl -n coredns-ede get deployment coredns-ede -o json |
    jq '{apiVersion: "v1", kind: "Pod", metadata: {name: "try", namespace: "coredns-ede", labels: .spec.template.metadata.labels},
        spec: .spec.template.spec}' >pod.json
said=$(kubectl create -f pod.json 2>&1) || fail "the pod is not admitted: $said"
[ "$said" = "pod/try created" ] || fail "the pod is admitted with a warning: $said"
if jq '.metadata.name = "root" | .spec.securityContext.runAsNonRoot = false' pod.json | kubectl create -f - >root.log 2>&1; then
    fail "the namespace admits a pod that may run as root"
fi
grep -q 'violates PodSecurity "restricted' root.log || fail "the pod that may run as root is refused for another reason: $(cat root.log)"
echo "ok: the pod is admitted under the restricted pod security standard, and one that may run as root is not"

kubectl create service clusterip web --clusterip=10.96.0.80 --tcp=80 >/dev/null
kubectl -n coredns-ede create token coredns-ede >account.token
kubeconfig account.conf "$(cat account.token)"
kubectl get -f base.yaml -o json | jq -r '.items[] | select(.kind == "ConfigMap") | .data.Corefile' |
    sed -e "s#kubernetes cluster.local .*{#&\n        kubeconfig $work/account.conf#" -e 's#/etc/resolv.conf#127.0.0.1:1#' \
        -e 's/lameduck 5s/lameduck 1ms/' >Corefile
serve() {
    "$1" -conf Corefile >coredns.log 2>&1 &
    coredns=$!
    started+=("$coredns")
    until_ok curl -sf http://127.0.0.1:8080/health
}
ask() { dig @127.0.0.1 +tries=1 +timeout=2 "$@"; }

serve "$1"
until_ok curl -sf http://127.0.0.1:8181/ready
[ "$(ask +short web.default.svc.cluster.local)" = 10.96.0.80 ] || fail "no answer from the API: $(ask web.default.svc.cluster.local)"
[ "$(ask +short -x 10.96.0.80)" = web.default.svc.cluster.local. ] || fail "no reverse name"
! grep -q forbidden coredns.log || fail "the role is short of something: $(grep -m 3 forbidden coredns.log)"
echo "ok: with the base's account CoreDNS gets ready and answers from the API"
kill "$coredns"
wait "$coredns" || true

kubectl delete clusterrolebinding coredns-ede >/dev/null
serve "$1"
until_ok ask web.default.svc.cluster.local
answer=$(ask web.default.svc.cluster.local)
grep -q 'status: SERVFAIL' <<<"$answer" && grep -q 'EDE: 14 (Not Ready)' <<<"$answer" && grep -q cause=backend_not_ready coredns.log ||
    fail "without its role CoreDNS says: $answer"
echo "ok: without its role it says so: $(grep -m 1 'EDE: ' <<<"$answer")"
