package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// defaultCorefile is what clusters have whose operator may only add to it: what
// k3s and AKS share of theirs.
const defaultCorefile = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
    forward . /etc/resolv.conf
}
import custom/*.server
`

// manifest returns the Corefiles of a manifest in YAML or JSON, nil if text is
// none. An error is one of a file that can be nothing but a manifest.
func manifest(name string, text []byte) ([]source, error) {
	must := slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
	if !must && !slices.ContainsFunc(ofManifests, func(key string) bool { return bytes.Contains(text, []byte(key)) }) {
		return nil, nil
	}
	var found collection
	found.name = name
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if must || found.any {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return nil, nil
		}
		found.walk(&doc, 0)
	}
	sources := found.sources()
	if len(sources) == 0 && (must || found.any) {
		return nil, fmt.Errorf("%s: no Corefile in it: want a key Corefile, or keys that end in .server or .override", name)
	}
	return sources, nil
}

// ofManifests are parts of the keys that a manifest is told by.
var ofManifests = []string{"apiVersion", "kind", "Corefile", ".server", ".override"}

// A collection is what a manifest has of Corefiles.
type collection struct {
	name      string
	any       bool // it is a manifest, whatever is in it
	corefiles []source
	customs   []custom
}

// maxDepth is how deep a manifest is looked into.
const maxDepth = 32

// walk looks for the keys that hold Corefiles, wherever they stand.
func (c *collection) walk(n *yaml.Node, depth int) {
	if depth > maxDepth {
		return
	}
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			c.walk(child, depth+1)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if value.Kind != yaml.ScalarNode {
			c.walk(value, depth+1)
			continue
		}
		c.any = c.any || key.Value == "apiVersion" || key.Value == "kind"
		switch {
		case value.Tag != "!!str":
		case key.Value == "Corefile" || strings.HasPrefix(key.Value, "Corefile."):
			c.corefiles = append(c.corefiles, c.source(key, value))
		case strings.HasSuffix(key.Value, ".server") || strings.HasSuffix(key.Value, ".override"):
			c.customs = append(c.customs, custom{key.Value, c.source(key, value)})
		}
	}
}

// source is a Corefile that is a value. In a block of YAML its lines are lines of
// the file; in a string between quotes they are the Corefile's own, and the
// name has the key and its line.
func (c *collection) source(key, value *yaml.Node) source {
	s := source{name: c.name, text: value.Value, line: value.Line}
	if value.Style&yaml.LiteralStyle == 0 {
		s.name, s.line = fmt.Sprintf("%s:%d:%s", c.name, key.Line, key.Value), 0
	}
	return s
}

// sources joins the Corefiles with what they import. Without a Corefile that
// imports them, what a cluster's operator may add stands in the default one.
func (c *collection) sources() []source {
	imported := false
	for i := range c.corefiles {
		if importing.MatchString(c.corefiles[i].text) {
			c.corefiles[i].custom = c.customs
			imported = true
		}
	}
	if imported || len(c.customs) == 0 {
		return c.corefiles
	}
	return append(c.corefiles, source{name: c.name + " (default Corefile)", text: defaultCorefile, custom: c.customs})
}
