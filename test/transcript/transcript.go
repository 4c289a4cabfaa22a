// Package transcript takes down what an operator sees of a failure: the server
// block, a dig line, what dig prints of the failure, and ede's log line. These
// are the examples of docs/causes.md; a test that takes one down anew fails when
// the one that is kept says something else.
package transcript

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the examples of the causes anew")

// Session is a failure on a running server.
type Session struct {
	// Plugins are the lines of the server block, without bind, and without ede
	// where that stands alone.
	Plugins string
	// Addr is where the server listens, on loopback.
	Addr string
	// Command is dig, or nsupdate with Input.
	Command string
	Args    []string
	Input   string
	// Ask sends the query where no command can, and Note says why not.
	Ask  func()
	Note string
	// Line waits for the log line of the query with that id, which is empty if
	// the command does not print it, and returns it.
	Line func(id string) string
}

// Take runs the command of s against the server and returns the transcript.
func (s Session) Take(t testing.TB) string {
	t.Helper()
	if s.Ask != nil {
		s.Ask()
		return tidy(block(s.Plugins)+"\n# "+s.Note+"\n\n"+s.Line("")+"\n", s.Addr)
	}
	path, err := exec.LookPath(s.Command)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", s.Command)
		}
		t.Skipf("%s is not installed: the example is not compared", s.Command)
	}
	_, port, _ := strings.Cut(s.Addr, ":")
	args, input := s.Args, s.Input
	shown := fmt.Sprintf("%s -p %s @127.0.0.1 %s", s.Command, port, strings.Join(s.Args, " "))
	if s.Command == "dig" {
		args = append([]string{"-p", port, "@127.0.0.1"}, args...)
	} else {
		input = "server 127.0.0.1 " + port + "\n" + input + "send\n"
		shown = fmt.Sprintf("printf '%s' | %s", strings.ReplaceAll(input, "\n", `\n`), strings.Join(append([]string{s.Command}, args...), " "))
	}
	command := exec.Command(path, args...)
	command.Stdin = strings.NewReader(input)
	// dig and nsupdate exit with an error where the query failed.
	output, _ := command.CombinedOutput()
	id := ""
	if m := header.FindSubmatch(output); m != nil {
		id = string(m[1])
	}
	text := block(s.Plugins) + "\n$ " + shown + "\n" + told(string(output)) + "\n" + s.Line(id) + "\n"
	return tidy(text, s.Addr)
}

var header = regexp.MustCompile(`;; ->>HEADER<<- .* id: (\d+)`)

// told is what of a command's output tells the failure.
func told(output string) string {
	var kept []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		for _, prefix := range []string{";; ->>HEADER<<-", "; EDE: ", "; Transfer failed", "update failed"} {
			if strings.HasPrefix(line, prefix) {
				kept = append(kept, line)
			}
		}
	}
	return strings.Join(kept, "\n") + "\n"
}

// block is the server block as one writes it.
func block(plugins string) string {
	var b strings.Builder
	b.WriteString(".:1053 {\n")
	depth := 1
	if !strings.HasPrefix(plugins, "ede") {
		plugins = "ede\n" + plugins
	}
	for line := range strings.Lines(plugins) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case line == "}":
			depth--
		}
		for _, f := range files {
			line = f.path.ReplaceAllString(line, f.name)
		}
		b.WriteString(strings.Repeat("    ", depth) + line + "\n")
		if strings.HasSuffix(line, "{") {
			depth++
		}
	}
	return empty.ReplaceAllString(b.String(), "\n") + "}\n"
}

var empty = regexp.MustCompile(` \{\n +\}\n`)

// files are the names that stand for those of a test's own files.
var files = []struct {
	path *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`^tls /\S+`), "tls ca.pem"},
	{regexp.MustCompile(`^file /\S+`), "file db.example.org"},
	{regexp.MustCompile(`^database /\S+`), "database updates"},
	{regexp.MustCompile(`^trust_anchor /\S+`), "trust_anchor anchors"},
	{regexp.MustCompile(`^directory /\S+`), "directory zones"},
	{regexp.MustCompile(`^hosts /\S+`), "hosts names"},
	{regexp.MustCompile(`^autopath (\S+) /\S+`), "autopath $1 resolv.conf"},
}

var (
	loopback = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	advice   = regexp.MustCompile(` advice="(?:[^"\\]|\\.)*"`)
	tempFile = regexp.MustCompile(`/tmp/[^\s\\":]+`)
)

// tidy gives the ports of this run short numbers, in the order in which they
// appear, and leaves out the advice, which only the first line of an incident has.
func tidy(text, addr string) string {
	_, port, _ := strings.Cut(addr, ":")
	text = strings.ReplaceAll(text, "-p "+port+" ", "-p 1053 ")
	text = strings.ReplaceAll(text, "server 127.0.0.1 "+port, "server 127.0.0.1 1053")
	known := map[string]string{addr: "127.0.0.1:1053", "127.0.0.1:0": "127.0.0.1:1053"}
	text = loopback.ReplaceAllStringFunc(text, func(s string) string {
		if known[s] == "" {
			known[s] = fmt.Sprintf("127.0.0.1:%d", 5301+len(known)-2)
		}
		return known[s]
	})
	text = advice.ReplaceAllString(text, "")
	return tempFile.ReplaceAllString(text, "db.example.org")
}

// Check compares text with the example of the cause that is kept in dir, or
// keeps it with -update. What differs from run to run is not compared.
func Check(t testing.TB, dir, cause, text string) {
	t.Helper()
	path := filepath.Join(dir, cause+".txt")
	kept, err := os.ReadFile(path)
	if err == nil && lasting(string(kept)) == lasting(text) {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the example of %s is stale (go test %s -update):\n%s\nis now\n%s", cause, t.Name(), kept, text)
}

var passing = []*regexp.Regexp{
	regexp.MustCompile(`\d\d:\d\d:\d\dZ`),
	regexp.MustCompile(`\d{4}-\d\d-\d\dT`),
	regexp.MustCompile(`[\d.]+ s\b`),
	regexp.MustCompile(`duration_seconds=[^ ]+`),
	regexp.MustCompile(`queries=\d+`),
	regexp.MustCompile(`\d+ queries`),
	regexp.MustCompile(`\bid(=|: )\d+`),
	regexp.MustCompile(`\b(DS|DNSKEY|RRSIG|key) \d+`),
	// Ports; INFO-CODEs have two digits.
	regexp.MustCompile(`\d{3,}`),
}

// heard is what a plugin had logged by the time it was asked, if it had.
var heard = regexp.MustCompile(`; last error [^"\n]*|(has expired|is not loaded yet): [^)("\n]*`)

// lasting is text without what differs from run to run.
func lasting(text string) string {
	text = heard.ReplaceAllString(text, "$1")
	for _, p := range passing {
		text = p.ReplaceAllString(text, "#")
	}
	return text
}
