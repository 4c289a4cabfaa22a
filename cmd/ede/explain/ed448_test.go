package explain

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"github.com/cloudflare/circl/sign/ed448"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// ed448Keys gives a zone keys of algorithm 16 (RFC 8080).
func ed448Keys(z *bed.Zone) {
	z.SetKeys(dns.ED448)
	for _, k := range z.Keys {
		public, private, err := ed448.GenerateKey(nil)
		if err != nil {
			z.T().Fatal(err)
		}
		k.Published.PublicKey = base64.StdEncoding.EncodeToString(public)
		k.Tag = k.Published.KeyTag()
		k.SignText = func(text []byte) []byte { return ed448.Sign(private, text, "") }
	}
}

func TestZonesOfEd448AreValidated(t *testing.T) {
	now := time.Now()
	const day = 24 * time.Hour
	b := bed.New(t, now,
		bed.Case{Name: "valid", Before: ed448Keys},
		bed.Case{Name: "nothing", Ask: "nothing", Before: ed448Keys},
		bed.Case{Name: "expired", Before: ed448Keys, After: bed.Times(dns.TypeA, -40*day, -10*day), Expected: []uint16{7}},
		bed.Case{Name: "corrupt", Before: ed448Keys, After: bed.Corrupt(dns.TypeA), Expected: []uint16{6}},
		bed.Case{Name: "wildcard", Ask: "any", Before: func(z *bed.Zone) { ed448Keys(z); bed.Records("*.%s 300 IN A 192.0.2.7")(z) }},
	)
	for _, c := range b.Cases() {
		v := &dnssec.Validator{Exchange: b.Exchange(), Anchors: b.Anchor(), Ed448: verifyEd448}
		f := v.Validate(context.Background(), c.Question())
		switch {
		case len(c.Expected) == 0 && (f.Status != dnssec.Secure || len(f.Codes) > 0):
			t.Errorf("%s: %s %v %s", c.Name, f.Status, f.Codes, f.Text)
		case len(c.Expected) > 0 && (len(f.Codes) != 1 || f.Codes[0] != c.Expected[0]):
			t.Errorf("%s: %v %s, want %v", c.Name, f.Codes, f.Text, c.Expected)
		}
		// Without the library the zone is one of an unsupported algorithm.
		v.Ed448 = nil
		if f := v.Validate(context.Background(), c.Question()); f.Status != dnssec.Insecure || len(f.Codes) != 1 || f.Codes[0] != 1 {
			t.Errorf("%s without Ed448: %s %v %s", c.Name, f.Status, f.Codes, f.Text)
		}
	}
}
