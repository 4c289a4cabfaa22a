package memory

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const anyName = "www.example.org."

func TestAVerdictIsSharedOnceASecondQuestionHasIt(t *testing.T) {
	s := newVerdicts(manyEntries)
	if r := s.keep(timeout(), anyName, 0); r&own == 0 {
		t.Error("one that was seen once takes a place")
	}
	second := s.keep(timeout(), anyName, 0)
	if third := s.keep(timeout(), anyName, 0); second&own != 0 || third != second || s.load(second, anyName) != s.load(third, anyName) {
		t.Errorf("%x and %x", second, third)
	}
	if !s.says(second, timeout(), anyName) || s.says(second, said("x"), anyName) {
		t.Error("a shared verdict is not compared")
	}
}

func TestReasonsThatAStrangerMakesUpTakeNoPlaceAndDriveNoneOut(t *testing.T) {
	s := newVerdicts(manyEntries)
	s.keep(timeout(), anyName, 0)
	before := s.keep(timeout(), anyName, 0)
	for i := range 20 * maxShared {
		s.keep(said(fmt.Sprint("reason ", i)), anyName, 0)
	}
	if len(s.shared) != 1 {
		t.Errorf("%d places are taken", len(s.shared))
	}
	// Who asks twice gets places, and no more than there are.
	var last ref
	for i := range 3 * maxShared {
		s.keep(said(fmt.Sprint("reason ", i)), anyName, time.Minute)
		last = s.keep(said(fmt.Sprint("reason ", i)), anyName, time.Minute)
	}
	if len(s.shared) != maxShared || len(s.places) != maxShared || last&own == 0 {
		t.Errorf("%d places, %d known, the last at %x", len(s.shared), len(s.places), last)
	}
	if after := s.keep(timeout(), anyName, time.Minute); after != before || !s.says(after, timeout(), anyName) {
		t.Errorf("what many share was driven out: %x, before %x", after, before)
	}
	if v := s.load(last, anyName); v == nil || !alike(v, said(fmt.Sprint("reason ", 3*maxShared-1))) {
		t.Errorf("%+v", v)
	}
	// A place that nobody has used for longer than an entry lives is free.
	now := time.Minute + unusedFor + 1
	s.keep(said("later"), anyName, now)
	if r := s.keep(said("later"), anyName, now); r&own != 0 || len(s.shared) != maxShared || len(s.places) != maxShared || !alike(s.load(r, anyName), said("later")) {
		t.Errorf("%x, %d places, %d known", r, len(s.shared), len(s.places))
	}
}

// forAll is a verdict as many failures are given it.
func forAll(t testing.TB, upstream string) *cause.Verdict {
	v := cause.NewClassifier().Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Path: []string{"forward"}, Upstream: upstream,
		Failure:   evidence.Failure{Kind: evidence.ConnRefused, Err: syscall.ECONNREFUSED},
		Upstreams: []evidence.Upstream{{Addr: upstream, Asked: true}},
	})
	if !v.Shared() {
		t.Fatalf("%s is given to one failure alone", v.Cause.ID)
	}
	return v
}

func TestAVerdictThatIsKnownBySightIsHeldAsItIs(t *testing.T) {
	s := newVerdicts(manyEntries)
	var all []*cause.Verdict
	for i := range 3 * maxGiven {
		all = append(all, forAll(t, fmt.Sprintf("192.0.2.%d:53", i)))
	}
	for round := range 4 {
		for i, v := range all {
			r := s.keep(v, fmt.Sprintf("n%d.example.org.", round), time.Duration(round))
			if held := s.load(r, anyName); held == nil || !alike(held, v) {
				t.Fatalf("round %d, verdict %d: %+v", round, i, held)
			}
		}
	}
	if len(s.shared) < len(all)/2 || len(s.shared) > len(all) {
		t.Errorf("%d verdicts are held %d times", len(all), len(s.shared))
	}
	// One that is given by sight is in use, and one that has lost its place is not given there.
	now := unusedFor + time.Second
	var used ref
	for _, v := range all {
		if used = s.keep(v, anyName, now); used&own == 0 {
			break // by chance another one may have kept the first from being shared
		}
	}
	inUse := s.load(used, anyName)
	for i := range 2 * maxShared {
		for range 2 {
			s.keep(said(fmt.Sprint("reason ", i)), anyName, now)
		}
	}
	for i, v := range all {
		for range 3 {
			if held := s.load(s.keep(v, anyName, now), anyName); held == nil || !alike(held, v) {
				t.Errorf("verdict %d after others took the places: %+v", i, held)
			}
		}
	}
	if used&own != 0 || s.load(used, anyName) != inUse {
		t.Error("a verdict in use was driven out")
	}
}

