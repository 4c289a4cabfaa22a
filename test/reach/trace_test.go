package reach_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// span is one as Zipkin receives it.
type span struct {
	TraceID string            `json:"traceId"`
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
}

// zipkin is a receiver of spans.
type zipkin struct {
	mu    sync.Mutex
	spans []span
}

func (z *zipkin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var spans []span
	if err := json.NewDecoder(r.Body).Decode(&spans); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.spans = append(z.spans, spans...)
	w.WriteHeader(http.StatusAccepted)
}

// named are the spans of a name that came.
func (z *zipkin) named(name string) (spans []span) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range z.spans {
		if s.Name == name {
			spans = append(spans, s)
		}
	}
	return spans
}

func TestTheSpanOfAFailureHasItsCause(t *testing.T) {
	server.Capture(t)
	received := new(zipkin)
	receiver := httptest.NewServer(received)
	defer receiver.Close()
	u := said(t, dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if strings.HasPrefix(m.Question[0].Name, "good.") {
			upstream.Answer().ServeDNS(w, m)
			return
		}
		upstream.Rcode(servfail, true, ede(9, "no key"), ede(22, "")).ServeDNS(w, m)
	}))
	s := server.Start(t, here("trace zipkin "+receiver.URL+"/api/v2/spans {\n zipkin_max_batch_size 1\n zipkin_max_batch_interval 10ms\n }", "ede", "forward . "+u.Addr()))
	defer s.Stop()
	server.Ask(t, s.UDP(), "good.example.org.", dns.TypeA, server.EDNS())
	wait(t, func() bool { return len(received.named("ede")) == 1 })
	if tags := received.named("ede")[0].Tags; len(tags) != 0 {
		t.Errorf("a success has %v", tags)
	}
	server.Ask(t, s.UDP(), "bad.example.org.", dns.TypeA, server.EDNS())
	wait(t, func() bool { return len(received.named("ede")) == 2 && len(received.named("servedns")) == 2 })
	got := received.named("ede")[1]
	for tag, want := range map[string]string{"ede.cause": "upstream_ede", "ede.code": "9,22", "ede.owner": "unknown", "error": "true"} {
		if got.Tags[tag] != want {
			t.Errorf("%s is %q, want %q", tag, got.Tags[tag], want)
		}
	}
	if whole := received.named("servedns")[1]; whole.TraceID != got.TraceID {
		t.Errorf("the span is of trace %s, the query's %s", got.TraceID, whole.TraceID)
	}
}
