package incident

import (
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const (
	// maxRecent is how many single failures are kept.
	maxRecent = 200
	// maxTrace is how many lines of evidence are kept of one.
	maxTrace = 24
	// maxName, maxText and maxWord bound its strings, in octets.
	maxName = 255
	maxText = 512
	maxWord = 128
)

// Recent is one failure as it is shown. All of its strings are one line of
// harmless text, and bounded.
type Recent struct {
	Time                     time.Time
	Rcode                    string
	Name, Type               string
	Asked                    string // if it differs from what the client asked
	Cause                    string
	Codes                    []uint16
	Lasts, Owner             string
	At, Upstream, Zone       string
	Client, Server, Protocol string
	Namespace, Pod           string // the client's
	Duration                 time.Duration
	Cached                   bool
	Text, Error, Advice      string
	Trace                    []string
}

// recent is a ring of what failed last, within the time that the history goes back. It keeps
// references; what is shown is made when somebody looks.
type recent struct {
	ring [maxRecent]failed
	// first and next are the numbers of the oldest failure in it and of the next one.
	first, next int
}

type failed struct {
	at time.Time
	d  Detail
}

func (r *recent) add(now time.Time, d *Detail) {
	at := &r.ring[r.next%maxRecent]
	*at = failed{now, *d}
	// A list of upstreams would be kept for as long as the entry.
	at.d.Upstreams = nil
	r.next++
	r.first = max(r.first, r.next-maxRecent)
	r.expire(now)
}

// expire forgets failures that are too old: a client's address is kept no longer than it
// has to be.
func (r *recent) expire(now time.Time) {
	for ; r.first < r.next; r.first++ {
		f := &r.ring[r.first%maxRecent]
		if now.Sub(f.at) < kept {
			return
		}
		*f = failed{}
	}
}

// explain gives the latest failure of the question a verdict that came later, with what
// led to it.
func (r *recent) explain(block uint64, asked dns.Question, v *cause.Verdict) {
	for i := r.next - 1; i >= r.first; i-- {
		f := &r.ring[i%maxRecent]
		if f.d.Block == block && f.d.Asked == asked && f.d.Verdict.Upstream == v.Upstream && f.d.Verdict.WithoutReason() {
			d := f.d
			d.Verdict = v.WithTrace(append(f.d.Verdict.Trace(), v.Trace()...))
			d.bound()
			f.d = d
			return
		}
	}
}

// raw returns what is kept, the latest first.
func (r *recent) raw(now time.Time) []failed {
	r.expire(now)
	all := make([]failed, 0, r.next-r.first)
	for i := r.next - 1; i >= r.first; i-- {
		all = append(all, r.ring[i%maxRecent])
	}
	return all
}

// bound leaves no string in d that is longer than is kept of it: what was received
// may be long, and a part of it would hold the whole in memory.
func (d *Detail) bound() {
	d.Question.Name = clip(d.Question.Name, maxName)
	d.Asked.Name = clip(d.Asked.Name, maxName)
	d.Error = clip(d.Error, maxText)
	d.Group = clip(d.Group, maxName)
	d.Client, d.Server, d.Protocol = clip(d.Client, maxWord), clip(d.Server, maxWord), clip(d.Protocol, maxWord)
	d.Namespace, d.Pod = clip(d.Namespace, maxWord), clip(d.Pod, maxName)
	trace := d.Verdict.Trace()
	trace = trace[:min(len(trace), maxTrace)]
	kept := make([]string, len(trace))
	for i, fact := range trace {
		kept[i] = clip(fact, maxText)
	}
	v := d.Verdict.WithTrace(kept)
	d.Verdict = v
	if !long(v) {
		return
	}
	v.At, v.Upstream, v.Zone = clip(v.At, maxWord), clip(v.Upstream, maxWord), clip(v.Zone, maxName)
	v.Own, v.Advice = clip(v.Own, maxText), clip(v.Advice, maxText)
	statements := v.Statements[:min(len(v.Statements), option.MaxOptions)]
	v.Statements = nil
	for _, s := range statements {
		s.Brief, s.Full = clip(s.Brief, maxText), clip(s.Full, maxText)
		v.Statements = append(v.Statements, s)
	}
}

// long reports whether a part of v other than its trace exceeds what is kept of
// it.
func long(v *cause.Verdict) bool {
	if len(v.Statements) > option.MaxOptions || len(v.Own) > maxText || len(v.Advice) > maxText ||
		len(v.At) > maxWord || len(v.Upstream) > maxWord || len(v.Zone) > maxName {
		return true
	}
	for _, s := range v.Statements {
		if len(s.Brief) > maxText || len(s.Full) > maxText {
			return true
		}
	}
	return false
}

// clip returns the first octets of s, in memory of their own.
func clip(s string, octets int) string {
	if len(s) <= octets {
		return s
	}
	return strings.Clone(s[:octets])
}

// shown makes what is shown of k.
func (k *failed) shown() Recent {
	v := k.d.Verdict
	r := Recent{
		Time:      k.at,
		Rcode:     dns.RcodeToString[k.d.Rcode],
		Name:      option.Sanitize(k.d.Question.Name, maxName),
		Type:      dns.Type(k.d.Question.Qtype).String(),
		Cause:     v.Cause.ID,
		Codes:     v.Codes(),
		Lasts:     string(v.Lasts),
		Owner:     string(v.Owner),
		At:        option.Sanitize(v.At, maxWord),
		Upstream:  option.Sanitize(v.Upstream, maxWord),
		Zone:      option.Sanitize(k.d.Group, maxName),
		Client:    option.Sanitize(k.d.Client, maxWord),
		Namespace: option.Sanitize(k.d.Namespace, maxWord),
		Pod:       option.Sanitize(k.d.Pod, maxName),
		Server:    option.Sanitize(k.d.Server, maxWord),
		Protocol:  option.Sanitize(k.d.Protocol, maxWord),
		Duration:  k.d.Duration,
		Cached:    v.Cached,
		Text:      option.Sanitize(v.Text(), maxText),
		Error:     option.Sanitize(k.d.Error, maxText),
		Advice:    option.Sanitize(v.Advice, maxText),
	}
	if k.d.Asked != k.d.Question && k.d.Asked.Name != "" {
		r.Asked = option.Sanitize(k.d.Asked.Name, maxName) + " " + dns.Type(k.d.Asked.Qtype).String()
	}
	for _, fact := range v.Trace() {
		r.Trace = append(r.Trace, option.Sanitize(fact, maxText))
	}
	return r
}
