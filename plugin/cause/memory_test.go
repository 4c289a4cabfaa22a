package cause

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func TestAFailureOutOfTheCacheHasItsCauseAlone(t *testing.T) {
	const cached = " (cached, found 14:02:11Z)"
	timedOut := errored("forward", servfail, ev.Timeout)
	timedOut.Upstream, timedOut.UpstreamElapsed = "192.0.2.53:53", 2*time.Second
	bare := answered("forward", servfail)
	for name, tc := range map[string]struct {
		e    *ev.Evidence
		want []option.Option
	}{
		"a cause of this server's": {&timedOut, []option.Option{{Code: 23, Text: "no reply from the upstream within 2.0 s" + cached}}},
		"no reason":                {&bare, []option.Option{{Code: 0, Text: "the upstream answered SERVFAIL without a reason" + cached}}},
		"the upstream's":           {said(bare, option.Option{Code: 7, Text: "expired"}), []option.Option{{Code: 7, Text: "from upstream: expired" + cached}}},
		"without words":            {said(bare, option.Option{Code: 7}), []option.Option{{Code: 7, Text: "from upstream" + cached}}},
		"two of them":              {said(bare, option.Option{Code: 22, Text: "a"}, option.Option{Code: 23, Text: "b"}), []option.Option{{Code: 22, Text: "from upstream: a" + cached}, {Code: 23, Text: "from upstream: b"}}},
		"one that says less first": {said(bare, option.Option{Code: 6, Text: "a"}, option.Option{Code: 7, Text: "b"}), []option.Option{{Code: 7, Text: "from upstream: b" + cached}}},
		"13 alone":                 {said(bare, option.Option{Code: 13, Text: "here"}), []option.Option{{Code: 13, Text: "from upstream: here" + cached}}},
		"a long reason":            {said(bare, option.Option{Code: 7, Text: strings.Repeat("x", 200)}), []option.Option{{Code: 7, Text: "from upstream: " + strings.Repeat("x", 200-15-len(cached)-3) + "…" + cached}}},
		"one from a server behind that said so itself": {said(bare, option.Option{Code: 7, Text: "from 192.0.2.9: x (cached, found 13:00:00Z)"}), []option.Option{{Code: 7, Text: "from 192.0.2.9: x (cached, found 13:00:00Z)"}}},
		"a structured one": {said(bare, option.Option{Code: 17, Text: `{"j":"x"}`}), []option.Option{{Code: 17, Text: `{"j":"x"}`}}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Classify(tc.e)
			before := slices.Clone(v.Statements)
			m := v.FromMemory(found)
			got := m.Options(BriefWords, true, true)
			for i := range got {
				if got[i].Source != option.Memory {
					t.Errorf("%d comes from %s", got[i].Code, got[i].Source)
				}
				got[i].Source = option.Local
			}
			if !slices.Equal(got, tc.want) || !m.Cached {
				t.Errorf("got %v, want %v; cached %v", got, tc.want, m.Cached)
			}
			if !slices.Equal(v.Statements, before) || v.Cached || v.Since != "" {
				t.Error("what is remembered was changed")
			}
			if again := m.FromMemory(found.Add(time.Hour)).Options(BriefWords, true, true); again[0].Text != tc.want[0].Text {
				t.Errorf("twice out of a cache: %v", again)
			}
			if full := m.Options(FullWords, true, false)[0].Text; len(m.Text()) < option.MaxText && m.Codes()[0] == tc.want[0].Code && !strings.HasPrefix(strings.ReplaceAll(m.Text(), `"`, "'"), strings.ReplaceAll(full, `"`, "'")) {
				t.Errorf("full text %q, in the log %q", full, m.Text())
			}
			for _, o := range m.Options(NoWords, true, true) {
				if o.Code != otherError && o.Text != "" {
					t.Errorf("without words: %v", o)
				}
			}
		})
	}
}

