package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func (h *hour) good(name string, qtype uint16) {
	h.Succeeded(1, dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}, false)
}

func TestANameTellsWhyItFailedAndSinceWhenItDoesNot(t *testing.T) {
	h := newHour()
	began := h.now
	for range 31 {
		h.Failed(detail("www.example.org.", "192.0.2.53:53"))
		h.now = h.now.Add(time.Second)
	}
	if h.Quiet() {
		t.Error("quiet while a name fails")
	}
	h.good("WWW.example.ORG.", dns.TypeA)
	want := Episode{Cause: "upstream_timeout", Upstream: "192.0.2.53:53", First: began, Last: began.Add(30 * time.Second), Count: 31, OKSince: h.now}
	if got := h.Why(1, "wWw.example.org."); len(got) != 1 || got[0] != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !h.Quiet() {
		t.Error("not quiet though all names resolve")
	}
	h.Failed(detail("www.example.org.", "192.0.2.53:53"))
	if got := h.Why(1, "www.example.org."); len(got) != 2 || got[0].Count != 1 || !got[0].OKSince.IsZero() {
		t.Errorf("what fails again is a new episode: %+v", got)
	}
	if got := h.Why(2, "www.example.org."); got != nil {
		t.Errorf("another server block is told %+v", got)
	}
	h.now = h.now.Add(kept + time.Second)
	if got := h.Why(1, "www.example.org."); got != nil {
		t.Errorf("an hour later it is told %+v", got)
	}
}

func TestANameIsOKOnceAllTypesThatFailedAreAnswered(t *testing.T) {
	h := newHour()
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		d := detail("www.example.org.", "192.0.2.53:53")
		d.Question.Qtype = qtype
		h.Failed(d)
	}
	h.good("www.example.org.", dns.TypeMX)
	h.good("www.example.org.", dns.TypeA)
	if got := h.Why(1, "www.example.org."); !got[0].OKSince.IsZero() {
		t.Error("ok while AAAA fails")
	}
	h.good("www.example.org.", dns.TypeAAAA)
	if got := h.Why(1, "www.example.org."); got[0].OKSince.IsZero() {
		t.Error("not ok though both are answered")
	}
}

func TestFailingNamesAreBounded(t *testing.T) {
	h := newHour()
	for i := range maxNames + 100 {
		h.now = h.now.Add(time.Millisecond)
		h.Failed(detail(fmt.Sprintf("host%d.example.org.", i), ""))
	}
	if got := h.names.order.Len(); got != maxNames || len(h.names.held) != maxNames || h.names.failing != maxNames {
		t.Errorf("%d names and %d episodes, want %d", got, h.names.failing, maxNames)
	}
	if h.Why(1, "host0.example.org.") != nil || h.Why(1, "host1123.example.org.") == nil {
		t.Error("the oldest name is not the one that made room")
	}
}

func TestEpisodesOfANameAreBounded(t *testing.T) {
	h := newHour()
	for i := range 4 * maxEpisodes {
		h.now = h.now.Add(time.Second)
		h.Failed(detail("www.example.org.", fmt.Sprintf("192.0.2.%d:53", i)))
	}
	got := h.Why(1, "www.example.org.")
	if len(got) != maxEpisodes || got[0].Upstream != "192.0.2.19:53" || h.names.failing != maxEpisodes {
		t.Errorf("%d failing: %+v", h.names.failing, got)
	}
	for qtype := range uint16(20) {
		d := detail("www.example.org.", "192.0.2.19:53")
		d.Question.Qtype = qtype
		h.Failed(d)
	}
	for _, e := range h.names.held[keyFor(1, "www.example.org.")].Value.(*failingName).episodes {
		if len(e.open) > maxTypes {
			t.Errorf("%d types are held", len(e.open))
		}
	}
}

// dig +cd shows that a name can be had without validation, and no more.
func TestAnAnswerWithoutValidationEndsNoFailureWithIt(t *testing.T) {
	h := newHour()
	h.Failed(detail("www.example.org.", "192.0.2.53:53"))
	q := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	h.Succeeded(1, q, true)
	if got := h.Why(1, q.Name); !got[0].OKSince.IsZero() {
		t.Error("ok since an answer with CD=1")
	}
	d := detail("www.example.org.", "192.0.2.53:53")
	d.CheckingDisabled = true
	h.Failed(d)
	h.Succeeded(1, q, true)
	if got := h.Why(1, q.Name); !got[0].OKSince.IsZero() {
		t.Error("ok since an answer with CD=1, though CD=0 failed too")
	}
	h.Succeeded(1, q, false)
	if got := h.Why(1, q.Name); got[0].OKSince.IsZero() {
		t.Error("not ok")
	}
}
