package chain

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"
)

// What is compiled for one block serves the others, and there is a limit on what is kept.
func TestViewsShareWhatIsCompiled(t *testing.T) {
	programs := make(Programs)
	for i := range maxPrograms + 10 {
		for range 2 {
			c, _ := built(t, fmt.Sprintf("example.org {\n view v {\n  expr type() in ['A', 'TYPE%d']\n }\n whoami\n}", 1000+i))
			c.Share(programs)
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
	if len(programs) != maxPrograms {
		t.Errorf("%d expressions are kept, want %d", len(programs), maxPrograms)
	}
	c, _ := built(t, "example.org {\n view v {\n  expr type() in\n }\n whoami\n}")
	c.Share(programs)
	if l, _ := c.Find("view"); l.view != nil {
		if _, known := l.Lets(Question{Name: "example.org.", Type: dns.TypeA}); known {
			t.Error("an expression that CoreDNS does not take is known")
		}
	}
}
