package page

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// stage is a table with a clock that only the test moves.
type stage struct {
	now     time.Time
	table   *incident.Table
	history *incident.History
	random  *rand.Rand
}

var opening = time.Date(2026, time.November, 23, 13, 0, 0, 0, time.UTC)

func newStage() *stage {
	s := &stage{now: opening, random: rand.New(rand.NewPCG(1, 2))}
	clock := func() time.Time { return s.now }
	s.table = incident.New(1000, clock)
	s.history = incident.NewHistory(clock)
	s.table.Keep(s.history)
	s.history.Changed(incident.Started)
	return s
}

// handler is the page over the table.
func (s *stage) handler() http.Handler {
	return New(Options{Snapshot: s.table.Snapshot, Now: func() time.Time { return s.now }, Host: "coredns-7f2", Version: "v1.0.0"})
}

// wait lets time pass, and the sweep end what is over.
func (s *stage) wait(d time.Duration) {
	s.now = s.now.Add(d)
	s.table.Sweep()
}

// query is one that fails on the stage.
type query struct {
	cause, name, at, upstream, text, err string
	qtype, code                          uint16
	rcode                                int
	down                                 bool
	trace                                []string
}

func (s *stage) fail(q query) {
	c := cause.ByID(q.cause)
	if c == nil {
		panic("no cause " + q.cause)
	}
	if q.qtype == 0 {
		q.qtype = dns.TypeA
	}
	if q.rcode == 0 {
		q.rcode = dns.RcodeServerFailure
	}
	if q.text == "" {
		q.text = c.Brief
	}
	if q.code == 0 {
		q.code = c.Code
	}
	v := (&cause.Verdict{
		Cause: c, Lasts: c.Lasts, Owner: c.Owner, Advice: c.Advice, At: q.at, Upstream: q.upstream,
		Statements: []cause.Statement{{Code: q.code, Brief: q.text, Full: q.text}},
	}).WithTrace(append([]string{fmt.Sprintf("%s returned by %s (path cache, %s)", dns.RcodeToString[q.rcode], q.at, q.at)}, q.trace...))
	question := dns.Question{Name: q.name, Qtype: q.qtype, Qclass: dns.ClassINET}
	zone := incident.ZoneOf(q.name, ".")
	s.table.Failed(&incident.Failure{
		Key:     incident.Key{Block: 1, Name: q.name, Qtype: q.qtype, Qclass: dns.ClassINET},
		ID:      incident.ID{Cause: q.cause, At: q.at, Upstream: q.upstream, Zone: zone},
		Verdict: v,
	})
	d := incident.Detail{
		Block: 1, Verdict: v, Rcode: q.rcode, Question: question, Asked: question, Group: zone,
		Client: fmt.Sprintf("198.51.100.%d", 1+s.random.IntN(250)), Server: "dns://:53", Protocol: "udp",
		Duration: time.Duration(1+s.random.IntN(4000)) * time.Millisecond, Error: q.err,
	}
	if q.upstream != "" {
		d.Upstreams = []evidence.Upstream{{Addr: q.upstream, Down: q.down}}
	}
	s.history.Failed(&d)
}

func (s *stage) succeed(name string) {
	s.table.Succeeded(&incident.Key{Block: 1, Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET})
	s.history.Succeeded(1, dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}, false)
}

var background = []query{
	{cause: "upstream_ede", name: "www.example.org.", at: "forward", upstream: "192.0.2.54:53", code: 7, text: "from 192.0.2.54: signature expired 2026-11-20T00:00:00Z"},
	{cause: "acl_block", name: "printer.example.net.", at: "acl", rcode: dns.RcodeRefused},
	{cause: "upstream_timeout", name: "api.example.org.", at: "forward", upstream: "192.0.2.53:53", text: "no reply within 2.0 s: 192.0.2.53:53 timed out", err: "read udp 198.51.100.1->192.0.2.53:53: i/o timeout"},
	{cause: "upstream_servfail", name: "shop.example.com.", at: "forward", upstream: "192.0.2.54:53"},
}

// empty is a server on which nothing has failed.
func empty() *stage {
	s := newStage()
	s.wait(25 * time.Minute)
	return s
}

// busy is an hour on which now and then something fails.
func busy() *stage {
	s := newStage()
	for half := range 118 {
		minute := half / 2
		if half == 60 {
			s.history.Changed(incident.Reloaded)
			s.wait(12 * time.Second)
		}
		for i, q := range background {
			if minute >= 15*i && minute < 15*i+20 {
				for range s.random.IntN(5) {
					s.fail(q)
				}
			}
		}
		s.wait(30 * time.Second)
		if half%40 == 39 {
			s.succeed("www.example.org.")
			s.wait(11 * time.Second)
		}
	}
	s.fail(background[3])
	s.wait(3 * time.Second)
	return s
}

// outage is an hour that ends with an upstream that is down.
func outage() *stage {
	s := busy()
	for second := range 240 {
		for range 6 + s.random.IntN(3)*second/60 {
			n := s.random.IntN(40)
			s.fail(query{
				cause: "upstream_timeout", name: fmt.Sprintf("host%d.example.org.", n*n/40), at: "forward", upstream: "192.0.2.53:53", down: second > 3,
				text: "no reply within 4.0 s: 192.0.2.53:53 timed out", err: "read udp 198.51.100.1->192.0.2.53:53: i/o timeout",
				trace: []string{"error of kind timeout: read udp 198.51.100.1->192.0.2.53:53: i/o timeout", "upstream 192.0.2.53:53 gave nothing usable in 4.0 s"},
			})
		}
		if second%3 == 0 {
			s.fail(background[1])
		}
		s.wait(time.Second)
	}
	return s
}

func TestTheStagesAreWhatTheyAreCalled(t *testing.T) {
	for name, want := range map[string]struct {
		stage *stage
		state string
	}{"empty": {empty(), "calm"}, "busy": {busy(), "failing"}, "outage": {outage(), "failing"}} {
		if state, _ := stateOf(want.stage.table.Snapshot(), 0); state != want.state {
			t.Errorf("%s is %s, want %s", name, state, want.state)
		}
	}
}
