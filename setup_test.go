package ede

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/whoami"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
	caddy.Quiet, dnsserver.Quiet = true, true
}

var update = flag.Bool("update", false, "write the goldens anew")

// Each file of testdata/corefile/bad is an ede directive with one mistake, and
// the file of the same name that ends in .txt has the message.
func TestABadDirectiveIsRefusedWithItsPlaceAndWhatIsWanted(t *testing.T) {
	files, err := filepath.Glob("testdata/corefile/bad/*.corefile")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".corefile")
		t.Run(strings.ReplaceAll(name, "-", " "), func(t *testing.T) {
			message := "accepted: no error"
			if err := tryCorefile(t, file); err != nil {
				message = err.Error()
			}
			message += "\n"
			golden := strings.TrimSuffix(file, ".corefile") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(message), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if message != string(want) {
				t.Errorf("got  %swant %s", message, want)
			}
			if !strings.Contains(message, "want ") || !strings.Contains(message, ".corefile:") {
				t.Errorf("the message has no place or does not say what is wanted: %s", message)
			}
		})
	}
}

// tryCorefile starts a server with the Corefile in file and stops it again.
func tryCorefile(t *testing.T, file string) error {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	i, err := caddy.Start(caddy.CaddyfileInput{Filepath: filepath.Base(file), Contents: text, ServerTypeName: "dns"})
	if err != nil {
		if i != nil && len(i.Servers()) > 0 {
			t.Error("a server was started in spite of the error")
		}
		return err
	}
	return i.Stop()
}

func TestGoodDirectivesAreAccepted(t *testing.T) {
	files, err := filepath.Glob("testdata/corefile/good/*.corefile")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".corefile"), func(t *testing.T) {
			if err := tryCorefile(t, file); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheFirstTextLineThatMatchesTheClientWins(t *testing.T) {
	c := caddy.NewTestController("dns", `ede {
		text full 192.0.2.0/25
		text none 192.0.2.0/24 2001:db8::/32
		text brief
	}`)
	b, _, err := parse(c)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]cause.Words{
		"192.0.2.7":        cause.FullWords,
		"192.0.2.200":      cause.NoWords,
		"2001:db8::1":      cause.NoWords,
		"198.51.100.1":     cause.BriefWords,
		"::ffff:192.0.2.7": cause.FullWords,
	} {
		if have := b.WordsFor(netip.MustParseAddr(addr)); have != want {
			t.Errorf("%s is told %v, want %v", addr, have, want)
		}
	}
}

func TestOnlyTheNamesOfItsZonesAreExplained(t *testing.T) {
	c := caddy.NewTestController("dns", `ede example.org example.net {
		except quiet.example.org
	}`)
	b, _, err := parse(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"example.org.": true, "www.EXAMPLE.net.": true, "example.com.": false,
		"quiet.example.org.": false, "www.quiet.example.org.": false, "unquiet.example.org.": true,
	} {
		if have := b.Explains(strings.ToLower(name)); have != want {
			t.Errorf("%s: %v, want %v", name, have, want)
		}
	}
}

func TestATextLineTakes256Networks(t *testing.T) {
	for networks, accepted := range map[int]bool{maxNetworks: true, maxNetworks + 1: false} {
		text := "ede {\n text full"
		for i := range networks {
			text += fmt.Sprintf(" 2001:db8:%x::/48", i)
		}
		c := caddy.NewTestController("dns", text+"\n}")
		c.ServerBlockKeys = []string{"dns://.:53"}
		if _, _, err := parse(c); (err == nil) != accepted {
			t.Errorf("%d networks: %v", networks, err)
		}
	}
}
