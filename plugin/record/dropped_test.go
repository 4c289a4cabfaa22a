package record

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

func TestDropsAreCountedAndToldOnceAWindow(t *testing.T) {
	for name, mode := range map[string]Mode{"default": LogDefault, "all": LogAll, "summary": LogSummary} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := opened(t)
				o := newOutage(Options{Mode: mode})
				droppedTotal.Reset()
				droppedCounters = atHand[dropKey, prometheus.Counter]{}
				o.log.Start()
				worded := 0
				drop := Drop{Server: "dns://:53", At: "rrl", Error: func() string {
					worded++
					return "over\nthe \"limit\""
				}}
				for range 60 {
					o.log.Dropped(drop)
				}
				synctest.Wait()
				if lines := s.lines(); len(lines) > 0 {
					t.Errorf("lines before the window ends: %q", lines)
				}
				time.Sleep(defaultWindow + time.Second)
				o.log.Dropped(drop)
				o.log.Stop()
				want := []string{
					`summary sent=dropped at=rrl server=dns://:53 count=60 window_seconds=10 error="over the \"limit\""`,
					`summary sent=dropped at=rrl server=dns://:53 count=1 window_seconds=1 error="over the \"limit\""`,
				}
				if lines := s.lines(); !slices.Equal(lines, want) {
					t.Errorf("%q, want %q", lines, want)
				}
				if worded != 2 {
					t.Errorf("the error was worded %d times", worded)
				}
				if all := series(t, droppedTotal); !slices.Equal(all, []string{`{at="rrl",server="dns://:53"} 61`}) {
					t.Errorf("%q", all)
				}
			})
		})
	}
}

func TestDropsAreCountedWhereNothingIsLogged(t *testing.T) {
	s := opened(t)
	o := newOutage(Options{Mode: LogOff})
	droppedTotal.Reset()
	droppedCounters = atHand[dropKey, prometheus.Counter]{}
	o.log.Start()
	o.log.Dropped(Drop{Server: "dns://:53", At: "rrl"})
	o.log.Stop()
	if all := series(t, droppedTotal); len(all) != 1 || len(s.lines()) > 0 {
		t.Errorf("%q, lines %q", all, s.lines())
	}
}

func TestKindsOfDropsAreBounded(t *testing.T) {
	var d dropped
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 1000 {
				d.add(Drop{Server: fmt.Sprintf("dns://:%d", (i+g)%100), At: "rrl", Error: func() string { return strings.Repeat("x", 1000) }})
			}
		})
	}
	all.Wait()
	taken, sum := d.take(), uint64(0)
	for _, one := range taken {
		sum += one.count
		if len(one.err) > maxDropText {
			t.Errorf("an error of %d octets", len(one.err))
		}
	}
	if len(taken) != maxDrops || sum != 8000 || taken[maxDrops-1].key != (dropKey{at: "other"}) {
		t.Errorf("%d kinds, %d drops", len(taken), sum)
	}
	if len(d.take()) > 0 {
		t.Error("drops are told twice")
	}
}

func TestWhyNothingWasAttachedIsCounted(t *testing.T) {
	notAttached.Reset()
	alikeCounters.held.Store(nil)
	panicked := cause.Classify(&evidence.Evidence{Shape: evidence.Panicked, At: "dns64"})
	for i, f := range []Failure{
		{Verdict: refused, Sent: SentYes}, {Verdict: refused, Sent: NoEDNS}, {Verdict: refused, Sent: NoInterest},
		{Verdict: refused, Sent: InShadow}, {Verdict: refused, Sent: NotSent}, {Verdict: panicked, Sent: NotSent},
	} {
		f.Server = "dns://:53"
		for range i + 1 {
			Count(&f)
		}
	}
	got := series(t, notAttached)
	slices.Sort(got)
	want := []string{
		`{reason="no_edns",server="dns://:53"} 2`, `{reason="no_interest",server="dns://:53"} 3`, `{reason="no_room",server="dns://:53"} 5`,
		`{reason="panic",server="dns://:53"} 6`, `{reason="shadow",server="dns://:53"} 4`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
