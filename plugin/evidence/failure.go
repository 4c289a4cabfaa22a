package evidence

// Failure is an error of a plugin, reduced to what classification and a log
// line need. Text and Detail are sanitized: they are one line, and local
// ephemeral ports are taken out, so that equal failures read equal.
type Failure struct {
	Kind Kind
	// Text is the error as the plugin worded it.
	Text string
	// Detail is the part of a TLS or template error that tells the reason.
	Detail string
	// Peer is the address that a network error names, if it names one.
	Peer string
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
