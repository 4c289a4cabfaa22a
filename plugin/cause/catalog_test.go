package cause

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func TestEveryEntryOfTheCatalogIsComplete(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range All() {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
	}
	word := regexp.MustCompile(`^[a-z][a-z0-9_]+$`)
	for _, c := range append(All(), transferOff) {
		if !word.MatchString(c.ID) || c.Title == "" || c.When == "" || strings.TrimSpace(c.Advice) == "" || c.Full == "" {
			t.Errorf("%+v is not complete", c)
		}
		if c.Brief == "" && c != panicked {
			t.Errorf("%s has no brief text", c.ID)
		}
		if (c.Corefile == "") == (c.Command == "") {
			t.Errorf("%s has Corefile %q and command %q, want one of them", c.ID, c.Corefile, c.Command)
		}
		for _, text := range []string{c.Title, c.When, c.Advice, c.Command, c.CodeNote, c.Brief, c.Full} {
			if text != option.Sanitize(text, len(text)) && text != strings.TrimSpace(text)+" " {
				t.Errorf("%s: %q is not one harmless line", c.ID, text)
			}
		}
		switch c.Lasts {
		case Transient, Persistent, LastsOpen:
		default:
			t.Errorf("%s lasts %q", c.ID, c.Lasts)
		}
		switch c.Owner {
		case Us, Upstream, Zone, Client, Network, Nobody:
		default:
			t.Errorf("%s is owned by %q", c.ID, c.Owner)
		}
		if c.Policy && c.Rank != Specific {
			t.Errorf("%s is a policy that is not known for sure", c.ID)
		}
	}
	if transferOff.ID != transferDenied.ID {
		t.Error("the two refusals of a transfer are one cause with two codes")
	}
	for id := range seen {
		if ByID(id) == nil {
			t.Errorf("%s is not found by its ID", id)
		}
	}
	if ByID("nothing") != nil {
		t.Error("an ID that is not in the catalog is found")
	}
}

func TestEveryRuleGivesACauseOfTheCatalog(t *testing.T) {
	for _, r := range rules {
		if c := ByID(r.cause.ID); c != r.cause && r.cause != transferOff {
			t.Errorf("%s of a rule is not the catalog's", r.cause.ID)
		}
	}
}

func TestCodesThatMisleadAreNeverUsed(t *testing.T) {
	for _, c := range append(All(), transferOff) {
		switch c.Code {
		case 3, 4, 16, 17, 19:
			t.Errorf("%s has code %d", c.ID, c.Code)
		case 15:
			if c != aclBlock {
				t.Errorf("%s says Blocked: only an access list blocks", c.ID)
			}
		case 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 25, 27:
			if c.Rank != Found || !strings.HasPrefix(c.ID, "dnssec_") {
				t.Errorf("%s has the DNSSEC code %d without a validation", c.ID, c.Code)
			}
		}
	}
	if concurrencyLimit.Code == 18 {
		t.Error("overload is not Prohibited")
	}
}

func TestABriefTextTellsNoAddressPluginOrErrorOfThisServer(t *testing.T) {
	leaks := regexp.MustCompile(`\{(upstreams?|at|error|detail|with error|panic|asked|qname)\}`)
	placeholders := regexp.MustCompile(`\{[^}]*\}`)
	e := secretEvidence()
	for _, c := range append(All(), transferOff) {
		if m := leaks.FindString(c.Brief); m != "" {
			t.Errorf("%s: %s in the brief text", c.ID, m)
		}
		for _, text := range []string{expand(c.Brief, e), expand(c.Full, e)} {
			if m := placeholders.FindString(text); m != "" {
				t.Errorf("%s: %s is not filled", c.ID, m)
			}
		}
		brief := expand(c.Brief, e)
		if len(brief) > 100 {
			t.Errorf("%s: brief text of %d octets: %q", c.ID, len(brief), brief)
		}
		for _, secret := range secrets {
			if strings.Contains(brief, secret) {
				t.Errorf("%s tells %q: %q", c.ID, secret, brief)
			}
		}
	}
}

var secrets = []string{"192.0.2.53", "secretplugin", "secret error", "secret detail", "secret panic"}

func secretEvidence() *ev.Evidence {
	return &ev.Evidence{
		Rcode: dns.RcodeServerFailure, At: "secretplugin", Upstream: "192.0.2.53:53", Panic: "secret panic",
		Failure:         ev.Failure{Kind: ev.Timeout, Err: errors.New("secret error"), Detail: "secret detail", Peer: "192.0.2.53:53"},
		Upstreams:       []ev.Upstream{{Addr: "192.0.2.53:53", Asked: true}},
		UpstreamElapsed: 2001 * time.Millisecond, Zone: ev.Zone{Name: "example.org.", State: ev.ZoneLoaded},
		Question: dns.Question{Name: "www.example.org.", Qtype: dns.TypeA}, Asked: dns.Question{Name: "www.example.org.", Qtype: dns.TypeA},
	}
}

func TestTraitsAreOfCodesWithAName(t *testing.T) {
	for code, trait := range traits {
		if option.Name(code) == "Unassigned" || trait.advice == "" {
			t.Errorf("%d: %+v", code, trait)
		}
	}
}
