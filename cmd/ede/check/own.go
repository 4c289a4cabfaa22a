package check

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/coredns/caddy/caddyfile"

	ede "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// ownCode is the check that ede's own directive is read by.
const ownCode = "ede-directive"

// Codes are those of all checks.
func Codes() []string { return append(preflight.Codes(), ownCode) }

// place is how caddyfile begins an error.
var place = regexp.MustCompile(`^(.*):([0-9]+) - Error during parsing: (.*)$`)

// own returns the mistakes in the ede directives of blocks, which are read as at
// load. Without here files that they name are taken to be right.
func own(blocks []preflight.Block, here bool) []preflight.Warning {
	if !here {
		blocks = withoutFiles(blocks)
	}
	var all []preflight.Warning
	for _, err := range ede.Inspect(blocks) {
		w := preflight.Warning{Code: ownCode, Text: err.Error(), Fix: "write the line as the README says; CoreDNS does not start with this line"}
		if m := place.FindStringSubmatch(w.Text); m != nil {
			w.File, w.Text = m[1], m[3]
			w.Line, _ = strconv.Atoi(m[2])
		}
		all = append(all, w)
	}
	return all
}

// withoutFiles is blocks without the properties of ede that name a file.
func withoutFiles(blocks []preflight.Block) []preflight.Block {
	const property = "trust_anchor"
	blocks = slices.Clone(blocks)
	for i := range blocks {
		if !slices.ContainsFunc(blocks[i].Directives, func(d preflight.Directive) bool { return d.Name == "ede" && len(d.Lines) > 1 }) {
			continue
		}
		blocks[i].Directives = slices.Clone(blocks[i].Directives)
		for j := range blocks[i].Directives {
			if d := &blocks[i].Directives[j]; d.Name == "ede" {
				d.Tokens = cut(slices.Clone(d.Tokens), property)
			}
		}
	}
	return blocks
}

// cut leaves out the lines that begin with property.
func cut(tokens []caddyfile.Token, property string) []caddyfile.Token {
	for i := 1; i < len(tokens); i++ {
		if tokens[i].Text != property || tokens[i].Line == tokens[i-1].Line {
			continue
		}
		end := i + 1
		for end < len(tokens) && tokens[end].Line == tokens[i].Line && tokens[end].Text != "}" {
			end++
		}
		return cut(slices.Delete(tokens, i, end), property)
	}
	return tokens
}