func TestA13AloneDoesNotTakeAwayWhatWasKnown(t *testing.T) {
	fails := answered("forward", servfail)
	elsewhere := fails
	elsewhere.Upstream = "198.51.100.53:53"
	v := func(e ev.Evidence, opts ...option.Option) *Verdict { return Classify(said(e, opts...)) }
	reason := v(fails, option.Option{Code: 22, Text: "no server of example.org"})
	timedOut := errored("forward", servfail, ev.Timeout)
	timedOut.Upstream = fails.Upstream
	only13 := v(fails, option.Option{Code: 13, Text: "Cached recursion failure"})
	for name, tc := range map[string]struct {
		now, known *Verdict
		stands     bool
	}{
		"13 alone":                       {only13, reason, true},
		"13 and a 0 that says nothing":   {v(fails, option.Option{Code: 13}, option.Option{}), reason, true},
		"as it is remembered":            {only13, Restored(*reason, reason.Marks()), true},
		"a finding of a diagnosis":       {only13, Diagnosed(Classify(&fails), "dnssec_signature_expired", []uint16{7}, "a", "b", "example.org."), true},
		"nothing known":                  {only13, nil, false},
		"13 known":                       {only13, v(fails, option.Option{Code: 13}), false},
		"another upstream's reason":      {only13, v(elsewhere, option.Option{Code: 22}), false},
		"no answer known":                {only13, Classify(&timedOut), false},
		"13 next to a reason":            {v(fails, option.Option{Code: 13}, option.Option{Code: 6}), reason, false},
		"13 with a 0 that says more":     {v(fails, option.Option{Code: 13}, option.Option{Code: 0, Text: "lame"}), reason, false},
		"a reason of another kind":       {v(fails, option.Option{Code: 18}), reason, false},
		"no reason":                      {Classify(&fails), reason, false},
		"out of this server's own cache": {Classify(&ev.Evidence{CacheHit: true, At: "cache", Rcode: servfail}), reason, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.now.Before(tc.known, found)
			if !tc.stands {
				if got != tc.now {
					t.Errorf("%s %v stands", got.Cause.ID, got.Codes())
				}
				return
			}
			opts := got.Options(BriefWords, true, true)
			if got.Cause != tc.known.Cause || len(opts) != 1 || opts[0].Code != tc.known.Codes()[0] || !strings.HasSuffix(opts[0].Text, " (cached by the upstream, found 14:02:11Z)") {
				t.Errorf("%s: %v", got.Cause.ID, opts)
			}
			if !got.Cached || got.Upstream != tc.now.Upstream || !strings.Contains(strings.Join(got.Trace(), "\n"), "had the failure in its cache") {
				t.Errorf("%+v", got)
			}
			if later := tc.now.Before(got, found.Add(time.Minute)); later.Since != got.Since && got.Cause == upstreamEDE {
				t.Errorf("the third time: %q", later.Since)
			}
			if tc.known.Since != "" {
				t.Error("what is remembered was changed")
			}
		})
	}
	if only13.Options(BriefWords, true, true)[0].Text != "from upstream: Cached recursion failure" {
		t.Error("13 alone has lost its text")
	}
}

func TestADiagnosisThatHears13KeepsTheReasonBefore(t *testing.T) {
	base := Classify(said(answered("forward", servfail), option.Option{Code: 6, Text: "bogus"}))
	if v := Relayed(base, []option.Option{{Code: 13}}); !slices.Equal(v.Codes(), []uint16{6}) || v.Refinable() {
		t.Errorf("codes %v, refinable %v", v.Codes(), v.Refinable())
	}
	bare := answered("forward", servfail)
	if v := Relayed(Classify(&bare), []option.Option{{Code: 13}}); !slices.Equal(v.Codes(), []uint16{13}) || v.Cause != upstreamEDE {
		t.Errorf("codes %v of %s", v.Codes(), v.Cause.ID)
	}
}

