package dnssec_test

import (
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
)

func TestRootAnchorsAreThoseThatIANAPublishes(t *testing.T) {
	// Debian's dns-root-data package.
	for _, path := range []string{"/usr/share/dns/root.ds", "/usr/share/dns/root.key"} {
		t.Run(path, func(t *testing.T) {
			file, err := os.Open(path)
			if err != nil {
				t.Skip(err)
			}
			defer file.Close()
			published, err := dnssec.ParseAnchors(file, path)
			if err != nil {
				t.Fatal(err)
			}
			if len(published) != len(dnssec.RootAnchors()) {
				t.Errorf("%d anchors published, %d built in", len(published), len(dnssec.RootAnchors()))
			}
			for _, rr := range published {
				ds, ok := rr.(*dns.DS)
				if key, isKey := rr.(*dns.DNSKEY); isKey {
					ds, ok = key.ToDS(dns.SHA256), true
				}
				if !ok || !builtIn(ds) {
					t.Errorf("not built in: %s", rr)
				}
			}
		})
	}
}

func builtIn(ds *dns.DS) bool {
	for _, rr := range dnssec.RootAnchors() {
		have := rr.(*dns.DS)
		if have.KeyTag == ds.KeyTag && have.Algorithm == ds.Algorithm && have.DigestType == ds.DigestType &&
			strings.EqualFold(have.Digest, ds.Digest) {
			return true
		}
	}
	return false
}

const someDS = "example.org. IN DS 1 13 2 " + "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"

func TestParseAnchors(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       int
		err        string
	}{
		{"a DS with a comment", "; ours\n" + someDS, 1, ""},
		{"a DNSKEY with a TTL", "example.org. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n", 1, ""},
		{"an upper-case owner", strings.ToUpper(someDS), 1, ""},
		{"another type", someDS + "example.org. IN A 192.0.2.1\n", 0, "f:2: A is not a trust anchor"},
		{"another class", "example.org. CH DS 1 13 2 AA\n", 0, "f:1: class CH is not IN"},
		{"a revoked key", "example.org. IN DNSKEY 385 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n", 0, "f:1: the DNSKEY is revoked"},
		{"a key that is no zone key", "example.org. IN DNSKEY 1 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n", 0, "f:1: the DNSKEY has no Zone Key bit"},
		{"a digest that is not hexadecimal", "example.org. IN DS 1 13 2 ZZ\n", 0, "f:1: the SHA-256 digest of the DS is not 64 hexadecimal digits"},
		{"a digest that is too short", "example.org. IN DS 1 13 4 AABB\n", 0, "f:1: the SHA-384 digest of the DS is not 96 hexadecimal digits"},
		{"a digest of an unknown type", "example.org. IN DS 1 13 9 AABB\n", 0, "f:1: the DS has digest type 9, which is not supported"},
		{"a key that is not base64", "example.org. IN DNSKEY 257 3 15 !!!!\n", 0, "f:1: the key of the DNSKEY is not base64"},
		{"a key of another protocol", "example.org. IN DNSKEY 257 2 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n", 0, "f:1: the protocol of the DNSKEY is not 3"},
		{"no record", "; nothing\n", 0, "no trust anchor; want DS and DNSKEY"},
		{"not a record", "\n\nhello world\n", 0, "f:3: not a zone-file record; want DS and DNSKEY"},
		{"an include", "$INCLUDE /etc/hostname\n", 0, "f:1: directives that bring in records are refused"},
		{"a generator", someDS + "$generate 1-2000 h$.example.org. IN DS 1 13 2 AA\n", 0, "f:2: directives that bring in records are refused"},
		{"a directive in a comment", someDS + "; $INCLUDE x\n", 1, ""},
		{"the most anchors", strings.Repeat(someDS, 1000), 1000, ""},
		{"one anchor too many", strings.Repeat(someDS, 1001), 0, "f:1001: more than 1000 trust anchors"},
		{"a file too large", strings.Repeat(" \n", 1<<19) + someDS, 0, "f: larger than 1048576 octets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := dnssec.ParseAnchors(strings.NewReader(test.text), "f")
			if len(got) != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("got %v, %v", got, err)
			}
			for _, rr := range got {
				if rr.Header().Name != "example.org." {
					t.Errorf("owner %q", rr.Header().Name)
				}
			}
		})
	}
}

func FuzzParseAnchors(f *testing.F) {
	f.Add(someDS)
	f.Add("$TTL 1\n@ IN DNSKEY 257 3 15 AAAA ; x\n")
	f.Add("$GENERATE 1-3 a$ IN DS 1 8 2 AA\n")
	f.Add("( ;\n")
	f.Fuzz(func(t *testing.T, text string) {
		anchors, err := dnssec.ParseAnchors(strings.NewReader(text), "fuzz")
		if (err == nil) != (len(anchors) > 0) {
			t.Fatalf("%d anchors and error %v", len(anchors), err)
		}
		for _, rr := range anchors {
			// An anchor has to be one that a key can match.
			ds, ok := rr.(*dns.DS)
			if key, isKey := rr.(*dns.DNSKEY); isKey {
				ds, ok = key.ToDS(dns.SHA256), true
			}
			if !ok || ds == nil || rr.Header().Class != dns.ClassINET || len(ds.Digest) < 40 {
				t.Fatalf("accepted %v", rr)
			}
			again, err := dnssec.ParseAnchors(strings.NewReader(rr.String()), "again")
			// A digest may be written in lower case too.
			if err != nil || len(again) != 1 || again[0].String() != rr.String() {
				t.Fatalf("%v is read again as %v, %v", rr, again, err)
			}
		}
	})
}