func TestOwnTextsMakeRoomTheOldestFirst(t *testing.T) {
	s := newVerdicts(1) // two chunks
	var refs []ref
	text := func(i int) string { return fmt.Sprintf("reason %d", i) }
	for i := range 5000 {
		refs = append(refs, s.keep(said(text(i)), anyName, 0))
	}
	held := 0
	for i, r := range refs {
		v := s.load(r, anyName)
		switch {
		case v == nil && held > 0:
			t.Fatalf("%d is gone, an older one is held", i)
		case v == nil:
			if s.says(r, said(text(i)), anyName) {
				t.Errorf("%d is gone and says something", i)
			}
		case !alike(v, said(text(i))) || !s.says(r, said(text(i)), anyName) || s.says(r, said("x"), anyName):
			t.Fatalf("%d: %+v", i, v)
		default:
			held++
		}
	}
	if held == 0 || held == len(refs) || len(s.texts.chunks) != 2 {
		t.Errorf("%d of %d are held in %d chunks", held, len(refs), len(s.texts.chunks))
	}
}

func TestAQuestionWhoseTextMadeRoomIsForgotten(t *testing.T) {
	w := newWatch()
	m := New(1, w.now())
	k := key("www.example.org.")
	m.Note(k, said("first"), 1, w.now())
	for i := range 5000 {
		m.verdicts.keep(said(fmt.Sprint("reason ", i)), anyName, 0)
	}
	if _, _, ok := m.Recall(k, w.now()); ok {
		t.Error("recalled")
	}
	if v, _ := m.RecallCached(k, w.now()); v != nil {
		t.Error("recalled for a failure from cache")
	}
	m.Note(k, said("first"), 1, w.now())
	if v, _, ok := m.Recall(k, w.now()); !ok || !alike(v, said("first")) {
		t.Error("the next failure is not remembered")
	}
}

func TestAVerdictIsPackedWithinItsBoundOrNotAtAll(t *testing.T) {
	long := make([]byte, 3*maxPacked)
	for i := range long {
		long[i] = 'x'
	}
	v := timeout()
	v.Own = string(long)
	if packed, ok := pack(nil, v, anyName); ok || len(packed) > 0 {
		t.Errorf("%d octets", len(packed))
	}
	v = said("short")
	v.Statements = append(v.Statements, cause.Statement{Code: 1, Brief: string(long), Full: string(long)})
	packed, ok := pack(nil, v, anyName)
	if !ok || len(packed) > maxPacked || len(unpack(packed, anyName).Statements) != 2 {
		t.Errorf("%d octets, %v", len(packed), ok)
	}
	w := newWatch()
	m := New(1, w.now())
	v.Own = string(long)
	if m.Note(key("www.example.org."), v, 1, w.now()); m.Len() != 0 {
		t.Error("remembered without a verdict")
	}
}

