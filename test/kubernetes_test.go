package test_test

import (
	"sync/atomic"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

var kubernetesStarted atomic.Bool

// unsyncedKubernetes is a kubernetes plugin without an API. The plugin replaces
// client-go's logger at each set-up, while the watchers of an earlier instance
// may still read it (plugin/kubernetes/setup.go, klog.SetLogger): the race
// detector would blame whatever test runs then, so that it sees one instance
// only. The run without it has them all.
func unsyncedKubernetes(t *testing.T) string {
	t.Helper()
	if kubernetesStarted.Swap(true) && raceDetector {
		t.Skip("CoreDNS's kubernetes plugin has a data race of its own when it is set up a second time")
	}
	return "kubernetes cluster.local {\n endpoint http://" + upstream.Closed(t) + "\n startup_timeout 100ms\n }"
}
