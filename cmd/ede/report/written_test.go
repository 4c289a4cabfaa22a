//go:build !coredns1.14

package report

import (
	"bytes"
	golog "log"
	"net/netip"
	"strings"
	"testing"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

var wwwQuestion = dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}

// written is what the plugin's own log makes of what write puts into it.
func written(t *testing.T, format string, write func(*record.Log)) string {
	t.Helper()
	var b bytes.Buffer
	before, flags := golog.Writer(), golog.Flags()
	if err := clog.Configure(format, &b); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = clog.Configure("text", before)
		golog.SetFlags(flags)
	}()
	l := record.NewLog(record.Options{}, incident.New(16, time.Now), time.Now)
	l.Start()
	write(l)
	l.Stop()
	return b.String()
}

// failureThenReason writes a failure that the upstream gave no reason for, and the reason
// that it gave when it was asked again.
func failureThenReason(t *testing.T) func(*record.Log) {
	t.Helper()
	v := cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, Question: wwwQuestion, Asked: wwwQuestion, At: "forward", Path: []string{"forward"},
		Upstream: "192.0.2.53:53", UpstreamAnswered: true, Reply: evidence.Reply{Written: true, RecursionAvailable: true, Received: true},
	})
	heard, ok := cause.Heard(v, []option.Option{{Code: dns.ExtendedErrorCodeDNSKEYMissing, Text: `no "key"`}}, "192.0.2.53:53", time.Now())
	if !v.WithoutReason() || !ok {
		t.Fatalf("the failure is %s, and the reason is one: %v", v.Cause.ID, ok)
	}
	return func(l *record.Log) {
		l.Write(&record.Failure{Time: time.Now(), Verdict: v, Rcode: dns.RcodeServerFailure, Question: wwwQuestion, Asked: wwwQuestion, Sent: record.SentYes})
		l.Reason(record.Reason{Verdict: heard, Zone: "example.org.", Question: wwwQuestion, Duration: time.Millisecond})
	}
}

func answers(l *record.Log) {
	for _, a := range []record.Answer{
		{Question: wwwQuestion, Codes: []uint16{3}, Server: "dns://:53", Client: netip.MustParseAddrPort("198.51.100.7:40112"), Text: `from 192.0.2.53: "stale"`},
		{Question: wwwQuestion, Codes: []uint16{18, 15}, Pod: record.Pod{Namespace: "shop", Name: "cart-1"}},
		{Question: dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET}, Codes: []uint16{49152}, Text: "rcode=SERVFAIL cause=x count=9"},
		{Question: dns.Question{Name: `a\ plugin/ede:\ b.example.`, Qtype: 65399, Qclass: dns.ClassINET}, Codes: []uint16{4}, Text: "\x1b[2J"},
	} {
		l.Answer(a)
	}
}

func TestAnAnswerWithAReasonIsReadAndIsNoFailure(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		log := written(t, format, answers)
		r := sumUp(t, Filter{}, wwwLine, strings.TrimSpace(log))
		if r.Failures != 1 || r.Log.Answers != 4 || r.Log.Notices != 0 || r.Log.Ours != 5 || len(r.Causes) != 1 || len(r.Findings) != 0 || r.Clients.Items[0].Count != 1 {
			t.Errorf("%s: %d failures, log %+v of\n%s", format, r.Failures, r.Log, log)
		}
		if r := sumUp(t, Filter{Zones: []string{"example.org."}}, strings.TrimSpace(log)); r.Failures != 0 || r.Log.Filtered != (figures.Filtered{}) {
			t.Errorf("%s: %d failures, %+v left out", format, r.Failures, r.Log.Filtered)
		}
		first, _, _ := strings.Cut(log, "\n")
		var rec logline.Record
		if ours, err := new(logline.Parser).Parse([]byte(first), &rec); !ours || err != nil || rec.Kind != logline.Answer || rec.Count != 0 ||
			string(rec.Get(logline.QName)) != "www.example.org." || string(rec.Get(logline.Text)) != `from 192.0.2.53: "stale"` || string(rec.Get(logline.EDE)) != "3" {
			t.Errorf("%s: ours %v, %v: %+v of %s", format, ours, err, rec, first)
		}
	}
}

func TestAReasonHeardLaterIsReadLikeADiagnosis(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		log := written(t, format, failureThenReason(t))
		r := sumUp(t, Filter{}, strings.TrimSpace(log))
		if r.Failures != 1 || r.Log.Ours != 2 || r.Log.Notices != 0 || len(r.Causes) != 1 || len(r.Findings) != 1 {
			t.Fatalf("%s: %d failures, causes %+v, log %+v of\n%s", format, r.Failures, r.Causes, r.Log, log)
		}
		if f := r.Findings[0]; f.Cause != "upstream_ede" || f.Zone != "example.org." || f.Times != 1 || !strings.Contains(f.Text, `no 'key'`) && !strings.Contains(f.Text, `no "key"`) {
			t.Errorf("%s: found %+v", format, f)
		}
	}
}

// Neither is shown to who follows the log for failures, but the reason, which explains one.
func TestAFollowedLogShowsReasonsAndNoAnswers(t *testing.T) {
	log := written(t, "text", func(l *record.Log) { answers(l); failureThenReason(t)(l) })
	var kinds []string
	ta := newTally(Filter{})
	for line := range strings.Lines(log) {
		var rec logline.Record
		if ours, err := new(logline.Parser).Parse([]byte(strings.TrimSpace(line)), &rec); !ours || err != nil {
			t.Fatalf("%s: %v, %v", line, ours, err)
		}
		if _, shown := ta.admit(&rec); shown {
			kinds = append(kinds, rec.Kind.String())
		}
	}
	if got := strings.Join(kinds, " "); got != "query diagnosis" && got != "diagnosis query" {
		t.Errorf("shown are %s of\n%s", got, log)
	}
}
