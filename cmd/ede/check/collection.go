package check

import (
	"encoding/base64"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A collection is what a manifest has of Corefiles.
type collection struct {
	name      string
	any       bool // it is a manifest, whatever is in it
	corefiles []source
	customs   []custom
	walked    int
	met       map[*yaml.Node]bool       // values that were taken
	clear     map[*yaml.Node]*yaml.Node // mappings of values in Base64, as they are read
}

// An object is what is known of the object of Kubernetes that a key stands in.
type object struct{ kind, name, namespace string }

// maxDepth is how deep a manifest is looked into.
const maxDepth = 32

// maxNodes is how many lists and mappings of a manifest are looked into: aliases of
// aliases may make more of them than memory holds.
const maxNodes = 1 << 20

// walk looks for the keys that hold Corefiles, wherever they stand.
func (c *collection) walk(n *yaml.Node, depth int, in object) {
	if n = aliased(n); depth > maxDepth || c.walked >= maxNodes {
		return
	}
	c.walked++
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			c.walk(child, depth+1, in)
		}
		return
	}
	in = in.within(n)
	if depth <= 1 && in == (object{}) && onlyCustom(n) {
		in.kind = kindConfigMap
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], aliased(n.Content[i+1])
		if value.Kind != yaml.ScalarNode {
			if key.Value == "binaryData" || key.Value == "data" && in.kind == "Secret" {
				value = c.decoded(value)
			}
			c.walk(value, depth+1, in)
			continue
		}
		c.any = c.any || key.Value == "apiVersion" || key.Value == "kind"
		switch {
		case value.Tag != "!!str" || c.met[value]:
		case isCustom(key.Value) && in.ofCoreDNS(): // Corefile.override too
			c.customs = append(c.customs, custom{key.Value, c.source(key, value, in)})
		case key.Value == "Corefile" || strings.HasPrefix(key.Value, "Corefile."):
			c.corefiles = append(c.corefiles, c.source(key, value, in))
		}
	}
}

// isCustom reports whether a Corefile may import a key of a ConfigMap.
func isCustom(key string) bool {
	return strings.HasSuffix(key, ".server") || strings.HasSuffix(key, ".override")
}

// within is the object that the keys of n, a mapping inside of o, stand in.
func (o object) within(n *yaml.Node) object {
	kind, metadata := valueOf(n, "kind"), valueOf(n, "metadata")
	if kind != nil || metadata != nil {
		o = object{}
	}
	if kind != nil {
		o.kind = kind.Value
	}
	if metadata != nil {
		if name := valueOf(metadata, "name"); name != nil {
			o.name = name.Value
		}
		if namespace := valueOf(metadata, "namespace"); namespace != nil {
			o.namespace = namespace.Value
		}
	}
	return o
}

const kindConfigMap = "ConfigMap"

// ofCoreDNS reports whether keys of o that a Corefile may import are parts of one:
// other programs have keys like redis.server too. All clusters that
// let their operator add to the Corefile call that ConfigMap coredns-custom; one
// without a name is a piece of a manifest that somebody chose.
func (o object) ofCoreDNS() bool {
	return strings.Contains(o.name, "coredns") || o.name == "" && o.kind == kindConfigMap
}

// onlyCustom reports whether n may be the data of a ConfigMap, which `jq .data` prints.
func onlyCustom(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isCustom(n.Content[i].Value) {
			return false
		}
	}
	return true
}

// valueOf is the value of a key of n, nil if n has none.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return aliased(n.Content[i+1])
		}
	}
	return nil
}

// aliased is what n stands for: a value may be written elsewhere, at an anchor.
func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// decoded is a mapping of values in Base64, without what is not Base64.
func (c *collection) decoded(n *yaml.Node) *yaml.Node {
	if known := c.clear[n]; known != nil {
		return known
	}
	plain := *n
	plain.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := *aliased(n.Content[i+1])
		text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.Value), ""))
		if err != nil || value.Kind != yaml.ScalarNode {
			continue
		}
		value.Value, value.Style, value.Tag = string(text), 0, "!!str"
		plain.Content = append(plain.Content, n.Content[i], &value)
	}
	if c.clear == nil {
		c.clear = make(map[*yaml.Node]*yaml.Node)
	}
	c.clear[n] = &plain
	return &plain
}

// source is a Corefile that is a value. In a block of YAML its lines are lines of
// the file; in a string between quotes they are the Corefile's own, and the
// name has the key and its line.
func (c *collection) source(key, value *yaml.Node, in object) source {
	if c.met == nil {
		c.met = make(map[*yaml.Node]bool)
	}
	c.met[value] = true
	s := source{name: c.name, text: value.Value, line: value.Line, namespace: in.namespace}
	if value.Style&yaml.LiteralStyle == 0 {
		s.name, s.line = fmt.Sprintf("%s:%d:%s", c.name, key.Line, key.Value), 0
	}
	return s
}
