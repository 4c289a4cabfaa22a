// Package option handles Extended DNS Error options (RFC 8914) on the wire:
// it reads those of a reply, makes received text harmless, puts options in
// order, and attaches them to a copy of a reply within the room there is.
// CoreDNS and miekg/dns only pack options, and do none of this.
//
// Why a code was chosen is not known here. Whoever chose it hands over a list,
// most specific statement first. If room is short, Attach drops texts and options from the
// end of the list.
package option

// MaxOptions is the largest number of options that Arrange lets pass. RFC 8914
// sets no limit; BIND stops at three as well.
const MaxOptions = 3

// MaxText is the largest number of octets of EXTRA-TEXT in all options of one
// reply together. With it a failure without records fits into 512 octets even
// under the longest QNAME.
const MaxText = 200

// MaxStructured is the largest number of octets of structured text in all options
// of one reply together. MaxText does not count it.
const MaxStructured = 1000

// Source tells where the statement of an option comes from.
type Source uint8

// The sources of a statement.
const (
	Local     Source = iota // this server saw it itself, for this query
	Upstream                // the server that was asked said so
	Memory                  // seen earlier, for a failure that now came from cache
	Diagnosis               // found by asking again after the failure
)

var sources = [...]string{Local: "local", Upstream: "upstream", Memory: "memory", Diagnosis: "diagnosis"}

// String returns the metric label of s.
func (s Source) String() string {
	if int(s) >= len(sources) {
		return "unknown"
	}
	return sources[s]
}

// Option is one Extended DNS Error.
type Option struct {
	Code   uint16 // INFO-CODE
	Text   string // EXTRA-TEXT as Sanitize returns it (UTF-8, one line; may be empty), or Structured
	Source Source // never on the wire
}
