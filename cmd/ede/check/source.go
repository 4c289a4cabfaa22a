package check

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// A source is a Corefile, and where it stands.
type source struct {
	name string
	text string
	here bool // it may be for this machine
	// line is the line of the file above the first of text, or the key's if text
	// has lines of its own there; custom are the files that it imports out of the
	// same manifest.
	line      int
	custom    []custom
	namespace string // "" if it is not known
	other     string // a text that may stand in place of text
}

// parse reads a source with the lines of the file that it stands in.
func (s source) parse() ([]corefile.Block, error) {
	// caddyfile tells of each pattern that fits no file.
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	text := s.text
	if len(s.custom) == 0 {
		blocks, err := corefile.Parse(s.name, strings.NewReader(text), nil)
		if err != nil {
			return nil, s.moved(err)
		}
		move(blocks, s.name, s.line)
		return blocks, nil
	}
	dir, err := os.MkdirTemp("", "ede-check-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	names := make(map[string]string)
	for i, c := range s.custom {
		path := filepath.Join(dir, filepath.Base(c.key))
		if _, met := names[path]; met { // two ConfigMaps have it
			path += fmt.Sprintf(".%06d%s", i, filepath.Ext(c.key))
		}
		if err := os.WriteFile(path, []byte(padded(c.source.line, c.source.text)), 0o600); err != nil {
			return nil, err
		}
		names[path] = c.source.name
	}
	text = importing.ReplaceAllString(text, "${1}"+dir+"/${2}")
	blocks, err := corefile.Parse(s.name, strings.NewReader(padded(s.line, text)), nil)
	if err != nil {
		for path, name := range names {
			if strings.Contains(err.Error(), path) {
				err = fmt.Errorf("%s", strings.ReplaceAll(err.Error(), path, name))
			}
		}
		return nil, err
	}
	rename(blocks, names)
	return blocks, nil
}

// at is where the source begins.
func (s source) at() string {
	if s.line == 0 {
		return s.name
	}
	return fmt.Sprintf("%s:%d", s.name, s.line)
}

// importing is an import of what a custom ConfigMap has.
var importing = regexp.MustCompile(`(?m)^(\s*import\s+)\S*/(\S*\.(?:override|server))\b`)

// move adds lines to those of what stands in file itself: of a manifest with many
// Corefiles none is read with all the lines above it.
func move(blocks []corefile.Block, file string, lines int) {
	to := func(in string, line *int) {
		if in == file && *line > 0 {
			*line += lines
		}
	}
	for i := range blocks {
		to(blocks[i].File, &blocks[i].Line)
		for j := range blocks[i].Directives {
			d := &blocks[i].Directives[j]
			to(d.File, &d.Line)
			for k := range d.Tokens {
				if d.Tokens[k].File == "" { // caddyfile names imported files only
					d.Tokens[k].Line += lines
				}
			}
		}
		for j := range blocks[i].Unset {
			to(blocks[i].Unset[j].File, &blocks[i].Unset[j].Line)
		}
	}
}

// moved is move for the line that an error of caddyfile begins with.
func (s source) moved(err error) error {
	rest, own := strings.CutPrefix(err.Error(), s.name+":")
	number, message, _ := strings.Cut(rest, " - ")
	line, bad := strconv.Atoi(number)
	if !own || bad != nil {
		return err
	}
	return fmt.Errorf("%s:%d - %s", s.name, line+s.line, message)
}

// padded puts text where it stands in its file.
func padded(line int, text string) string { return strings.Repeat("\n", line) + text }

func rename(blocks []corefile.Block, names map[string]string) {
	to := func(file *string) {
		if name, ok := names[*file]; ok {
			*file = name
		}
	}
	for i := range blocks {
		to(&blocks[i].File)
		for j := range blocks[i].Directives {
			d := &blocks[i].Directives[j]
			to(&d.File)
			for k := range d.Tokens {
				to(&d.Tokens[k].File)
			}
		}
		for j := range blocks[i].Unset {
			to(&blocks[i].Unset[j].File)
		}
	}
}

// sourcesOf returns the Corefiles in what a file holds.
func sourcesOf(file string, text []byte) ([]source, error) {
	name := file
	if file == "-" {
		name = "stdin"
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("%s: empty: want a Corefile, or a Kubernetes manifest with one", name)
	}
	sources, err := manifest(name, text)
	if err != nil || sources != nil {
		return sources, err
	}
	return []source{{name: name, text: string(text), here: file != "-"}}, nil
}
