package incident

import (
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// Key is a question as cache keys it, in one server block.
type Key = memory.Key

// Recall returns the verdict on the question k and when it was found.
func (t *Table) Recall(k *Key) (*cause.Verdict, time.Time, bool) {
	return t.questions.Recall(k, t.now())
}

// RecallCached returns the verdict on the question k for a failure that came
// from cache at the time now. It is not to be changed.
func (t *Table) RecallCached(k *Key, now time.Time) (*cause.Verdict, bool) {
	return t.questions.RecallCached(k, now)
}

// Succeeded forgets what is remembered of a question that resolves again, and
// notes the good answer on its incident. The DO and CD bits of k and
// the rcode are ignored: the name is what resolved.
func (t *Table) Succeeded(k *Key) {
	if t.questions.MayHave(k) {
		now := t.now()
		t.questions.Succeeded(k, now, func(incident uint64) { t.good(incident, now) })
	}
}

// Remember puts v on record for the question k without counting a failure: no
// client asked, for example in a refresh that cache does on its own. Later answers from
// cache count under zone.
func (t *Table) Remember(k *Key, v *cause.Verdict, zone string) {
	if k.Name == "" {
		return
	}
	rcode := dns.RcodeServerFailure
	if k.Refused {
		rcode = dns.RcodeRefused
	}
	id := IDOf(v, rcode, zone)
	t.questions.Note(k, v, id.hash(), t.now())
}
