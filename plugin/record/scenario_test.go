package record

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// scenario is the evidence of one failure, as a golden writes it down: a line
// "key: value" for each fact, and "inner.key: value" for those of a lookup
// inside it, or, with found, of the failure that the cache still has. With
// "diagnosis: CAUSE" the failure has been diagnosed, and "codes", "brief",
// "full" and "of zone" are what was found.
type scenario struct {
	evidence evidence.Evidence
	found    time.Time

	diagnosis         string
	codes             []uint16
	brief, full, zone string
}

// diagnosed is the verdict of the diagnosis, before it is dated for an answer.
func (sc *scenario) diagnosed() *cause.Verdict {
	return cause.Diagnosed(cause.Classify(&sc.evidence), sc.diagnosis, sc.codes, sc.brief, sc.full, sc.zone)
}

func readScenario(t *testing.T, text string) *scenario {
	t.Helper()
	question := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	sc := &scenario{evidence: evidence.Evidence{
		Rcode: dns.RcodeServerFailure, Question: question, Asked: question, Elapsed: 12 * time.Millisecond,
	}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("%q is no fact", line)
		}
		e := &sc.evidence
		if inner, ok := strings.CutPrefix(key, "inner."); ok {
			if e.Nested == nil {
				e.Nested = &evidence.Evidence{Rcode: dns.RcodeServerFailure, Question: question, Asked: question}
			}
			key, e = inner, e.Nested
		}
		switch {
		case key == "diagnosis":
			sc.diagnosis = value
		case key == "codes":
			for code := range strings.SplitSeq(value, ", ") {
				n, err := strconv.ParseUint(code, 10, 16)
				if err != nil {
					t.Fatal(err)
				}
				sc.codes = append(sc.codes, uint16(n))
			}
		case key == "brief":
			sc.brief = value
		case key == "full":
			sc.full = value
		case key == "of zone":
			sc.zone = value
		case key == "found":
			at, err := time.Parse(time.TimeOnly, value)
			if err != nil {
				t.Fatal(err)
			}
			sc.found = at.AddDate(2026, 0, 0)
		case facts[key] == nil:
			t.Fatalf("%q is no kind of fact", key)
		default:
			facts[key](t, e, value)
		}
	}
	return sc
}

