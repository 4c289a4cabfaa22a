package chain

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/miekg/dns"
)

// What is compiled for one block serves the others, and there is a limit on what is kept.
func TestViewsShareWhatIsCompiled(t *testing.T) {
	shared := NewShared()
	for i := range maxShared + 10 {
		for range 2 {
			c, _ := built(t, fmt.Sprintf("example.org {\n view v {\n  expr type() in ['A', 'TYPE%d']\n }\n whoami\n}", 1000+i))
			c.Share(shared)
			l, _ := c.Find("view")
			for qtype, want := range map[uint16]bool{dns.TypeA: true, dns.TypeMX: false} {
				for range 2 {
					if lets, known := l.Lets(Question{Name: "example.org.", Type: qtype}); !known || lets != want {
						t.Fatalf("view %d, type %d: %t, %t", i, qtype, lets, known)
					}
				}
			}
		}
	}
	if len(shared.programs) != maxShared {
		t.Errorf("%d expressions are kept, want %d", len(shared.programs), maxShared)
	}
	c, _ := built(t, "example.org {\n view v {\n  expr type() in\n }\n whoami\n}")
	c.Share(shared)
	if l, _ := c.Find("view"); l.view != nil {
		if _, known := l.Lets(Question{Name: "example.org.", Type: dns.TypeA}); known {
			t.Error("an expression that CoreDNS does not take is known")
		}
	}
}

// What is compiled for one rule serves the others, and there is a limit on what is kept.
func TestRulesShareWhatIsCompiled(t *testing.T) {
	shared := NewShared()
	for i := range maxShared + 10 {
		var before *regexp.Regexp
		for range 2 {
			c, _ := built(t, fmt.Sprintf("example.org {\n rewrite name regex ^a%d[.](.*)$ {1}net\n whoami\n}", i))
			c.Share(shared)
			for name, want := range map[string]string{fmt.Sprintf("a%d.example.org.", i): "example.org.net.", "www.example.org.": "www.example.org."} {
				if out := c.Ask(Question{Name: name, Type: dns.TypeA}, nil); out.Asked.Name != want {
					t.Fatalf("rule %d makes %q of %q, want %q", i, out.Asked.Name, name, want)
				}
			}
			l, _ := c.Find("rewrite")
			if re := l.rewrite.pattern; before != nil && (re == before) != (i < maxShared) {
				t.Fatalf("rule %d: shared is %t", i, re == before)
			}
			before = l.rewrite.pattern
		}
	}
	if len(shared.patterns) != maxShared {
		t.Errorf("%d patterns are kept, want %d", len(shared.patterns), maxShared)
	}
}
