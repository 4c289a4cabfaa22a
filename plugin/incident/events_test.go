package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

func TestABeginningIsToldAfterWhatChanged(t *testing.T) {
	first := time.Date(2026, time.November, 23, 14, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return first.Add(time.Duration(seconds) * time.Second) }
	const upstream, other = "192.0.2.53:53", "192.0.2.54:53"
	for name, tc := range map[string]struct {
		in     Incident
		events []Event
		want   string
	}{
		"nothing changed":             {want: ""},
		"a reload before":             {events: []Event{{Reloaded, "", at(-12)}}, want: "began 12 s after reload"},
		"a start before":              {in: Incident{ID: ID{Cause: "zone_not_loaded"}, Owner: "us"}, events: []Event{{Started, "", at(-3)}}, want: "began 3 s after start"},
		"a start before an upstream":  {in: Incident{ID: ID{Cause: "upstream_timeout"}, Owner: "upstream"}, events: []Event{{Started, "", at(-3)}}, want: ""},
		"a start before a policy":     {in: Incident{ID: ID{Cause: "acl_block"}, Owner: "us"}, events: []Event{{Started, "", at(-3)}}, want: ""},
		"a reload long before":        {events: []Event{{Reloaded, "", at(-301)}}, want: ""},
		"a reload later":              {events: []Event{{Reloaded, "", at(1)}}, want: ""},
		"the nearer of two":           {events: []Event{{Reloaded, "", at(-12)}, {Started, "", at(-200)}}, want: "began 12 s after reload"},
		"its upstream went down":      {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{UpstreamDown, upstream, at(-2)}}, want: "began 2 s after upstream 192.0.2.53:53 went down"},
		"found down a little later":   {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{UpstreamDown, upstream, at(4)}}, want: "upstream 192.0.2.53:53 went down 4 s after it began"},
		"found down much later":       {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{UpstreamDown, upstream, at(16)}}, want: ""},
		"another one went down":       {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{UpstreamDown, other, at(-2)}}, want: "began 2 s after upstream 192.0.2.54:53 went down"},
		"another one, later":          {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{UpstreamDown, other, at(2)}}, want: ""},
		"an upstream, and a zone":     {in: Incident{ID: ID{At: "file"}}, events: []Event{{UpstreamDown, other, at(-2)}}, want: ""},
		"no upstream left":            {in: Incident{ID: ID{At: "forward"}}, events: []Event{{UpstreamDown, other, at(-2)}}, want: "began 2 s after upstream 192.0.2.54:53 went down"},
		"its own says more":           {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{Reloaded, "", at(-1)}, {UpstreamDown, upstream, at(-9)}}, want: "began 9 s after upstream 192.0.2.53:53 went down"},
		"its upstream just came back": {in: Incident{ID: ID{Upstream: upstream}}, events: []Event{{UpstreamUp, upstream, at(-2)}}, want: "began 2 s after upstream 192.0.2.53:53 came back"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.in.First = first
			s := &Snapshot{Events: tc.events}
			if got := s.Beginning(tc.in); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestAnUpstreamGoesDownOnceAndComesBackOnce(t *testing.T) {
	h := newHour()
	since := h.now.Add(-3 * time.Second)
	for _, down := range []bool{false, true, true, false, false} {
		d := detail("www.example.org.", "192.0.2.53:53")
		d.Upstreams = []evidence.Upstream{{Addr: "192.0.2.53:53", Down: down, Since: since}}
		h.Failed(d)
	}
	list := h.snapshot().Events
	if len(list) != 2 || list[1] != (Event{UpstreamDown, "192.0.2.53:53", since}) || list[0].Kind != UpstreamUp {
		t.Errorf("events %v", list)
	}
}

func TestEventsAndUpstreamsThatAreDownAreBounded(t *testing.T) {
	h := newHour()
	for i := range 3 * maxEvents {
		d := detail("www.example.org.", "")
		d.Upstreams = []evidence.Upstream{{Addr: fmt.Sprintf("192.0.2.1:%d", i), Down: true}}
		h.Failed(d)
		h.Changed(Reloaded)
	}
	if got := len(h.snapshot().Events); got != maxEvents {
		t.Errorf("%d events, want %d", got, maxEvents)
	}
	if got := len(h.events.down); got != maxDown {
		t.Errorf("%d upstreams are known to be down, want %d", got, maxDown)
	}
	h.now = h.now.Add(kept + time.Second)
	if got := h.snapshot().Events; len(got) != 0 {
		t.Errorf("an hour later there are %d events", len(got))
	}
}
