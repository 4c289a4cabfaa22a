//go:build linux

package compatibility_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"sigs.k8s.io/yaml"

	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// reader is a program that shows EDEs, together with what takes them out of its
// output.
type reader struct {
	name    string
	version func(t testing.TB) string
	// ask prints a line for each EDE that is shown.
	ask func(t *testing.T, port, name string) string
}

// readers are those of Debian 12 and of Debian 13.
func readers() []reader {
	through := func(line string, read func(*testing.T, string) string) func(*testing.T, string, string) string {
		return func(t *testing.T, port, name string) string {
			t.Helper()
			said, _ := run(t, filled(line, port, name)...)
			return read(t, said)
		}
	}
	newer := func(line string, read func(*testing.T, string) string) func(*testing.T, string, string) string {
		return func(t *testing.T, port, name string) string {
			t.Helper()
			words := filled(line, port, name)
			said, err := resolved.Command(t, words[0], words[1:]...).Output()
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return read(t, string(said))
		}
	}
	says := func(program, argument string) func(t testing.TB) string {
		return func(t testing.TB) string {
			t.Helper()
			out, _ := resolved.Command(t, program, argument).CombinedOutput()
			return versionNumber.FindString(string(out))
		}
	}
	v, dig, kdig := versions, says("dig", "-v"), says("kdig", "--version")
	return []reader{
		{"dig", v.dig, through("dig", lines)},
		{"dig", dig, newer("dig", lines)},
		{"dig `+yaml`, a YAML parser", v.dig, through("dig +yaml", parsed)},
		{"dig `+yaml`, a YAML parser", dig, newer("dig +yaml", parsed)},
		{"kdig `+edns`", v.kdig, through("kdig +edns", lines)},
		{"kdig `+edns`", kdig, newer("kdig +edns", lines)},
		{"kdig `+edns +json`, jq", kdig, newer("kdig +edns +json", queried)},
	}
}

// filled is a command with what to ask for.
func filled(line, port, name string) []string {
	return append(strings.Fields(line), "@127.0.0.1", "-p", port, name, "A")
}

// lines keeps those with an EDE.
func lines(_ *testing.T, output string) string {
	return strings.Join(explanation.FindAllString(output, -1), "\n")
}

// parsed reads a document as a script does, which keeps the last of equal keys.
func parsed(t *testing.T, output string) string {
	t.Helper()
	var messages []struct {
		Message struct {
			Data struct {
				OPT struct {
					EDNS struct {
						EDE map[string]string
					}
				} `json:"OPT_PSEUDOSECTION"`
			} `json:"response_message_data"`
		}
	}
	if err := yaml.Unmarshal([]byte(output), &messages); err != nil {
		t.Fatalf("%v in\n%s", err, output)
	}
	if len(messages) != 1 {
		t.Fatalf("%d messages in\n%s", len(messages), output)
	}
	ede := messages[0].Message.Data.OPT.EDNS.EDE
	return ede["INFO-CODE"] + " " + ede["EXTRA-TEXT"]
}

// queried reads a document with jq, which keeps the last of equal keys.
func queried(t *testing.T, output string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(file, []byte(output), 0o600); err != nil {
		t.Fatal(err)
	}
	said, status := run(t, "jq", "-r", `.EDNS.EDE | "\(.CODE) (\(.Purpose)) \(.TEXT)"`, file)
	if status != 0 {
		t.Fatalf("jq: %s", said)
	}
	return said
}

var shownCode = regexp.MustCompile(`\b(\d+) \([A-Z]`)

// TestReadersShowSeveralEDEsAsDocumented has them read an answer with three.
func TestReadersShowSeveralEDEsAsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("starts clients")
	}
	u := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true,
		dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired, ExtraText: "first"},
		dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNoReachableAuthority, ExtraText: "second"},
		dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeCachedError, ExtraText: "third"})})
	_, port, err := net.SplitHostPort(u.Addr())
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	// It shows no interest, and gets none of ede's on a SERVFAIL.
	drill := reader{"drill `-D`", versions.drill, func(t *testing.T, port, name string) string {
		said, _ := run(t, filled("drill -D", port, name)...)
		return lines(t, said)
	}}
	for _, r := range append(readers(), drill) {
		t.Run(r.name, func(t *testing.T) {
			var codes []string
			for _, found := range shownCode.FindAllStringSubmatch(r.ask(t, port, fails), -1) {
				codes = append(codes, found[1])
			}
			rows = append(rows, row{r.name, r.version(t), "| " + strings.Join(codes, " ") + " |"})
		})
	}
	documented(t, "several", rows)
}
