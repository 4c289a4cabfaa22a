package reach_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// cluster is a Kubernetes API with one Pod, whose address is that of the clients here. It
// lists what it has, and nothing ever changes.
func cluster(t *testing.T, namespace, pod string) string {
	t.Helper()
	stop := make(chan struct{})
	lists := map[string]string{
		"/api/v1/pods": `"PodList","apiVersion":"v1"`, "/api/v1/services": `"ServiceList","apiVersion":"v1"`, "/api/v1/namespaces": `"NamespaceList","apiVersion":"v1"`,
		"/apis/discovery.k8s.io/v1/endpointslices": `"EndpointSliceList","apiVersion":"discovery.k8s.io/v1"`,
	}
	items := map[string]string{
		"/api/v1/pods": fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q,"uid":"1","resourceVersion":"1"},"spec":{},"status":{"phase":"Running","podIP":"127.0.0.1","podIPs":[{"ip":"127.0.0.1"}]}}`, pod, namespace),
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, ok := lists[r.URL.Path]
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
		case r.URL.Query().Get("sendInitialEvents") == "true":
			// A server that cannot stream lists says so, and is asked for them.
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`)
		case r.URL.Query().Get("watch") != "":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		default:
			_, _ = io.WriteString(w, `{"kind":`+list+`,"metadata":{"resourceVersion":"1"},"items":[`+items[r.URL.Path]+`]}`)
		}
	}))
	t.Cleanup(func() { close(stop); api.Close() })
	return api.URL
}

func TestAFailureNamesThePodThatItHit(t *testing.T) {
	logs := server.Capture(t)
	const namespace, pod = "shop", "checkout-7d9f"
	u := said(t, upstream.Rcode(servfail, true, ede(9, "no key")))
	// The plugin sets client-go's logger anew at each set-up, which is a race of its own:
	// one instance has all blocks.
	block := func(key, client string) string {
		return strings.Replace(here("metadata", "ede {\n log all\n log client "+client+"\n page 127.0.0.1:0\n }", "log . \"{combined} pod={/kubernetes/client-pod-name}\"",
			"kubernetes cluster.local {\n endpoint "+cluster(t, namespace, pod)+"\n pods verified\n }", "forward . "+u.Addr()), ".:0", key, 1)
	}
	s := server.Start(t, block(".:0", "full"))
	// The Pod is known once the list is there.
	wait(t, func() bool {
		server.Ask(t, s.UDP(), "sync.example.org.", dns.TypeA, server.EDNS())
		return len(logs.Matching("qname=sync.example.org. ")) > 0 && len(logs.Matching("client_pod="+pod)) > 0
	})
	server.Ask(t, s.UDP(), "hit.example.org.", dns.TypeA, server.EDNS())
	line := logs.WaitFor(t, "qname=hit.example.org. ", patience)
	if want := " client_namespace=" + namespace + " client_pod=" + pod + " qname="; !strings.Contains(line, want) {
		t.Errorf("no %q in %s", want, line)
	}
	var address string
	for _, l := range logs.Matching("page at http://") {
		_, address, _ = strings.Cut(l, "page at ")
	}
	response, err := http.Get(address + "incidents.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var page struct {
		Recent []struct {
			Namespace string `json:"client_namespace"`
			Pod       string `json:"client_pod"`
		} `json:"recent"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil || len(page.Recent) == 0 || page.Recent[0].Pod != pod || page.Recent[0].Namespace != namespace {
		t.Errorf("the page has %+v, %v", page, err)
	}
	if err := s.Reload(block(".:0", "none")); err != nil {
		t.Fatal(err)
	}
	wait(t, func() bool {
		server.Ask(t, s.UDP(), "none.example.org.", dns.TypeA, server.EDNS())
		return len(logs.Matching("pod="+pod)) > 0 && len(logs.Matching("qname=none.example.org. ")) > 2
	})
	for _, l := range logs.Matching("qname=none.example.org. ") {
		if strings.Contains(l, "client_") {
			t.Errorf("log client none has %s", l)
		}
	}
}
