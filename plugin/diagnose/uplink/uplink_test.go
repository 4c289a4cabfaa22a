package uplink

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
)

// denies answers m with a SOA of zone and, if it is signed, a denial of that age.
func denies(m *dns.Msg, zone, denial string, age uint32) *dns.Msg {
	r := new(dns.Msg).SetReply(m)
	if m.Question[0].Name != zone {
		r.Rcode = dns.RcodeNameError
	}
	for _, text := range []string{zone + " 900 IN SOA ns.example. hostmaster.example. 1 2 3 4 900", denial} {
		if rr, err := dns.NewRR(text); err == nil && rr != nil {
			rr.Header().Ttl -= age
			r.Ns = append(r.Ns, rr)
		}
	}
	r.SetEdns0(1232, true)
	return r
}

const (
	nsec   = "a.example. 900 IN NSEC z.example. A RRSIG NSEC"
	optOut = "c.com. 900 IN NSEC3 1 1 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A"
)

func zoneOf(m *dns.Msg) string {
	labels := dns.SplitDomainName(m.Question[0].Name)
	if len(labels) == 0 {
		return "."
	}
	return labels[len(labels)-1] + "."
}

func TestAResolverIsSeenToReachTheInternetByWhatNoCacheHas(t *testing.T) {
	servfail := func(m *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure) }
	began := time.Time{}
	age := func() uint32 { return uint32(time.Since(began) / time.Second) }
	signed := func(m *dns.Msg) *dns.Msg { return denies(m, zoneOf(m), nsec, 0) }
	for _, tc := range []struct {
		name   string
		answer func(m *dns.Msg) *dns.Msg
		any    bool
		want   bool
		asked  int64 // until the first proof
		waits  time.Duration
		zones  []string
	}{
		{"the domain is not signed", func(m *dns.Msg) *dns.Msg { return denies(m, zoneOf(m), "", 300) }, false, true, 2, 0, []string{"org."}},
		{"it is signed, and com. is opt-out", func(m *dns.Msg) *dns.Msg {
			if zoneOf(m) == "com." {
				return denies(m, "com.", optOut, 300)
			}
			return signed(m)
		}, false, true, 3, 0, []string{"org.", "com."}},
		{"it is signed, and com. is not known", func(m *dns.Msg) *dns.Msg {
			if zoneOf(m) == "com." {
				return denies(m, ".", nsec, 0)
			}
			return signed(m)
		}, false, true, 7, time.Second, []string{"org.", "com."}},
		{"all of it is remembered since a moment ago", func(m *dns.Msg) *dns.Msg { return denies(m, zoneOf(m), nsec, age()) }, false, false, 7, time.Second, []string{"org.", "com."}},
		{"all of it is remembered for long", func(m *dns.Msg) *dns.Msg { return denies(m, zoneOf(m), nsec, 300+age()) }, false, false, 6, time.Second, []string{"org."}},
		{"it fails", servfail, false, false, 2, 0, []string{"org."}},
		{"no reply", func(*dns.Msg) *dns.Msg { return nil }, false, false, 2, 0, []string{"org."}},
		{"the domain does not exist, and com. is opt-out", func(m *dns.Msg) *dns.Msg {
			if zoneOf(m) == "com." {
				return denies(m, "com.", optOut, 300)
			}
			return servfail(m)
		}, true, true, 6, 0, []string{"org.", "com.", "arpa.", "."}},
		{"it fails for everything", servfail, true, false, 6, 0, []string{"org.", "com.", "arpa.", "."}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began = time.Now()
				var asked atomic.Int64
				r := Resolver{Name: "192.0.2.53:53", Ask: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
					asked.Add(1)
					if reply := tc.answer(m); reply != nil {
						return reply, nil
					}
					return nil, errors.New("i/o timeout")
				}}
				p := New(new(control.Answers), time.Now, func(bool, string, ...any) {})
				proof, zones, ok := p.Reaches(t.Context(), r, Zones{Top: "org.", Any: tc.any})
				if ok != tc.want || asked.Load() != tc.asked || !slices.Equal(zones, tc.zones) {
					t.Errorf("got %v after %d questions about %v", ok, asked.Load(), zones)
				}
				if ok && !p.Still(t.Context(), r, proof) {
					t.Error("it is not seen a second time")
				}
				if took := time.Since(began); took != tc.waits {
					t.Errorf("it took %v", took)
				}
				tc.answer = servfail
				if ok && p.Still(t.Context(), r, proof) {
					t.Error("it is seen though it fails")
				}
				before := asked.Load()
				if _, _, again := p.Reaches(t.Context(), r, Zones{Top: "org.", Any: tc.any}); again != ok || asked.Load() != before {
					t.Error("it is asked for the first proof once more")
				}
			})
		})
	}
}

// A proof serves the failures that were seen before it was asked for, and no later one.
func TestAProofServesNoLaterFailure(t *testing.T) {
	var asked atomic.Int64
	r := Resolver{Name: "192.0.2.53:53", Ask: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		asked.Add(1)
		return denies(m, zoneOf(m), "", 0), nil
	}}
	synctest.Test(t, func(t *testing.T) {
		known := new(control.Answers)
		reach := func(p *Prober, want int64) {
			t.Helper()
			asked.Store(0)
			if _, _, ok := p.Reaches(t.Context(), r, Zones{Top: "org."}); !ok || asked.Load() != want {
				t.Errorf("%v after %d questions, want %d", ok, asked.Load(), want)
			}
		}
		step := func(bool, string, ...any) {}
		one, other := New(known, time.Now, step), New(known, time.Now, step)
		time.Sleep(time.Millisecond)
		reach(one, 2)
		reach(other, 0)
		time.Sleep(time.Millisecond)
		reach(New(known, time.Now, step), 2)
	})
}

// Who rejects all makes no answer from denials, of whatever age: one question suffices.
func TestADenialOfAnyAgeCountsWhereTheValidationRejectsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		code := dns.RcodeSuccess
		r := Resolver{Name: "192.0.2.53:53", Ask: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
			asked.Add(1)
			if code != dns.RcodeSuccess {
				return new(dns.Msg).SetRcode(m, code), nil
			}
			return denies(m, zoneOf(m), nsec, 300), nil
		}}
		began := time.Now()
		p := New(new(control.Answers), time.Now, func(bool, string, ...any) {})
		proof, _, ok := p.Reaches(t.Context(), r, Zones{Top: "org.", Rejects: true})
		if !ok || asked.Load() != 1 || !p.Still(t.Context(), r, proof) || time.Since(began) > 0 {
			t.Errorf("got %v after %d questions and %v", ok, asked.Load(), time.Since(began))
		}
		code = dns.RcodeServerFailure
		if p.Still(t.Context(), r, proof) {
			t.Error("it is seen though it fails")
		}
	})
}
