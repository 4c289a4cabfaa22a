package documents_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// init puts ede where cmd/coredns puts it.
func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
}

var (
	keyLine    = regexp.MustCompile(`(?m)^(\S.*)\{$`)
	keyPort    = regexp.MustCompile(`:\d+`)
	adminPort  = regexp.MustCompile(`(?m)^(\s+)(health|ready|prometheus|page)\b.*?(\s*\{)?$`)
	resolvConf = regexp.MustCompile(`/etc/resolv\.conf`)
	kubernetes = regexp.MustCompile(`(?m)^(\s+kubernetes [^{\n]*?)\s*(\{?)$`)
)

// moved is a Corefile that loads on any machine: with free ports, with no
// upstream, and with a Kubernetes API that does not answer.
func moved(t *testing.T, corefile string) string {
	t.Helper()
	closed := upstream.Closed(t)
	corefile = keyLine.ReplaceAllStringFunc(corefile, func(keys string) string {
		if strings.HasPrefix(keys, "(") {
			return keys
		}
		if !keyPort.MatchString(keys) {
			keys = strings.Replace(keys, " {", ":0 {", 1)
		}
		return keyPort.ReplaceAllString(keys, ":0") + "\n bind 127.0.0.1"
	})
	corefile = adminPort.ReplaceAllString(corefile, "${1}${2} 127.0.0.1:0${3}")
	corefile = resolvConf.ReplaceAllString(corefile, closed)
	return kubernetes.ReplaceAllStringFunc(corefile, func(line string) string {
		m := kubernetes.FindStringSubmatch(line)
		own := m[1] + " {\n endpoint http://" + closed + "\n startup_timeout 10ms"
		if m[2] == "" {
			own += "\n}"
		}
		return own
	})
}

func TestTheCorefilesOfTheDocumentsLoad(t *testing.T) {
	server.Capture(t)
	loaded := 0
	for _, d := range documents(t) {
		// Its Corefiles are the lines of the catalog, which the tests of causes
		// load.
		if d.path == "docs/causes.md" {
			continue
		}
		for _, b := range d.blocks() {
			if b.language != "corefile" {
				continue
			}
			loaded++
			t.Run(d.path+" "+strings.Join(strings.Fields(b.text), " "), func(t *testing.T) {
				corefile := moved(t, b.text)
				s, err := server.Try(corefile)
				if err != nil {
					t.Fatalf("%v:\n%s", err, corefile)
				}
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if loaded < 8 {
		t.Errorf("%d Corefiles are found", loaded)
	}
}

// TestTheManualPageIsMadeOfTheREADME compares the page with what makes it.
func TestTheManualPageIsMadeOfTheREADME(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "man/coredns-ede.7"))
	if err != nil {
		t.Fatal(err)
	}
	if made := run(t, "man/generate"); made != string(page) {
		t.Error("man/coredns-ede.7 is not what README.md has now: man/generate >man/coredns-ede.7")
	}
}
