//go:build coredns1.14

package record

// inJSON is false: CoreDNS 1.14 logs text only.
func inJSON() bool { return false }

// writeJSON is never called.
func writeJSON(string, fields) {}
