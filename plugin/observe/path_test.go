package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

func asksFor(name string) *fake {
	return &fake{name: "asking_" + name, serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		r = r.Copy()
		r.Question[0].Name = name
		return f.pass(ctx, w, r)
	}}
}

func TestTheTrailNamesThePathTheInnermostFailureAndItsQuestion(t *testing.T) {
	failing := leaving(dns.RcodeServerFailure, errBackend)
	e, _ := under(fakes(underWay("one"), asksFor("www.example.net."), underWay("three"), failing)).fails(t, ask("www.example.org.", dns.TypeA))
	if want := []string{"one", "asking_www.example.net.", "three", "leaver"}; !slices.Equal(e.Path, want) {
		t.Errorf("path %v, want %v", e.Path, want)
	}
	if e.At != "leaver" || e.Asked.Name != "www.example.net." || e.Question.Name != "www.example.org." || !e.Returned {
		t.Errorf("at %s asked %s for %s, returned %v", e.At, e.Asked.Name, e.Question.Name, e.Returned)
	}
}

func TestAnErrorThatAPluginAboveKeepsIsSeen(t *testing.T) {
	// plugin/tsig logs the error of what is below it and writes a reply itself.
	keeper := &fake{name: "tsig", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		rcode, _ := f.pass(ctx, w, r)
		write(w, r, rcode)
		return dns.RcodeSuccess, nil
	}}
	e, _ := under(fakes(keeper, leaving(dns.RcodeServerFailure, errBackend))).fails(t, ask("www.example.org.", dns.TypeA))
	if e.At != "leaver" || e.Failure.Text() != errBackend.Error() || e.Shape != evidence.Written {
		t.Errorf("at %s, error %q, shape %v", e.At, e.Failure.Text(), e.Shape)
	}
}

func TestALaterAttemptVoidsWhatAnEarlierOneLeft(t *testing.T) {
	// plugin/autopath asks for several names and takes the first that exists.
	attempts := 0
	retry := &fake{name: "retry", serve: func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		_, _ = f.pass(ctx, w, ask("first.example.org.", dns.TypeA))
		return f.pass(ctx, w, ask("second.example.org.", dns.TypeA))
	}}
	last := &fake{name: "last", serve: func(_ *fake, _ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		if attempts++; attempts == 1 {
			return dns.RcodeServerFailure, errors.New("of the first attempt")
		}
		write(w, r, dns.RcodeRefused)
		return dns.RcodeSuccess, nil
	}}
	e, _ := under(fakes(retry, last)).fails(t, ask("www.example.org.", dns.TypeA))
	if e.Asked.Name != "second.example.org." || e.Failure.Kind != evidence.NoError || e.Rcode != dns.RcodeRefused {
		t.Errorf("asked %s, error %q, rcode %d", e.Asked.Name, e.Failure.Text(), e.Rcode)
	}
}

func TestALongPathKeepsItsInnermostPlugin(t *testing.T) {
	for _, n := range []int{maxPath - 1, maxPath, maxPath + 1, maxPlaces - 1, 2 * maxPlaces} {
		t.Run(fmt.Sprint(n, " plugins above"), func(t *testing.T) {
			var all []*fake
			for i := range n {
				all = append(all, underWay(fmt.Sprint("p", i)))
			}
			e, _ := under(fakes(append(all, leaving(dns.RcodeServerFailure, nil))...)).fails(t, ask("www.example.org.", dns.TypeA))
			// Plugins beyond maxPlaces share a place, and only that is known of them.
			if e.At != "leaver" && n < maxPlaces || len(e.Path) > maxPath {
				t.Errorf("at %s, path of %d", e.At, len(e.Path))
			}
		})
	}
}

func TestManyChangesOfTheQuestionKeepTheLastOne(t *testing.T) {
	var all []*fake
	for i := range maxChanges + 3 {
		all = append(all, asksFor(fmt.Sprintf("n%d.example.net.", i)))
	}
	e, _ := under(fakes(append(all, leaving(dns.RcodeServerFailure, nil))...)).fails(t, ask("www.example.org.", dns.TypeA))
	if want := fmt.Sprintf("n%d.example.net.", maxChanges+2); e.Asked.Name != want {
		t.Errorf("asked %s, want %s", e.Asked.Name, want)
	}
}

func TestAQueryWithoutARunPassesTheTaps(t *testing.T) {
	b := under(fakes(underWay("one"), leaving(dns.RcodeServerFailure, errBackend)))
	rcode, err := b.top.ServeDNS(context.Background(), new(messages), ask("www.example.org.", dns.TypeA))
	if rcode != dns.RcodeServerFailure || !errors.Is(err, errBackend) {
		t.Errorf("rcode %d, error %v", rcode, err)
	}
}