func TestReasonsThatDifferInTheNameOfTheQuestionAloneAreHeldOnce(t *testing.T) {
	for name, text := range map[string]func(name string) string{
		"once":              func(name string) string { return "validation failure <" + name + " A IN>: no signature" },
		"twice":             func(name string) string { return name + " is a CNAME of " + name },
		"in a longer name":  func(name string) string { return "no answer for _443._tcp." + name },
		"in a JSON object":  func(name string) string { return `{"j":"blocked ` + name + `"}` },
		"at its end":        func(name string) string { return "cannot resolve " + name },
		"and its zone's":    func(name string) string { return "no key of org. signs " + name },
		"nothing but names": func(name string) string { return name },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch()
			m := New(manyEntries, w.now())
			names := []string{"www.example.org.", "a.", "org.", "x-1.example.org.", "example.net.", "ww.", "www.www.example.org."}
			for _, name := range names {
				m.Note(key(name), said(text(name)), 1, w.now())
			}
			if n := len(m.verdicts.shared); n > 2 {
				t.Errorf("%d places are taken", n)
			}
			for _, name := range names {
				want := said(text(name))
				if got, _, ok := m.Recall(key(name), w.now()); !ok || !alike(got, want) {
					t.Errorf("%s: %+v, want %+v", name, got, want)
				}
				for range 2 {
					if got, _ := m.RecallCached(key(name), w.now()); got == nil || got.Text() != want.FromMemory(w.now()).Text() {
						t.Errorf("%s from cache: %q, want %q", name, got.Text(), want.FromMemory(w.now()).Text())
					}
				}
			}
			// The same again says nothing new, and other words do.
			w.pass(renewAfter / 2)
			k := key("www.example.org.")
			m.Note(k, said(text(k.Name)), 1, w.now())
			if _, found, _ := m.Recall(k, w.now()); found.Equal(w.now()) {
				t.Error("noted anew although nothing in it changes")
			}
			m.Note(k, said(text("ftp.example.org.")), 1, w.now())
			if got, found, _ := m.Recall(k, w.now()); !found.Equal(w.now()) || !alike(got, said(text("ftp.example.org."))) {
				t.Errorf("%+v, found %v", got, found)
			}
		})
	}
}

// No text of a stranger's has such an octet; one that does is kept as it is.
func TestATextWithTheMarkOfANameIsKeptAsItIs(t *testing.T) {
	v := timeout()
	v.Statements = []cause.Statement{{Code: 22, Brief: "a\x00b", Full: anyName + " a\x00b"}}
	packed, ok := pack(nil, v, anyName)
	if !ok || isNamed(packed) || !alike(unpack(packed, anyName), v) {
		t.Errorf("%+v", unpack(packed, anyName))
	}
}

func FuzzPack(f *testing.F) {
	f.Add("www.example.org.", "hosts has no www.example.org. A", "no www.example.org. A", "org.")
	f.Add("a.", "a.a.\x00", "a", "")
	f.Add("", "x", "yx", ".")
	f.Fuzz(func(t *testing.T, name, full, brief, zone string) {
		v := timeout()
		v.Own, v.Zone = full, zone
		v.Statements = []cause.Statement{{Code: 22, Brief: brief, Full: full}, {Code: 23, Brief: zone, Full: brief}}
		if packed, ok := pack(nil, v, name); ok && len(unpack(packed, name).Statements) == 2 && !alike(unpack(packed, name), v) {
			t.Errorf("%+v, want %+v", unpack(packed, name), v)
		}
	})
}

// The same words of another upstream are another verdict: a failure from cache names the
// upstream that failed last.
func TestAFailureFromCacheNamesTheLastUpstream(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	failed := func(upstream string) *cause.Verdict {
		return cause.Classify(&evidence.Evidence{
			Rcode: dns.RcodeServerFailure, At: "forward", Shape: evidence.Written, Path: []string{"cache", "forward"}, Upstream: upstream,
			Options: []option.Option{{Code: 22, Text: "at the delegation"}}, Upstreams: []evidence.Upstream{{Addr: upstream, Asked: true}},
		})
	}
	for i := range 3 { // so that it is shared
		m.Note(key(fmt.Sprintf("n%d.example.org.", i)), failed("192.0.2.1:53"), 1, w.now())
	}
	k := key("www.example.org.")
	for id, upstream := range []string{"192.0.2.1:53", "192.0.2.2:53", "192.0.2.1:53"} {
		m.Note(k, failed(upstream), uint64(id), w.now())
		if v, _ := m.RecallCached(k, w.now()); v == nil || v.Upstream != upstream {
			t.Errorf("after a failure of %s: %+v", upstream, v)
		}
	}
}
