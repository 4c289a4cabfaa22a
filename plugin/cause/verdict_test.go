package cause

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var found = time.Date(2026, 11, 20, 14, 2, 11, 0, time.UTC)

func said(e ev.Evidence, opts ...option.Option) *ev.Evidence {
	e.Options = opts
	return &e
}

func TestAStatementOfTheUpstreamNamesItsSourceOnce(t *testing.T) {
	for _, c := range []struct{ source, text, want string }{
		{"192.0.2.53", "bogus", "from 192.0.2.53: bogus"},
		{"192.0.2.53", "", "from 192.0.2.53"},
		{"", "bogus", "from upstream: bogus"},
		{"192.0.2.53", "from 198.51.100.1: bogus", "from 198.51.100.1: bogus"},
		{"192.0.2.53", "from upstream", "from upstream"},
		{"192.0.2.53", "from here on: all is lost", "from 192.0.2.53: from here on: all is lost"},
		{"192.0.2.53", "from the cache", "from 192.0.2.53: from the cache"},
	} {
		got := attributed(c.source, c.text)
		if got != c.want {
			t.Errorf("%q of %q is %q, want %q", c.text, c.source, got, c.want)
		}
		if again := attributed("203.0.113.1", got); again != got && !strings.HasPrefix(c.text, "from the") {
			t.Errorf("a second server in line says %q", again)
		}
	}
}

func TestTheCodeOfTheUpstreamDecidesWhoHasToAct(t *testing.T) {
	for _, tc := range []struct {
		codes []uint16
		want  Owner
	}{
		{[]uint16{7}, Nobody},
		{[]uint16{18, 6}, Upstream},
		{[]uint16{20, 6}, Us},
		{[]uint16{23, 6}, Nobody},
		{[]uint16{0, 22}, Nobody},
		{[]uint16{49152, 18}, Upstream},
		{[]uint16{49152}, Nobody},
		{[]uint16{4}, Nobody},
		{[]uint16{13, 7}, Nobody},
		{[]uint16{7, 13}, Nobody},
		{[]uint16{13}, Upstream},
		{[]uint16{13, 0}, Upstream},
	} {
		var opts []option.Option
		for _, code := range tc.codes {
			opts = append(opts, option.Option{Code: code})
		}
		v := Classify(said(answered("forward", servfail), opts...))
		if v.Owner != tc.want || !slices.Equal(v.Codes(), tc.codes) || v.Cause != upstreamEDE {
			t.Errorf("codes %v: %s, owner %s, codes %v; want owner %s", tc.codes, v.Cause.ID, v.Owner, v.Codes(), tc.want)
		}
	}
}

func TestTheTextOfAnAnswerNamesTheOtherUpstreamsThatAreDown(t *testing.T) {
	for _, rcode := range []int{servfail, refused} {
		e := answered("forward", rcode)
		e.Upstream = "192.0.2.53:53"
		e.Upstreams = []ev.Upstream{
			{Addr: "192.0.2.53:53", Asked: true, Fails: 1}, {Addr: "192.0.2.54:53"},
			{Addr: "192.0.2.55:53", Down: true, Fails: 5, Since: found}, {Addr: "192.0.2.56:53", Fails: 1},
		}
		v := Classify(&e)
		if want := "; 192.0.2.55:53 down since 14:02:11Z, 192.0.2.56:53 failed 1 health check"; !strings.HasSuffix(v.Text(), want) {
			t.Errorf("text %q, want ...%q", v.Text(), want)
		}
		if brief := v.Options(BriefWords, true, true)[0].Text; strings.Contains(brief, "192.0.2") {
			t.Errorf("brief text %q has an address", brief)
		}
		e.Upstreams = e.Upstreams[:2]
		if text := Classify(&e).Text(); strings.Contains(text, ";") {
			t.Errorf("text %q where nothing is known to be down", text)
		}
		for range 10 {
			e.Upstreams = append(e.Upstreams, ev.Upstream{Addr: "192.0.2.57:53", Down: true})
		}
		if text := Classify(&e).Text(); !strings.HasSuffix(text, "192.0.2.57:53 down, and 4 more") {
			t.Errorf("text %q", text)
		}
	}
}