func TestATapLeavesNextAndNamesAsTheyWere(t *testing.T) {
	one, two := underWay("one"), underWay("two")
	cfg := fakes(one, two)
	b := under(cfg)
	if two.next != nil {
		t.Error("the last plugin has a next one: file refuses only without")
	}
	if one.next.Name() != "two" || b.top.Name() != "one" {
		t.Errorf("names %s, %s", b.top.Name(), one.next.Name())
	}
	if NewLadder(cfg).Top(nil) != nil {
		t.Error("a tap above nothing")
	}
}

func TestANestedRunHandsItsEvidenceToTheQueryAroundIt(t *testing.T) {
	inner := under(fakes(leaving(dns.RcodeServerFailure, errBackend)))
	var innerSent []int
	lookup := &fake{name: "file", serve: func(_ *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		s := inner.serve(ctx, ask("target.example.net.", dns.TypeA))
		e := s.run.Evidence(s.shape, s.left, s.err)
		rcode, err := s.run.Hand(e, s.rcode, s.err)
		if rcode != dns.RcodeServerFailure || err == nil {
			t.Errorf("the nested run returned %d, %v", rcode, err)
		}
		innerSent = s.client.rcodes()
		write(w, r, dns.RcodeServerFailure)
		return dns.RcodeSuccess, nil
	}}
	e, _ := under(fakes(lookup)).fails(t, ask("www.example.org.", dns.TypeA))
	if e.Nested == nil || e.Nested.At != "leaver" || e.Nested.Question.Name != "target.example.net." {
		t.Fatalf("nested: %+v", e.Nested)
	}
	if e.At != "file" || len(innerSent) != 0 {
		t.Errorf("at %s; the nested run sent %v", e.At, innerSent)
	}
}

func TestANestedRunIsAsOldAsTheClientsQuery(t *testing.T) {
	l := NewLadder(&dnsserver.Config{})
	outer := l.Begin(context.Background(), new(messages), ask("www.example.org.", dns.TypeA))
	outer.began -= time.Hour
	nested := l.Begin(outer, new(messages), ask("target.example.net.", dns.TypeA))
	if age := l.Begin(nested, new(messages), ask("further.example.net.", dns.TypeA)).Age(); age < time.Hour {
		t.Errorf("the age is %v, want that of the query of an hour ago", age)
	}
}

func TestANestedSuccessForgetsAnEarlierNestedFailure(t *testing.T) {
	fails, works := under(fakes(leaving(dns.RcodeServerFailure, nil, dns.RcodeServerFailure))), under(fakes(leaving(dns.RcodeSuccess, nil, dns.RcodeNameError)))
	b := under(fakes(&fake{name: "dns64", serve: func(_ *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		s := fails.serve(ctx, ask("a.example.net.", dns.TypeA))
		_, _ = s.run.Hand(s.run.Evidence(s.shape, s.left, s.err), s.rcode, s.err)
		if got := s.client.rcodes(); !slices.Equal(got, []int{dns.RcodeServerFailure}) {
			t.Errorf("what was held of the nested run went out as %v", got)
		}
		works.serve(ctx, ask("a.example.net.", dns.TypeA)).run.Passed()
		return dns.RcodeServerFailure, nil
	}}))
	if e, _ := b.fails(t, ask("www.example.org.", dns.TypeA)); e.Nested != nil {
		t.Errorf("nested: %+v", e.Nested)
	}
}

func TestAFailureIsACacheHitOnlyIfNothingBelowCacheWasEntered(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   *dnsserver.Config
		hit   bool
		named string
	}{
		{"cache answers", fakes(named("cache", leaving(dns.RcodeSuccess, nil, dns.RcodeServerFailure)), underWay("forward")), true, "www.example.org."},
		{"cache answers under another name", fakes(asksFor("WWW.example.net."), named("cache", leaving(dns.RcodeSuccess, nil, dns.RcodeServerFailure))), true, "www.example.net."},
		{"cache passes on", fakes(underWay("cache"), leaving(dns.RcodeSuccess, nil, dns.RcodeServerFailure)), false, "www.example.org."},
		{"cache has no next plugin", fakes(underWay("cache")), false, "www.example.org."},
		{"no cache", fakes(leaving(dns.RcodeSuccess, nil, dns.RcodeServerFailure)), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, s := under(c.cfg).fails(t, ask("www.example.org.", dns.TypeA))
			if e.CacheHit != c.hit || e.CacheQuestion.Name != c.named {
				t.Errorf("hit %v under %q, want %v under %q", e.CacheHit, e.CacheQuestion.Name, c.hit, c.named)
			}
			if got := s.run.CacheQuestion().Name; c.named != "" && got != c.named {
				t.Errorf("the run says that cache saw %q", got)
			}
		})
	}
}

func named(name string, f *fake) *fake {
	f.name = name
	return f
}
