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
		found.walk(&doc, 0, object{})
	}
	sources := found.sources()
	if len(sources) == 0 && (must || found.any) {
		return nil, fmt.Errorf("%s: no Corefile in it: want a key Corefile, or keys that end in .server or .override in a ConfigMap whose name has coredns", name)
	}
	return sources, nil
}

// ofManifests are parts of the keys that a manifest is told by.
var ofManifests = []string{"apiVersion", "kind", "Corefile", ".server", ".override"}
