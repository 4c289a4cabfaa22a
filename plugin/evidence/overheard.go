package evidence

import "time"

// Overheard is the last error that the failing plugin logged about the data that it
// answers from. Text is empty if none was heard.
type Overheard struct {
	Reason Reason
	// Text is the line as the plugin worded it, sanitized.
	Text string
	// Last is when it was logged, and Lasted how long ago the first of such lines was.
	Last   time.Time
	Lasted time.Duration
}

// Reason is what an overheard error is, in kinds that can be told without addresses.
type Reason uint8

const (
	// NoReason: an error of another kind.
	NoReason Reason = iota
	// Forbidden: the source does not let this server read.
	Forbidden
	// TransferRefused: the primary answered the transfer with an rcode.
	TransferRefused
	// NoFile: there is no such file.
	NoFile
	// NoHost: the name of the source has no address.
	NoHost
	// Untrusted: the TLS handshake or the certificate failed.
	Untrusted
	// NotListening: the source refused the connection.
	NotListening
	// NoRoute: there is no way to the source.
	NoRoute
	// Silent: no reply in time, SilentOverTCP the same over TCP.
	Silent
	SilentOverTCP
	// HungUp: the source closed the connection.
	HungUp
	// Unreadable: the data do not parse.
	Unreadable
)

var reasonNames = [...]string{
	"none", "forbidden", "transfer refused", "no file", "no host", "untrusted", "not listening", "no route",
	"silent", "silent over TCP", "hung up", "unreadable",
}

func (r Reason) String() string { return reasonNames[r] }
