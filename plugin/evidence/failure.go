package evidence

import (
	"errors"
	"strings"
	"syscall"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Failure is an error of a plugin, reduced to what classification and a log
// line need.
type Failure struct {
	Kind Kind
	// Err is the error that the plugin returned; Text is what it says.
	Err error
	// Detail is the part of a TLS or template error that tells the reason,
	// sanitized.
	Detail string
	// NotYetValid is true for a certificate that begins later than this server's clock
	// says it is.
	NotYetValid bool
	// Peer is the address that a network error names, if it names one. It is
	// left empty where forward has named its upstream.
	Peer string
}

// maxErrorText bounds the text of an error in octets: an error may quote a
// query name or what an upstream sent.
const maxErrorText = 300

// Text returns the error as the plugin worded it, on one line of harmless text,
// and without local ephemeral ports, so that equal failures read equal. Most
// failures are counted and never read, and wording an error of the network costs
// as much as classifying it: so it is done when somebody asks.
func (f *Failure) Text() string {
	if f.Err == nil {
		return ""
	}
	return option.Sanitize(WithoutLocalPorts(f.Err.Error()), maxErrorText)
}

// Kind is what an error is, by type where Go or CoreDNS offers one.
type Kind uint8

const (
	NoError Kind = iota
	// Timeout: no answer within a deadline.
	Timeout
	// ConnRefused: nothing listens there.
	ConnRefused
	// Unroutable: host or network unreachable.
	Unroutable
	// Closed: the peer closed or reset the connection.
	Closed
	// TLS: the handshake or the certificate failed.
	TLS
	// Malformed: the reply does not parse.
	Malformed
	// NoDescriptor: this process, or its system, can open no further socket.
	NoDescriptor
	// NetworkOther: a network error of another kind.
	NetworkOther
	// NoHealthy: every upstream is marked down.
	NoHealthy
	// LimitExceeded: forward's max_concurrent.
	LimitExceeded
	// Stopped: the transport was stopped, as during a reload.
	Stopped
	// Canceled: the query's context ended before an exchange failed.
	Canceled
	// NoNextPlugin: the chain ended.
	NoNextPlugin
	// InvalidName: rewrite made an invalid name.
	InvalidName
	// TemplateFault: a template does not execute or gives no record.
	TemplateFault
	// StoreNotReady: a zone store is not open.
	StoreNotReady
	// NoSOA: a zone without SOA was to be transferred.
	NoSOA
	// InternalLookup: dns64 or siit could not look up a name internally.
	InternalLookup
	// SearchPath: autopath could not apply its search path to the name.
	SearchPath
	// Other: an error that none of the above describes.
	Other
)

var kindNames = [...]string{
	"none", "timeout", "connection refused", "unroutable", "closed", "tls", "malformed", "no descriptor", "network",
	"no healthy upstream", "limit exceeded", "stopped", "canceled", "no next plugin", "invalid name",
	"template fault", "store not ready", "no SOA", "internal lookup", "search path", "other",
}

func (k Kind) String() string { return kindNames[k] }

// Network is true for errors of an exchange with another server.
func (k Kind) Network() bool { return k >= Timeout && k <= NetworkOther }

// Exchanged is true for the errors that come after a plugin began to ask an upstream, and
// false for those that say that no upstream was asked.
func (k Kind) Exchanged() bool {
	switch k {
	case NoError, NoHealthy, LimitExceeded, NoNextPlugin:
		return false
	}
	return true
}

// OfErrno returns the kind of an error by the number that the operating system gave. It is
// NoError if the error has no number, or one that says only that something failed.
func OfErrno(err error) Kind {
	errno, _ := errors.AsType[syscall.Errno](err)
	switch errno {
	case syscall.EMFILE, syscall.ENFILE:
		return NoDescriptor
	case syscall.ECONNREFUSED:
		return ConnRefused
	case syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL:
		return Unroutable
	case syscall.ECONNRESET, syscall.EPIPE:
		return Closed
	}
	return NoError
}

// WithoutLocalPorts makes the texts of errors of equal failures equal: it takes the
// ephemeral port out of "read udp 192.0.2.1:40112->192.0.2.53:53". Every failed
// exchange passes here, at a tenth of what a regular expression costs.
func WithoutLocalPorts(text string) string {
	var b strings.Builder
	for {
		arrow := strings.Index(text, "->")
		if arrow < 0 {
			break
		}
		b.WriteString(withoutPort(text[:arrow]))
		b.WriteString("->")
		text = text[arrow+len("->"):]
	}
	if b.Len() == 0 {
		return text
	}
	b.WriteString(text)
	return b.String()
}

// maxPortDigits is the length of 65535.
const maxPortDigits = 5

// withoutPort cuts the port off the address that text ends in, if it ends in
// one.
func withoutPort(text string) string {
	host := strings.TrimRight(text, "0123456789")
	digits := len(text) - len(host)
	address, ok := strings.CutSuffix(host, ":")
	if !ok || digits == 0 || digits > maxPortDigits || address == "" || !strings.ContainsRune(addressEnd, rune(address[len(address)-1])) {
		return text
	}
	return address
}

// addressEnd is what an IP address, bracketed or not, may end in.
const addressEnd = "0123456789abcdefABCDEF.:]"