func TestAdviceOnAReasonOfTheUpstreamDependsOnItsCode(t *testing.T) {
	for _, tc := range []struct {
		cause *Cause
		codes []uint16
		rcode int
		want  string
	}{
		{upstreamEDE, []uint16{7}, servfail, openAdvice[OfDNSSEC] + diagnoseHint},
		{upstreamEDE, []uint16{13, 7}, servfail, openAdvice[OfDNSSEC] + diagnoseHint},
		{upstreamEDE, []uint16{13}, servfail, traits[13].advice},
		{upstreamEDE, []uint16{14}, servfail, traits[14].advice},
		{upstreamEDE, []uint16{14}, refused, refusedNotReady.advice},
		{upstreamEDE, []uint16{0}, servfail, upstreamEDE.Advice},
		{upstreamEDE, nil, servfail, upstreamEDE.Advice},
		{upstreamEDE, []uint16{49152}, servfail, upstreamEDE.Advice},
		{upstreamTimeout, []uint16{23}, servfail, upstreamTimeout.Advice},
		{cnameTargetFailed, []uint16{23}, servfail, cnameTargetFailed.Advice},
	} {
		if got := tc.cause.AdviceOn(tc.codes, tc.rcode); got != tc.want {
			t.Errorf("%s with %s %d: %q, want %q", tc.cause.ID, rcodeName(tc.rcode), tc.codes, got, tc.want)
		}
	}
}

func TestTheTextOfTheLogHasAllThatTheUpstreamSaid(t *testing.T) {
	e := answered("forward", servfail)
	e.Upstream = "192.0.2.53:53"
	for _, tc := range []struct {
		said []option.Option
		want string
	}{
		{[]option.Option{{Code: 9}, {Code: 22}}, "from 192.0.2.53"},
		{[]option.Option{{Code: 9}, {Code: 22, Text: "at delegation example.org."}}, "from 192.0.2.53; 22: at delegation example.org."},
		{[]option.Option{{Code: 22, Text: "a"}, {Code: 23, Text: "b"}}, "from 192.0.2.53: a; 23: b"},
		{[]option.Option{{Code: 22}, {Code: 6, Text: "from 198.51.100.1: c"}}, "from 192.0.2.53; 6: from 198.51.100.1: c"},
	} {
		v := Classify(said(e, tc.said...))
		first, rest, more := strings.Cut(tc.want, "; ")
		cached := first + " (cached, found 14:02:11Z)"
		if more {
			cached += "; " + rest
		}
		if v.Text() != tc.want || v.FromMemory(found).Text() != cached {
			t.Errorf("%v: text %q, from cache %q; want %q", tc.said, v.Text(), v.FromMemory(found).Text(), tc.want)
		}
	}
}

func TestAVerdictThatAnswersManyQueriesIsWordedForEachClient(t *testing.T) {
	v := Classify(said(answered("forward", servfail), option.Option{Code: 7, Text: "expired"})).FromMemory(found)
	d := Diagnosed(v, "dnssec_dnskey_missing", []uint16{9}, "brief", "full", "example.org.")
	alias := v.WithTarget(d)
	for range 2 {
		for _, words := range []Words{NoWords, BriefWords, FullWords} {
			for _, keep := range []bool{true, false} {
				for name, v := range map[string]*Verdict{"remembered": v, "changed": alias} {
					got, want := v.Options(words, keep, false), v.options(words, keep)
					if !slices.Equal(got, want) {
						t.Errorf("%s, %s, keep %v: %v, want %v", name, words, keep, got, want)
					}
				}
			}
		}
	}
}

func TestAVerdictOfAnEarlierReplySaysSoInItsTrace(t *testing.T) {
	e := wroteSite("forward", servfail)
	v := Classify(&e)
	n := len(v.Trace())
	if again := v.Again(found); len(again.Trace()) != n+1 || len(v.Trace()) != n || !strings.Contains(again.Trace()[n], "14:02:11Z") {
		t.Errorf("trace %q", again.Trace())
	}
}

func TestADiagnosisTakesThePlaceOfAGenericCause(t *testing.T) {
	e := answered("forward", servfail)
	base := Classify(&e)
	if !base.Refinable() || base.Found() {
		t.Errorf("refinable %v, found %v", base.Refinable(), base.Found())
	}
	d := Diagnosed(base, "dnssec_signature_expired", []uint16{7, 6}, "RRSIG of example.org. expired", "RRSIG of example.org. A by key 12345 expired", "example.org.")
	if !d.Found() || d.Refinable() || !slices.Equal(d.Codes(), []uint16{7, 6}) || d.Upstream != base.Upstream || d.Owner != Zone {
		t.Errorf("%+v", d)
	}
	if plain := Diagnosed(base, "zone_at_fault", nil, "", "", ""); !slices.Equal(plain.Codes(), []uint16{0}) || plain.Statements[0].Brief != zoneAtFault.Brief {
		t.Errorf("%+v", plain)
	}

	f := d.For(base.FromMemory(found), found)
	if got := f.Codes(); !slices.Equal(got, []uint16{7, 6}) || !f.Cached || !strings.HasSuffix(f.Text(), " (cached, found 14:02:11Z)") {
		t.Errorf("codes %v, text %q", got, f.Text())
	}
	if fresh := d.For(base, found); !strings.HasSuffix(fresh.Text(), " (found 14:02:11Z)") || fresh.Options(BriefWords, true, true)[0].Text != "RRSIG of example.org. expired (found 14:02:11Z)" {
		t.Errorf("text %q", fresh.Text())
	}
	if strings.Contains(d.Text(), "found") {
		t.Error("the diagnosis itself was changed")
	}
	if got := d.For(base, found).Codes(); !slices.Equal(got, []uint16{7, 6}) {
		t.Errorf("codes %v", got)
	}
}

