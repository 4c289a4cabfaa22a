//go:build coredns1.14

package server

import (
	"io"
	golog "log"
)

// logsJSON is whether this CoreDNS can log in JSON.
const logsJSON = false

// configure has CoreDNS log to w, in text.
func configure(_ string, w io.Writer) error {
	golog.SetOutput(w)
	return nil
}

// Missing are the plugins of CoreDNS 1.15 that this CoreDNS does not have.
var Missing = []string{"dynupdate", "siit"}
