package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/fleet/synthetic"
	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// aPod has one container, which the node's files name by their IDs.
func aPod(name, container string) core.Pod {
	return core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "kube-system", ResourceVersion: "1", Labels: map[string]string{"k8s-app": "kube-dns"}},
		Spec:       core.PodSpec{NodeName: "node-1", Containers: []core.Container{{Name: container}}},
		Status:     core.PodStatus{PodIP: "192.0.2.9", ContainerStatuses: []core.ContainerStatus{{Name: container, ContainerID: "containerd://id-" + name}}},
	}
}

// apiServer answers what a collector asks of the API: one node, its Pods, the namespace.
func apiServer(t *testing.T, pods ...core.Pod) string {
	t.Helper()
	node := core.Node{ObjectMeta: meta.ObjectMeta{Name: "node-1"}}
	ended := make(chan struct{})
	address := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var answer any
		switch {
		case r.FormValue("watch") == "true":
			w.(http.Flusher).Flush()
			select { // no Pod comes or goes
			case <-r.Context().Done():
			case <-ended:
			}
			return
		case r.URL.Path == "/api/v1/nodes":
			answer = core.NodeList{Items: []core.Node{node}}
		case r.URL.Path == "/api/v1/nodes/node-1":
			answer = node
		case r.URL.Path == "/api/v1/namespaces":
			answer = core.NamespaceList{Items: []core.Namespace{{ObjectMeta: meta.ObjectMeta{Name: "kube-system"}}}}
		case r.URL.Path == "/api/v1/pods" && r.FormValue("fieldSelector") == "spec.nodeName=node-1":
			answer = core.PodList{ListMeta: meta.ListMeta{ResourceVersion: "1"}, Items: pods}
		default:
			http.NotFound(w, r)
			return
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { close(ended) })
	return address
}

var agentArgument = regexp.MustCompile(`(?m)^ +- (-kubernetesCollector\S*)$`)

// The agent of the Kubernetes manifest, with its very flags, reads the files of a node as
// containerd and Docker write them, and those of CoreDNS alone. The API server is the test's.
func TestTheLogsOfPodsAreCollectedAsTheManifestSays(t *testing.T) {
	agent := program(t, "vlagent")
	_, store := node(t, t.TempDir())
	dir := t.TempDir()

	up := upstream.Start(t, upstream.Config{})
	edge := start(t, dir, "coredns-1", "all", up.Addr())
	up.Stop()
	edge.ask(t, 20, dns.RcodeServerFailure)
	edge.process.stop()
	first, err := os.ReadFile(edge.log)
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if _, err := (synthetic.Log{Instances: 1, Lines: 500, Start: time.Now().UTC().Add(-time.Hour), Span: 50 * time.Minute, Names: 100, Seed: 5}).WriteTo(&second); err != nil {
		t.Fatal(err)
	}

	// containerd cuts long lines into parts; Docker wraps each into an object.
	var containerd, docker bytes.Buffer
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for i, line := range strings.Split(strings.TrimSpace(string(first)), "\n") {
		if i%2 == 0 {
			fmt.Fprintf(&containerd, "%s stdout P %s\n", now, line[:len(line)/2])
			line = line[len(line)/2:]
		}
		fmt.Fprintf(&containerd, "%s stdout F %s\n", now, line)
	}
	for line := range strings.Lines(second.String()) {
		text, err := json.Marshal(map[string]string{"log": line, "stream": "stdout", "time": now})
		if err != nil {
			t.Fatal(err)
		}
		docker.Write(append(text, '\n'))
	}
	logs, files := t.TempDir(), t.TempDir()
	for name, text := range map[string][]byte{
		"coredns-1_kube-system_coredns-id-coredns-1.log": containerd.Bytes(),
		"coredns-2_kube-system_coredns-id-coredns-2.log": docker.Bytes(),
		"other_kube-system_app-id-other.log":             containerd.Bytes(),
	} {
		// As on a node, the names are links.
		if err := os.WriteFile(filepath.Join(files, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(files, name), filepath.Join(logs, name)); err != nil {
			t.Fatal(err)
		}
	}

	config := filepath.Join(t.TempDir(), "config")
	text := "clusters: [{name: test, cluster: {server: '" + apiServer(t, aPod("coredns-1", "coredns"), aPod("coredns-2", "coredns"), aPod("other", "app")) + "'}}]\n" +
		"users: [{name: test, user: {}}]\ncontexts: [{name: test, context: {cluster: test, user: test}}]\ncurrent-context: test\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", config)
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	args := []string{"-httpListenAddr=" + port.Free(t), "-remoteWrite.url=" + store + "/insert/native", "-tmpDataPath=" + t.TempDir(), "-kubernetesCollector.logsPath=" + logs}
	shipped := agentArgument.FindAllStringSubmatch(read(t, "deploy/victorialogs/kubernetes.yaml"), -1)
	if len(shipped) < 5 {
		t.Fatalf("the manifest has %d flags of the collector", len(shipped))
	}
	for _, m := range shipped {
		args = append(args, m[1])
	}
	run(t, nil, agent, args...)

	copied := filepath.Join(dir, "coredns-2.log")
	if err := os.WriteFile(copied, second.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	stored(t, store, bytes.Count(append(first, second.Bytes()...), []byte(`"plugin":"ede"`)))
	fromFiles, err := reportOf(t, report.Config{Files: []string{edge.log, copied}})
	if err != nil {
		t.Fatal(err)
	}
	fromStore, err := reportOf(t, report.Config{From: store})
	if err != nil {
		t.Fatal(err)
	}
	sameMostly(fromFiles, fromStore)
	if want, got := comparable(t, fromFiles), comparable(t, fromStore); want != got {
		t.Errorf("the files, and the store:\n%s", difference(want, got))
	}
	if n := countOf(fromStore.Instances, "coredns-1"); n != edge.failed || n == 0 {
		t.Errorf("coredns-1 has %d failures, its clients saw %d", n, edge.failed)
	}
	for _, r := range rows(t, store, `* | stats by (kubernetes.container_name, cluster, _stream) count() as n`) {
		if r["kubernetes.container_name"] != "coredns" || r["cluster"] != "edge" || strings.Contains(r["_stream"], "kubernetes") {
			t.Errorf("lines of %v", r)
		}
	}
}
