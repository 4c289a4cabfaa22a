package diagnose_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// uplinked is a resolver whose connection is there while connected says so, by the number of
// questions that it was asked before. What it remembers it answers without, and what fails
// is not there for anybody. It answers failures that it remembers for a while, too.
type uplinked struct {
	mu              sync.Mutex
	asked           int
	connected       func(asked int) bool
	remembers, gone func(q dns.Question) bool
	// failed are the questions that failed, nil if it does not remember those.
	failed map[string]bool
}

func (u *uplinked) answer(m *dns.Msg) *dns.Msg {
	u.mu.Lock()
	defer u.mu.Unlock()
	connected, q := u.connected(u.asked), m.Question[0]
	u.asked++
	key := fmt.Sprint(q, m.CheckingDisabled)
	switch {
	case u.remembers(q):
		return fetching(m, dns.RcodeSuccess)
	case u.failed[key] || !connected || u.gone(q):
		if u.failed != nil {
			u.failed[key] = true
		}
		return rcode(m, dns.RcodeServerFailure)
	case madeUpName(q.Name):
		return fetching(m, dns.RcodeNameError)
	}
	return fetching(m, dns.RcodeSuccess)
}

// A connection may be lost, or come back, before or after any question of a diagnosis. What
// fails for that is nobody else's fault.
func TestAConnectionThatIsLostOrComesBackBlamesNobodyElse(t *testing.T) {
	const most = 30
	rootOnly := func(q dns.Question) bool { return q.Name == "." && !(q.Qtype >= 32770 && q.Qtype < 65280) }
	nothing := func(dns.Question) bool { return false }
	zone := func(q dns.Question) bool { return dns.IsSubDomain("example.org.", q.Name) }
	for _, tc := range []struct {
		name            string
		remembers, gone func(q dns.Question) bool
		failures        bool     // are remembered
		may             []string // what may be said
	}{
		{"nothing is wrong but the connection", rootOnly, nothing, false, nil},
		// What failed for one type can only be asked again as it is.
		{"it remembers what failed", rootOnly, nothing, true, []string{"only_one_type_fails"}},
		{"another type of the name is remembered", func(q dns.Question) bool {
			return rootOnly(q) || q.Name == "www.example.org." && (q.Qtype == dns.TypeAAAA || q.Qtype == 65280)
		}, nothing, false, nil},
		{"the zone is broken", rootOnly, zone, true, []string{"zone_at_fault"}},
	} {
		for edge := range most {
			for way, connected := range map[string]func(int) bool{
				"lost":      func(asked int) bool { return asked < edge },
				"come back": func(asked int) bool { return asked >= edge },
			} {
				for _, others := range []int{0, 1} {
					u := &uplinked{connected: connected, remembers: tc.remembers, gone: tc.gone}
					c := failing(question("www.example.org."), at("192.0.2.53:53", u.answer))
					if tc.failures {
						// The client was answered SERVFAIL while it was lost.
						u.failed = map[string]bool{fmt.Sprint(c.Question, false): true}
					}
					for range others {
						c.Others = append(c.Others, at("192.0.2.54:53", u.answer))
					}
					f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
					if f.Outcome == diagnose.Explained && !slices.Contains(tc.may, causeOf(f)) && causeOf(f) != "upstream_at_fault" {
						t.Errorf("%s, %s after %d questions, %d others: %s, %s", tc.name, way, edge, others, causeOf(f), f.Text)
					}
				}
			}
		}
	}
}

// What others just proved of an upstream shows nothing of a failure that came later.
func TestAProofOfBeforeTheFailureBlamesNobody(t *testing.T) {
	answer := online
	var clock atomic.Int64
	e := &diagnose.Engine{Now: func() time.Time { return now.Add(time.Duration(clock.Add(1)) * time.Millisecond) }}
	up := func(name string) diagnose.Resolver {
		return at(name, func(m *dns.Msg) *dns.Msg { return answer(m) })
	}
	for i, want := range []string{"zone_at_fault", "undecided"} {
		c := failing(question(fmt.Sprintf("w%d.example.org.", i)), up("192.0.2.53:53"))
		c.Others = []diagnose.Resolver{up("192.0.2.54:53")}
		if f := e.Diagnose(context.Background(), c); causeOf(f) != want {
			t.Errorf("got %s, %s; want %s", causeOf(f), f.Text, want)
		}
		answer = offline()
	}
}

// Out of signed denials a resolver makes answers to all that is made up (RFC 8198), with
// the age of the denials: an upstream that lost its connection a moment ago makes them as
// fresh as one that fetches.
func TestDenialsThatAreASecondOldAreNoConnection(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	exchange := b.Exchange()
	for _, tc := range []struct {
		name  string
		age   time.Duration // of the denials when the diagnosis begins
		still bool          // connected
	}{
		{"connected", 0, true},
		{"lost just now", 0, false},
		{"lost 200 ms ago", 200 * time.Millisecond, false},
		{"lost 900 ms ago", 900 * time.Millisecond, false},
		{"lost 200 s ago", 200 * time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fetched := time.Now().Add(-tc.age)
				up := saying(diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
					if dns.IsSubDomain("www.valid.edetest.", m.Question[0].Name) {
						return servfail(m)
					}
					r, err := exchange(ctx, m.Question[0])
					if err != nil {
						return nil, err
					}
					age := uint32(time.Since(fetched) / time.Second)
					if tc.still {
						age = 0
					}
					for i, rr := range r.Ns {
						r.Ns[i] = dns.Copy(rr)
						r.Ns[i].Header().Ttl -= age
					}
					return r, nil
				}}, 22)
				f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), up))
				if f.Verdict == nil || (f.Verdict.Owner == cause.Zone) != tc.still {
					t.Errorf("%s by %s, %s", causeOf(f), f.Verdict.Owner, f.Text)
				}
			})
		})
	}
}

// A validator that rejects all makes no answers from denials, however old those are that it
// gives: what it answers with CD=1 alone it has fetched. One that lost its connection makes
// the same answers with CD=0.
func TestWhatIsAnsweredWithCD1AloneIsFetched(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	exchange := b.Exchange()
	for _, connected := range []bool{true, false} {
		up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
			q := m.Question[0]
			fromDenials := !connected && madeUp(m)
			if !m.CheckingDisabled && !fromDenials {
				return servfail(m)
			}
			r, err := exchange(ctx, q)
			if err != nil {
				return nil, err
			}
			for i, rr := range r.Ns {
				r.Ns[i] = dns.Copy(rr)
				r.Ns[i].Header().Ttl -= 200
			}
			return r, nil
		}}
		f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), up))
		if (causeOf(f) == "upstream_validator") != connected || !connected && f.Outcome == diagnose.Explained {
			t.Errorf("connected %v: %s, %s", connected, causeOf(f), f.Text)
		}
	}
}
