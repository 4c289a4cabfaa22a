package upstream

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func query(name string) *dns.Msg { return new(dns.Msg).SetQuestion(name, dns.TypeA) }

func TestALedgerIsBounded(t *testing.T) {
	var l ledger
	for i := range remembered + 10 {
		l.record(query(fmt.Sprintf("n%d.example.org.", i)))
	}
	if got := l.Queries(); got != remembered+10 {
		t.Errorf("%d queries counted, want all %d", got, remembered+10)
	}
	if got := len(l.byName); got != remembered {
		t.Errorf("%d names kept, want %d", got, remembered)
	}
	if got := len(l.Seen()); got != remembered {
		t.Errorf("%d queries kept, want %d", got, remembered)
	}
	l.record(query("n0.example.org."))
	if got := l.QueriesFor("n0.example.org"); got != 2 {
		t.Errorf("a known name is counted %d times at the limit, want 2", got)
	}
}

func TestAwaitReturnsWithTheLastQuery(t *testing.T) {
	var l ledger
	l.record(query("a.example.org."))
	var recorder sync.WaitGroup
	recorder.Go(func() {
		l.record(query("b.example.org."))
		l.record(query("A.example.org."))
	})
	l.Await(t, "a.example.org", 2, 5*time.Second)
	l.Await(t, "", 3, 5*time.Second)
	recorder.Wait()
	if len(l.waiting) != 0 {
		t.Errorf("%d waiters left behind", len(l.waiting))
	}
}

func TestAwaitFailsTheTestInTheEnd(t *testing.T) {
	var l ledger
	f := &failing{TB: t}
	var caller sync.WaitGroup
	caller.Go(func() { l.Await(f, "a.example.org", 1, time.Millisecond) })
	caller.Wait()
	if !f.failed {
		t.Error("Await returned without a query and without failing")
	}
}

// failing notes a Fatalf in place of failing the test around it.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()               {}
func (f *failing) Fatalf(string, ...any) { f.failed = true }
