// Package corefile reads a Corefile into blocks and directives with the lines
// at which they stand.
package corefile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/coredns/caddy/caddyfile"
)

// MaxSize is the largest Corefile in octets that Parse reads, imported files
// not counted. A ConfigMap holds at most 1 MiB.
const MaxSize = 4 << 20

// MaxBlocks is the largest number of server blocks that Parse accepts: more than
// a Corefile of MaxSize has of blocks with one plugin.
const MaxBlocks = 1 << 17

// A Directive is one use of a plugin in a server block.
type Directive struct {
	Name string
	// Lines holds the tokens as written. Lines[0] are the arguments behind the
	// name, possibly none; each further element is a line of the block in
	// braces, without the outer braces.
	Lines [][]string
	File  string // where it stands: differs from the block's after an import
	Line  int
	// Use is its number among the uses of the plugin in the block, from 0. After
	// an import it is not the order of Line.
	Use int

	Tokens []caddyfile.Token // all of it, as a plugin's set-up reads them
}

// Args returns the arguments on the directive's own line.
func (d Directive) Args() []string {
	if len(d.Lines) == 0 {
		return nil
	}
	return d.Lines[0]
}

// Option returns the arguments of the last line that begins with name.
func (d Directive) Option(name string) (args []string, ok bool) {
	for i := len(d.Lines) - 1; i > 0; i-- {
		if line := d.Lines[i]; len(line) > 0 && line[0] == name {
			return line[1:], true
		}
	}
	return nil, false
}

// A Block is one server block.
type Block struct {
	Keys       []string // as written, e.g. "example.org:1053", "tls://."
	File       string
	Line       int         // of the first key
	Below      int         // line of the brace that closes what stands above, if none opens this block
	Directives []Directive // by file and line, those of the block's own file first
	// Unset are variables without a value in the keys of the block. Those of a
	// block that they leave without a key, which caddyfile drops, stand in the
	// block before it, in the first, or in one of no keys if there is no other.
	Unset []Variable
}

// Parse reads a Corefile with imports, snippets and environment variables
// resolved as CoreDNS resolves them. Directives that are not in order, which is
// dnsserver.Directives, are an error with file and line; a nil order accepts
// all. It reads the files that the Corefile imports, and takes as long as
// CoreDNS itself for snippets that import each other many times: caddyfile's
// limits are 10,000 snippets and 100,000 files.
func Parse(file string, r io.Reader, order []string) ([]Block, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%s: larger than %d octets", file, MaxSize)
	}
	parsed, err := caddyfile.Parse(file, bytes.NewReader(text), order)
	if err != nil {
		return nil, placed(file, text, err)
	}
	if len(parsed) > MaxBlocks {
		return nil, fmt.Errorf("%s: more than %d server blocks", file, MaxBlocks)
	}

	lines, unset := keyLines(file, text)
	files := &imported{lists: make(map[string]*keyLineList), tries: maxLooks}
	blocks := make([]Block, 0, len(parsed))
	read := reader{file: file}
	for _, p := range parsed {
		b := Block{Keys: p.Keys, File: file, Directives: read.directives(p.Tokens)}
		at, found := lines.next(p.Keys[0])
		if !found && len(b.Directives) > 0 {
			// The block came out of an imported file.
			b.File, b.Line = b.Directives[0].File, b.Directives[0].Line
			if at, found = files.list(b.File).next(p.Keys[0]); !found {
				var where string // of its own it may have no directive
				if where, at, found = files.find(file, lines, p.Keys[0], 0); found {
					b.File = where
				}
			}
		}
		if found {
			b.Line = at.line
			if at.bare {
				b.Below = at.above
			}
		}
		blocks = append(blocks, b)
	}
	return place(blocks, unset), nil
}