// facts tells how each kind of fact is read.
var facts = map[string]func(t *testing.T, e *evidence.Evidence, value string){
	"rcode":  func(t *testing.T, e *evidence.Evidence, s string) { e.Rcode = known(t, dns.StringToRcode, s) },
	"opcode": func(t *testing.T, e *evidence.Evidence, s string) { e.Opcode = known(t, dns.StringToOpcode, s) },
	"shape":  func(t *testing.T, e *evidence.Evidence, s string) { e.Shape = evidence.Shape(place(t, shapes, s)) },
	"question": func(t *testing.T, e *evidence.Evidence, s string) {
		e.Question, e.Asked = question(t, s), question(t, s)
	},
	"asked": func(t *testing.T, e *evidence.Evidence, s string) { e.Asked = question(t, s) },
	"path": func(_ *testing.T, e *evidence.Evidence, s string) {
		e.Path = strings.Split(s, ", ")
		e.At = e.Path[len(e.Path)-1]
	},
	"at": func(_ *testing.T, e *evidence.Evidence, s string) { e.At = s },
	"error": func(t *testing.T, e *evidence.Evidence, s string) {
		kind, text, _ := strings.Cut(s, " | ")
		e.Failure.Kind, e.Failure.Err = evidence.Kind(place(t, kinds, kind)), errors.New(text)
	},
	"detail":   func(_ *testing.T, e *evidence.Evidence, s string) { e.Failure.Detail = s },
	"panic":    func(_ *testing.T, e *evidence.Evidence, s string) { e.Panic = s },
	"panic at": func(_ *testing.T, e *evidence.Evidence, s string) { e.PanicAt = s },
	"changed": func(t *testing.T, e *evidence.Evidence, s string) {
		words := strings.Fields(s)
		if len(words) != 3 {
			t.Fatalf("%q is not PLUGIN FROM TO", s)
		}
		e.Changed = evidence.Changed{Plugin: words[0], From: known(t, dns.StringToRcode, words[1]), To: known(t, dns.StringToRcode, words[2])}
	},
	"upstream": func(_ *testing.T, e *evidence.Evidence, s string) { e.Upstream = s },
	"upstreams": func(_ *testing.T, e *evidence.Evidence, s string) {
		for one := range strings.SplitSeq(s, ", ") {
			addr, state, _ := strings.Cut(one, " ")
			u := evidence.Upstream{Addr: addr, Asked: state == "asked", Down: state == "down"}
			if u.Down {
				u.Fails = 3
				u.Since = time.Date(2026, 1, 1, 14, 2, 11, 0, time.UTC)
			}
			e.Upstreams = append(e.Upstreams, u)
		}
	},
	"elapsed": func(t *testing.T, e *evidence.Evidence, s string) {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		e.UpstreamElapsed, e.Elapsed = d, d
	},
	"options": func(t *testing.T, e *evidence.Evidence, s string) {
		for one := range strings.SplitSeq(s, " | ") {
			code, text, _ := strings.Cut(one, " ")
			n, err := strconv.ParseUint(code, 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			e.Options = append(e.Options, option.Option{Code: uint16(n), Text: text})
		}
	},
	"reply": func(_ *testing.T, e *evidence.Evidence, s string) {
		has := func(word string) bool { return slices.Contains(strings.Fields(s), word) }
		e.Reply = evidence.Reply{
			Written: true, Authoritative: has("aa"), RecursionAvailable: has("ra"), Truncated: has("tc"), Alias: has("alias"),
			Signed: has("tsig"), Received: has("received"),
		}
	},
	"zone": func(t *testing.T, e *evidence.Evidence, s string) {
		name, state, ok := strings.Cut(s, " ")
		if !ok {
			name, state = "", s
		}
		e.Zone = evidence.Zone{Name: name, State: evidence.ZoneState(place(t, zoneStates, state))}
	},
	"overheard": func(t *testing.T, e *evidence.Evidence, s string) {
		lasted, text, _ := strings.Cut(s, " | ")
		reason, ago, ok := strings.Cut(lasted, " for ")
		d, err := time.ParseDuration(ago)
		if !ok || err != nil {
			t.Fatalf("%q is not REASON for DURATION | TEXT", s)
		}
		e.Overheard = evidence.Overheard{
			Reason: evidence.Reason(place(t, reasons, reason)), Text: text,
			Last: time.Date(2026, 1, 1, 14, 2, 11, 0, time.UTC), Lasted: d,
		}
	},
	"template": func(t *testing.T, e *evidence.Evidence, s string) {
		e.Template = evidence.Template(place(t, []string{"unknown", "no match", "rcode"}, s))
	},
	"is": func(t *testing.T, e *evidence.Evidence, s string) {
		for word := range strings.SplitSeq(s, ", ") {
			switch word {
			case "returned":
				e.Returned = true
			case "answered":
				e.UpstreamAnswered = true
			case "untried":
				e.Untried = true
			case "without EDNS":
				e.NoEDNS = true
			case "loops":
				e.Loops = true
			case "not yet valid":
				e.Failure.NotYetValid = true
			case "cache hit":
				e.CacheHit = true
			default:
				t.Fatalf("%q is nothing that evidence is", word)
			}
		}
	},
}

var (
	shapes     = spelled(evidence.Panicked, evidence.Shape.String)
	kinds      = spelled(evidence.Other, evidence.Kind.String)
	reasons    = spelled(evidence.Unreadable, evidence.Reason.String)
	zoneStates = spelled(evidence.ZoneLoaded, evidence.ZoneState.String)
)

func spelled[T ~uint8](last T, name func(T) string) (names []string) {
	for v := T(0); v <= last; v++ {
		names = append(names, name(v))
	}
	return names
}

func place(t *testing.T, names []string, s string) int {
	t.Helper()
	i := slices.Index(names, s)
	if i < 0 {
		t.Fatalf("%q is none of %q", s, names)
	}
	return i
}

func known(t *testing.T, numbers map[string]int, s string) int {
	t.Helper()
	n, ok := numbers[s]
	if !ok {
		t.Fatalf("%q is not known", s)
	}
	return n
}

func question(t *testing.T, s string) dns.Question {
	t.Helper()
	name, qtype, _ := strings.Cut(s, " ")
	n, ok := dns.StringToType[qtype]
	if !ok {
		t.Fatalf("%q is no type", qtype)
	}
	return dns.Question{Name: name, Qtype: n, Qclass: dns.ClassINET}
}
