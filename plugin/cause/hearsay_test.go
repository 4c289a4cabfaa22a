package cause

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func heard(codes ...uint16) *Verdict {
	e := answered("forward", servfail)
	e.Upstream = "192.0.2.53:53"
	var all []option.Option
	for _, c := range codes {
		all = append(all, option.Option{Code: c, Text: "so it is"})
	}
	return Classify(said(e, all...))
}

func TestTheWordOfAnUpstreamConvictsNobody(t *testing.T) {
	for code, kind := range map[uint16]Hearsay{
		1: OfDNSSEC, 2: OfDNSSEC, 5: OfDNSSEC, 6: OfDNSSEC, 7: OfDNSSEC, 8: OfDNSSEC, 9: OfDNSSEC, 10: OfDNSSEC, 11: OfDNSSEC, 12: OfDNSSEC,
		25: OfDNSSEC, 27: OfDNSSEC, 22: OfReach, 23: OfReach,
	} {
		v := heard(code)
		if v.Hearsay() != kind || v.Owner != Nobody || !strings.Contains(v.Advice, "dig @UPSTREAM") {
			t.Errorf("%d is of kind %d, owner %s, advice %q", code, v.Hearsay(), v.Owner, v.Advice)
		}
	}
	for code := range traits {
		if v := heard(code); v.Owner == Zone || v.Owner == Network {
			t.Errorf("%d convicts the %s", code, v.Owner)
		}
	}
	for _, code := range []uint16{0, 13, 14, 15, 18, 20} {
		if v := heard(code); v.Hearsay() != NoHearsay {
			t.Errorf("%d is hearsay of kind %d", code, v.Hearsay())
		}
	}
}

func TestWhoSaysTheSameOfAllSpeaksOfItself(t *testing.T) {
	for _, tc := range []struct {
		code  uint16
		of    Weight
		owner Owner
		brief string
	}{
		{22, Weight{Zones: 1, Alone: true}, Nobody, "from upstream: so it is"},
		{22, Weight{Zones: 2}, Nobody, "from upstream: so it is; it says the same about 2 unrelated zones"},
		{22, Weight{Zones: convincing - 1, Alone: true}, Nobody, "from upstream: so it is; it says the same about 4 unrelated zones"},
		{22, Weight{Zones: convincing, Alone: true}, Upstream, "from upstream: so it is; it says the same about 5 unrelated zones, and answers nothing else meanwhile"},
		{9, Weight{Zones: convincing, Alone: true}, Upstream, "from upstream: so it is; it says the same about 5 unrelated zones, and answers nothing else meanwhile"},
		{22, Weight{Top: ".", Alone: true}, Nobody, "from upstream: so it is"},
		{23, Weight{Zones: 9, Top: "org."}, Nobody, "from upstream: so it is; it says the same about 9 unrelated zones and about org."},
		{22, Weight{Zones: 3, Top: ".", Alone: true}, Upstream, "from upstream: so it is; it says the same about 3 unrelated zones and about the root, and answers nothing else meanwhile"},
		{23, Weight{Zones: 3, Top: "org.", Alone: true}, Upstream, "from upstream: so it is; it says the same about 3 unrelated zones and about org., and answers nothing else meanwhile"},
		{18, Weight{Zones: 9, Alone: true}, Upstream, "from upstream: so it is"},
	} {
		v := heard(tc.code)
		w := v.Weighed(tc.of)
		if w.Owner != tc.owner || w.Statements[0].Brief != tc.brief || strings.Contains(w.Statements[0].Brief, "192.0.2.53") {
			t.Errorf("%d, %+v: owner %s, %q", tc.code, tc.of, w.Owner, w.Statements[0].Brief)
		}
		if v.Statements[0].Brief != "from upstream: so it is" {
			t.Errorf("%d: the verdict itself was changed: %q", tc.code, v.Statements[0].Brief)
		}
		if again := w.Weighed(tc.of); again.Statements[0].Brief != tc.brief {
			t.Errorf("%d: said twice: %q", tc.code, again.Statements[0].Brief)
		}
		if open := tc.owner == Nobody; open != strings.Contains(w.Advice, "One query") {
			t.Errorf("%d, %+v: the advice is %q", tc.code, tc.of, w.Advice)
		}
	}
}

// What was weighed says so once, remembered or not.
func TestWhatIsRememberedIsNotWeighedAgain(t *testing.T) {
	v := heard(22).Weighed(Weight{Zones: convincing, Alone: true})
	if kept := Restored(*v, v.Marks()); kept.Hearsay() != NoHearsay || kept.Owner != Upstream {
		t.Errorf("hearsay %d, owner %s", kept.Hearsay(), kept.Owner)
	}
}

func TestAStructuredTextIsNotAddedTo(t *testing.T) {
	e := answered("forward", servfail)
	const structured = `{"j":"blocked"}`
	v := Classify(said(e, option.Option{Code: 22, Text: structured})).Weighed(Weight{Zones: convincing, Alone: true})
	if v.Statements[0].Brief != structured || v.Owner != Upstream {
		t.Errorf("%q, owner %s", v.Statements[0].Brief, v.Owner)
	}
}

// Once a diagnosis has cleared the upstream, its word is of the zone, in the words in
// which it said it last.
func TestAClearedUpstreamSpeaksOfTheZone(t *testing.T) {
	v := heard(22)
	cleared := Relayed(v, []option.Option{{Code: 22, Text: "earlier"}}).OfZone()
	if cleared.Owner != Zone || strings.Contains(cleared.Advice, "diagnose") {
		t.Errorf("owner %s, advice %q", cleared.Owner, cleared.Advice)
	}
	again := cleared.For(v, time.Unix(1764424800, 0))
	if again.Owner != Zone || again.Text() != v.Text() || again.Weighed(Weight{Zones: convincing, Alone: true}).Owner != Zone {
		t.Errorf("the next one has owner %s, %q", again.Owner, again.Text())
	}
	if other := cleared.For(heard(7), time.Unix(1764424800, 0)); other.Owner != Nobody || other.Code() != 7 {
		t.Errorf("another reason has owner %s, code %d", other.Owner, other.Code())
	}
}
