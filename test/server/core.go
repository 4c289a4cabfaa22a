//go:build !coredns1.14

package server

import (
	"io"

	clog "github.com/coredns/coredns/plugin/pkg/log"
)

// logsJSON is whether this CoreDNS can log in JSON.
const logsJSON = true

// configure has CoreDNS log to w in a format, text or json.
func configure(format string, w io.Writer) error { return clog.Configure(format, w) }

// Missing are the plugins of CoreDNS 1.15 that this CoreDNS does not have.
var Missing []string