// What half of the clients show is the last option, or the first.
func TestWhatAddsNothingIsLeftOut(t *testing.T) {
	o := func(code uint16, text ...string) option.Option {
		return option.Option{Code: code, Text: strings.Join(text, "")}
	}
	for name, tc := range map[string]struct {
		said []option.Option
		want []uint16
	}{
		"one":                               {[]option.Option{o(6)}, []uint16{6}},
		"0 alone":                           {[]option.Option{o(0, "x")}, []uint16{0}},
		"0 without a text alone":            {[]option.Option{o(0)}, []uint16{0}},
		"0 next to a code":                  {[]option.Option{o(0, "x"), o(22)}, []uint16{22}},
		"0 without a text next to 13":       {[]option.Option{o(0), o(13)}, []uint16{13}},
		"13 next to a 0 with a text":        {[]option.Option{o(13), o(0, "x")}, []uint16{0}},
		"13 last":                           {[]option.Option{o(22, "x"), o(13, "cached")}, []uint16{22}},
		"13 first":                          {[]option.Option{o(13), o(18)}, []uint16{18}},
		"6 next to 7":                       {[]option.Option{o(6, "x"), o(7)}, []uint16{7}},
		"5 and 6 next to 9":                 {[]option.Option{o(9), o(5), o(6)}, []uint16{9}},
		"5 next to 6":                       {[]option.Option{o(5), o(6)}, []uint16{5, 6}},
		"6 next to 22":                      {[]option.Option{o(6), o(22)}, []uint16{6, 22}},
		"23 with words next to 22":          {[]option.Option{o(22, "at delegation"), o(23, "192.0.2.1:53 timed out")}, []uint16{22, 23}},
		"23 without words next to 22":       {[]option.Option{o(23), o(22, "at delegation")}, []uint16{22}},
		"23 without words next to a bogus":  {[]option.Option{o(23), o(6)}, []uint16{23, 6}},
		"two codes of policy":               {[]option.Option{o(17), o(15)}, []uint16{17, 15}},
		"a private code":                    {[]option.Option{o(49152), o(0, "x"), o(13)}, []uint16{49152}},
		"a code twice":                      {[]option.Option{o(7), o(7, "x")}, []uint16{7}},
		"three at most":                     {[]option.Option{o(7), o(9), o(10), o(12)}, []uint16{7, 9, 10}},
		"what adds nothing takes no place":  {[]option.Option{o(13), o(0), o(6), o(7), o(9), o(10)}, []uint16{7, 9, 10}},
		"a text that is only a source is 0": {[]option.Option{o(0, "from 192.0.2.1"), o(13)}, []uint16{13}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Classify(said(answered("forward", servfail), tc.said...))
			for _, words := range []Words{NoWords, BriefWords, FullWords} {
				if got := codesOf(v.Options(words, true, true)); !slices.Equal(got, tc.want) {
					t.Errorf("%s: %v, want %v", words, got, tc.want)
				}
			}
			if len(v.Codes()) != len(tc.said) {
				t.Errorf("the log has %v", v.Codes())
			}
			own := with(wroteSite("mystery", refused), func(e *ev.Evidence) { e.Options = tc.said })
			if got := codesOf(Classify(&own).Options(BriefWords, true, false)); !slices.Equal(got, tc.want) && name != "0 without a text next to 13" && !strings.HasPrefix(name, "a text that is only") {
				t.Errorf("of a plugin: %v, want %v", got, tc.want)
			}
		})
	}
	d := Diagnosed(Classify(&ev.Evidence{At: "forward", Rcode: servfail}), "clock_wrong", nil, "", "", "").Keeping([]option.Option{{Code: 7}})
	if got := codesOf(d.Options(BriefWords, true, true)); !slices.Equal(got, []uint16{0, 7}) {
		t.Errorf("an upstream's code takes the place of an own finding: %v", got)
	}
}