func TestWhatTheUpstreamSaidStaysWithADiagnosis(t *testing.T) {
	e := answered("forward", servfail)
	d := Diagnosed(Classify(&e), "dnssec_dnskey_missing", []uint16{9}, "a", "b", "example.org.")
	got := d.Keeping([]option.Option{{Code: 6}, {Code: 9}, {Code: 0, Text: "x"}, {Code: 13}})
	if !slices.Equal(got.Codes(), []uint16{9, 6}) || len(d.Statements) != 1 {
		t.Errorf("codes %v", got.Codes())
	}
}

func TestAnUpstreamThatWasAskedAgainIsNotAskedAThirdTime(t *testing.T) {
	e := answered("forward", servfail)
	v := Relayed(Classify(&e), []option.Option{{Code: 6, Text: "bogus"}})
	if v.Cause != upstreamEDE || !v.Found() || v.Refinable() || v.Statements[0].Full != "from 192.0.2.53: bogus" {
		t.Errorf("%+v", v)
	}
	for codes, want := range map[string]bool{"[6]": true, "[0]": true, "[5 13]": true, "[7]": true, "[6 22]": true, "[15]": false, "[6 18]": false} {
		var opts []option.Option
		for f := range strings.FieldsSeq(strings.Trim(codes, "[]")) {
			var n uint16
			_, _ = fmt.Sscan(f, &n)
			opts = append(opts, option.Option{Code: n})
		}
		if got := Classify(said(answered("forward", servfail), opts...)).Refinable(); got != want {
			t.Errorf("codes %s refinable: %v", codes, got)
		}
	}
}

func TestTheUpstreamsWordsAreLeftOutWhereTheyAreNotWanted(t *testing.T) {
	v := Classify(said(answered("forward", servfail), option.Option{Code: 6, Text: "bogus"}))
	opts := v.Options(FullWords, false, false)
	if len(opts) != 1 || opts[0].Code != 0 || opts[0].Text == "" || strings.Contains(opts[0].Text, "bogus") || opts[0].Source != option.Local {
		t.Errorf("%+v", opts)
	}
}

func TestOtherErrorAlwaysHasTextOfItsOwn(t *testing.T) {
	for _, s := range sites {
		v := Classify(&s.e)
		for _, words := range []Words{NoWords, BriefWords, FullWords} {
			for _, o := range v.Options(words, true, true) {
				if o.Code == 0 && o.Text == "" {
					t.Errorf("%s, %s: 0 without text", s.where, words)
				}
				if words == NoWords && o.Code != 0 && o.Text != "" && v.Cause != templateRcode && v.Cause != pluginEDE && v.Cause != rcodeChanged {
					t.Errorf("%s: text %q without words", s.where, o.Text)
				}
			}
		}
	}
}

