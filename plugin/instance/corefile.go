package instance

import (
	"hash/fnv"
	"net"
	"slices"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// corefileBlocks reads the Corefile that is being loaded once more, as text. Without an
// instance, as under a test's controller, there is none.
func corefileBlocks() []preflight.Block {
	instances := caddy.Instances()
	if len(instances) == 0 {
		return nil
	}
	input := instances[len(instances)-1].Caddyfile()
	if input == nil {
		return nil
	}
	blocks, err := preflight.Parse(input.Path(), strings.NewReader(string(input.Body())), dnsserver.Directives)
	if err != nil {
		return nil
	}
	return blocks
}

// identity is the same for a block that a reload left unchanged, and differs for any
// other: what is remembered of a block's questions is true only as long as its plugins are
// the same.
func identity(corefile []preflight.Block, m Member) uint64 {
	h := fnv.New64a()
	write := func(words ...string) {
		for _, w := range words {
			_, _ = h.Write([]byte(w))
			_, _ = h.Write([]byte{0})
		}
	}
	write(m.Explainer.Block.Keys...)
	if m.Index < len(corefile) {
		for _, d := range corefile[m.Index].Directives {
			write(d.Name)
			for _, line := range d.Lines {
				write(line...)
				write("\n")
			}
		}
	}
	return h.Sum64()
}

// warn logs the mistakes that the Corefile shows, once per load. It returns the blocks, by
// place, from which forward goes in a circle.
func warn(corefile []preflight.Block) map[int]bool {
	host := preflight.Host{Port: dnsserver.Port, Addrs: net.InterfaceAddrs, ReadFile: preflight.ReadFile, ZoneFiles: preflight.ZoneFiles}
	circles := make(map[int]bool)
	for _, w := range host.Check(corefile, dnsserver.Directives) {
		if !w.Ignored {
			log.Warning(w.String())
		}
		if w.Code != preflight.ForwardToSelf {
			continue
		}
		for i, b := range corefile {
			for _, d := range b.Directives {
				if d.Name == "forward" && d.File == w.File && d.Line == w.Line {
					circles[i] = true
				}
			}
		}
	}
	return circles
}

// templateOf tells what it means that the templates of b give a bare SERVFAIL. The plugin
// returns the same where a template with rcode SERVFAIL matches, where none matches and
// there is no fallthrough, and where an expression fails (plugin/template/template.go).
func templateOf(b preflight.Block) evidence.Template {
	const none, some, all = 0, 1, 2
	servfail, narrow := none, false
	for i, d := range slices.DeleteFunc(slices.Clone(b.Directives), func(d preflight.Directive) bool { return d.Name != "template" }) {
		own := none
		for _, line := range d.Lines[1:] {
			switch {
			case len(line) == 0:
			case line[0] == "expr" || line[0] == "var":
				return evidence.TemplateUnknown
			case line[0] == "match":
				narrow = true
			case line[0] == "rcode" && len(line) > 1 && strings.EqualFold(line[1], "SERVFAIL"):
				own = all
			}
		}
		if i > 0 && own != servfail {
			own = some
		}
		servfail = own
	}
	switch {
	case servfail == none:
		return evidence.TemplateNoMatch
	case servfail == all && !narrow:
		return evidence.TemplateRcode
	}
	return evidence.TemplateUnknown
}
