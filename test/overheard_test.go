package test_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// complained waits until the answer for name has a reason that a plugin logged: nobody
// tells when it has.
func complained(name string) func(*testing.T, *server.Server) {
	return func(t *testing.T, s *server.Server) {
		t.Helper()
		m := server.Message(name, dns.TypeA, server.EDNS())
		m.AuthenticatedData = true
		for range 300 {
			r, err := server.Exchange(s.UDP("."), "udp", m, patience)
			if err == nil && r.Rcode == dns.RcodeServerFailure && strings.Contains(strings.Join(errorsOf(r), " "), ": ") {
				return
			}
			<-time.After(silence)
		}
		t.Fatalf("no answer for %s has a reason that was logged", name)
	}
}

// The primary answers over UDP, and TCP to it is swallowed.
func TestATransferThatGetsNoReplyIsToldWithItsError(t *testing.T) {
	logs := server.Capture(t)
	primary := upstream.Start(t, upstream.Config{Handler: upstream.Silent()})
	s := server.Start(t, here(".:0", levels, "secondary silent.example {\n transfer from "+primary.Addr()+"\n }"))
	complained("www.silent.example.")(t, s)
	m := query("www.silent.example.")
	expect(t, ask(t, fullClient, "udp", s.UDP("."), m), "SERVFAIL",
		"14 zone silent.example. of plugin secondary is not loaded yet; last error …Z: Failed to transfer `silent.example.' from …"+primary.Addr()+"…: read tcp …: i/o timeout")
	expect(t, ask(t, briefClient, "udp", s.UDP("."), m), "SERVFAIL", "14 zone silent.example. is not loaded yet: no reply over TCP")
	l := failureOf(t, logs, m)
	expectFields(t, l, line{"cause": "zone_not_loaded", "at": "secondary", "owner": "us"})
	if _, zones := l["advice"]; zones && strings.Contains(l["advice"], "zone file") {
		t.Errorf("the advice on a secondary speaks of a zone file: %s", l["advice"])
	}
}

// An API server whose ClusterRole lets nobody list anything.
func TestAListThatTheKubernetesAPIForbidsIsTold(t *testing.T) {
	server.Capture(t)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
 "message":"endpointslices.discovery.k8s.io is forbidden: User \"dns\" cannot list resource \"endpointslices\" in API group \"discovery.k8s.io\" at the cluster scope"}`))
	}))
	t.Cleanup(api.Close)
	plugins := strings.Replace(unsyncedKubernetes(t), "endpoint http://", "endpoint "+api.URL+" #", 1)
	s := server.Start(t, here(".:0", levels, plugins))
	const name = "web.default.svc.cluster.local."
	complained(name)(t, s)
	expect(t, ask(t, briefClient, "udp", s.UDP("."), query(name)), "SERVFAIL",
		"14 the data source of this server is not ready: reading it is forbidden")
	expect(t, ask(t, fullClient, "udp", s.UDP("."), query(name)), "SERVFAIL",
		"14 kubernetes is not ready: it has not synced with the Kubernetes API; last error …Z: …endpointslices.discovery.k8s.io is forbidden: …")
}