// FuzzClassify turns octets into evidence and checks what has to hold for any.
func FuzzClassify(f *testing.F) {
	for _, s := range sites {
		f.Add(octetsOf(&s.e), "text")
	}
	f.Add([]byte{}, "")
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, "from \x1b[2J\u202e\xff")
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		e := evidenceOf(b, text)
		v := Classify(e)
		if v.Cause == nil || len(v.Statements) == 0 || len(v.Trace()) == 0 {
			t.Fatalf("%+v", v)
		}
		if again := Classify(e); again.Cause != v.Cause || !slices.Equal(again.Statements, v.Statements) {
			t.Errorf("%s, then %s", v.Cause.ID, again.Cause.ID)
		}
		for _, verdict := range []*Verdict{v, v.FromMemory(found)} {
			for _, words := range []Words{NoWords, BriefWords, FullWords} {
				for _, keep := range []bool{true, false} {
					opts, octets := verdict.Options(words, keep, keep), 0
					if len(opts) > option.MaxOptions || len(opts) == 0 && v.Cause != panicked {
						t.Errorf("%d options", len(opts))
					}
					for i, o := range opts {
						if option.Structured(o.Text) {
							continue
						}
						octets += len(o.Text)
						if o.Text != option.Sanitize(o.Text, option.MaxText) || strings.ContainsAny(o.Text, `"\`) {
							t.Errorf("text %q", o.Text)
						}
						if o.Code == cachedError && len(opts) > 1 {
							t.Errorf("13 stands next to %v", opts)
						}
						if verdict.Cached && i == 0 && words != NoWords && !(v.Cause.Policy && keep) && !saysCached(o.Text) {
							t.Errorf("nothing says that %q is cached", o.Text)
						}
						if words != FullWords && strings.Contains(o.Text, "203.0.113.") {
							t.Errorf("%s, %s tells an address: %q", v.Cause.ID, words, o.Text)
						}
					}
					if octets > option.MaxText {
						t.Errorf("%d octets of text", octets)
					}
				}
			}
		}
	})
}

var plugins = []string{"forward", "grpc", "cache", "file", "auto", "secondary", "transfer", "hosts", "template", "acl", "tsig",
	"dynupdate", "rewrite", "dns64", "siit", "autopath", "kubernetes", "etcd", "nomad", "erratic", "route53", "mystery", "fanout"}

// evidenceOf reads evidence of b: twelve octets for a run, the next twelve for
// the run inside it.
func evidenceOf(b []byte, text string) *ev.Evidence {
	const size = 12
	var o [size]byte
	n := copy(o[:], b)
	at := plugins[int(o[0])%len(plugins)]
	q := dns.Question{Name: "www.example.org.", Qtype: uint16(o[1]), Qclass: dns.ClassINET}
	has := func(i int, bit uint) bool { return o[i]>>bit&1 == 1 }
	e := &ev.Evidence{
		At: at, Path: []string{plugins[int(o[2])%len(plugins)], at}, Question: q, Asked: q,
		Rcode: servfail, Shape: ev.Shape(o[3] % uint8(ev.Panicked+1)), Opcode: int(o[4] % 6),
		Failure:  ev.Failure{Kind: ev.Kind(o[5] % uint8(ev.Other+1)), Err: errors.New("to 203.0.113.1: failed")},
		Returned: has(6, 0), CacheHit: has(6, 1), UpstreamAnswered: has(6, 2), Untried: has(6, 3), Loops: has(6, 4),
		Reply:    ev.Reply{Written: has(7, 0), Alias: has(7, 1), RecursionAvailable: has(7, 2), Truncated: has(7, 3)},
		Zone:     ev.Zone{Name: "example.org.", State: ev.ZoneState(o[8] % uint8(ev.ZoneLoaded+1))},
		Template: ev.Template(o[9] % 3),
		Panic:    "at 203.0.113.1",
		PanicAt:  "plugin/mystery mystery.go:1",
	}
	e.Reply.Received = has(7, 4)
	if has(7, 5) {
		e.Changed = ev.Changed{Plugin: "rewrite", From: int(o[9]) % 24, To: e.Rcode}
	}
	if has(6, 5) {
		e.Rcode = refused
	}
	if has(6, 6) {
		e.Upstream = "203.0.113.1:53"
	}
	for i := range int(o[10] % 9) {
		e.Upstreams = append(e.Upstreams, ev.Upstream{Addr: fmt.Sprintf("203.0.113.%d:53", i), Fails: uint32(i), Down: i%2 == 0})
	}
	for i := range int(o[11] % 6) {
		// As option.Read leaves it.
		e.Options = append(e.Options, option.Option{Code: uint16(o[11]) * uint16(i), Text: option.Sanitize(strings.ReplaceAll(text, "203.0.113.", ""), option.MaxText)})
	}
	if n == size && len(b) > size && len(b) < 20*size {
		e.Nested = evidenceOf(b[size:], text)
	}
	return e
}

// octetsOf is the opposite, as far as a seed needs it.
func octetsOf(e *ev.Evidence) []byte {
	bit := func(set bool, n uint) byte {
		if set {
			return 1 << n
		}
		return 0
	}
	at := byte(slices.Index(plugins, e.At) % len(plugins))
	b := []byte{
		at, byte(e.Question.Qtype), at, byte(e.Shape), byte(e.Opcode), byte(e.Failure.Kind),
		bit(e.Returned, 0) | bit(e.CacheHit, 1) | bit(e.UpstreamAnswered, 2) | bit(e.Untried, 3) | bit(e.Loops, 4) |
			bit(e.Rcode == refused, 5) | bit(e.Upstream != "", 6),
		bit(e.Reply.Written, 0) | bit(e.Reply.Alias, 1) | bit(e.Reply.RecursionAvailable, 2) | bit(e.Reply.Truncated, 3) |
			bit(e.Reply.Received, 4) | bit(e.Changed.Plugin != "", 5),
		byte(e.Zone.State), byte(e.Template) + byte(e.Changed.From), byte(len(e.Upstreams)), byte(len(e.Options)),
	}
	if e.Nested != nil {
		b = append(b, octetsOf(e.Nested)...)
	}
	return b
}

func BenchmarkClassify(b *testing.B) {
	e := errored("forward", servfail, ev.Timeout)
	e.Upstream, e.Upstreams = "192.0.2.53:53", []ev.Upstream{{Addr: "192.0.2.53:53", Asked: true}}
	b.ReportAllocs()
	for b.Loop() {
		Classify(&e)
	}
}
