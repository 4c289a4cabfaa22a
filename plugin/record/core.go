//go:build !coredns1.14

package record

import clog "github.com/coredns/coredns/plugin/pkg/log"

// inJSON reports whether CoreDNS logs in JSON.
func inJSON() bool { return clog.IsJSON() }

// writeJSON logs message at INFO with attributes of its own.
func writeJSON(message string, fs fields) { clog.InfoAttrs(message, attrs(fs)...) }