func TestTheWordsOfWhatIsLeftOutGoToWhatIsKept(t *testing.T) {
	for name, tc := range map[string]struct{ said, want []option.Option }{
		"6 to a bare 10":       {[]option.Option{{Code: 6, Text: "crypto failed"}, {Code: 10}}, []option.Option{{Code: 10, Text: "from upstream: crypto failed"}}},
		"0 to a bare 22":       {[]option.Option{{Code: 22}, {Code: 0, Text: "lame"}}, []option.Option{{Code: 22, Text: "from upstream: lame"}}},
		"to one with words":    {[]option.Option{{Code: 6, Text: "a"}, {Code: 10, Text: "b"}}, []option.Option{{Code: 10, Text: "from upstream: b"}}},
		"of 13":                {[]option.Option{{Code: 22}, {Code: 13, Text: "cached"}}, []option.Option{{Code: 22, Text: "from upstream"}}},
		"two, to one each":     {[]option.Option{{Code: 0, Text: "a"}, {Code: 6, Text: "b"}, {Code: 7}, {Code: 9}}, []option.Option{{Code: 7, Text: "from upstream: a"}, {Code: 9, Text: "from upstream: b"}}},
		"of a structured text": {[]option.Option{{Code: 0, Text: "{}"}, {Code: 22}}, []option.Option{{Code: 22, Text: "from upstream"}}},
	} {
		v := Classify(said(answered("forward", servfail), tc.said...))
		got := v.Options(BriefWords, true, true)
		for i := range got {
			got[i].Source = option.Local
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
		if again := v.Options(BriefWords, true, true); again[0].Text != tc.want[0].Text || v.Statements[0].Code != tc.said[0].Code {
			t.Errorf("%s: the verdict was changed", name)
		}
	}
}

func codesOf(opts []option.Option) (codes []uint16) {
	for _, o := range opts {
		codes = append(codes, o.Code)
	}
	return codes
}

func TestAStructuredReasonHasNoWordsBeforeIt(t *testing.T) {
	const object = `{"c":["mailto:noc@example.org"],"j":"a \"b\""}`
	v := Classify(said(answered("forward", refused), option.Option{Code: 17, Text: object}, option.Option{Code: 22, Text: `the "root"`}))
	for _, words := range []Words{BriefWords, FullWords} {
		if got := v.Options(words, true, true); got[0].Text != object || strings.ContainsAny(got[1].Text, `"\`) {
			t.Errorf("%s: %v", words, got)
		}
	}
	if got := v.Options(NoWords, true, true); got[0].Text != "" {
		t.Errorf("without words: %v", got)
	}
	if !strings.Contains(v.Text(), object) || !strings.Contains(v.Text(), `the "root"`) {
		t.Errorf("the log has %q", v.Text())
	}
}

func TestFullTextIsThatOfTheLog(t *testing.T) {
	acl := with(wroteSite("acl", refused), func(e *ev.Evidence) { e.Options = []option.Option{{Code: 15}} })
	worded := with(wroteSite("acl", refused), func(e *ev.Evidence) { e.Options = []option.Option{{Code: 15, Text: "by order"}} })
	failed := with(errored("mystery", servfail, ev.Other), func(e *ev.Evidence) { e.Failure.Err = errors.New(`bad "x"`) })
	for name, tc := range map[string]struct {
		e     *ev.Evidence
		brief string
	}{
		"acl": {&acl, ""}, "a plugin's own words": {&worded, "by order"}, "an error": {&failed, "SERVFAIL, cause not known"},
	} {
		v := Classify(tc.e)
		if got, want := v.Options(FullWords, true, true)[0].Text, strings.ReplaceAll(v.Text(), `"`, "'"); got != want || got == "" {
			t.Errorf("%s: %q, the log has %q", name, got, want)
		}
		if got := v.Options(BriefWords, true, true)[0].Text; got != tc.brief {
			t.Errorf("%s, brief: %q, want %q", name, got, tc.brief)
		}
	}
}
