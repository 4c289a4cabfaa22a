package option

import (
	"slices"

	"github.com/miekg/dns"
)

// Octets kept free for what CoreDNS adds to the message after Attach.
const (
	nsidRoom = 4 + 64 // the option nsid appends; 64 is the longest host name
	macRoom  = 64     // HMAC-SHA512, the longest MAC of a TSIG not yet signed
	// TSIGRoom is for a TSIG that is not in the message yet: two names of 255 octets at
	// most, its fixed fields and a time in Other Data (RFC 8945 section 4.2), and the MAC.
	TSIGRoom = 2*255 + 10 + 16 + 6 + macRoom
)

// maxPointer is the last octet that a compression pointer reaches (RFC 1035
// section 4.1.4).
const maxPointer = 1<<14 - 1

// Octets of one option: OPTION-CODE and OPTION-LENGTH (RFC 6891 section 6.1.2),
// then INFO-CODE (RFC 8914 section 2).
const emptyOption = 2 + 2 + 2

// Octets of a message without records, of a question without its name (RFC 1035
// section 4.1), and of an OPT without options (RFC 6891 section 6.1.2).
const (
	emptyMessage  = 12
	emptyQuestion = 2 + 2
	emptyOPT      = 1 + 2 + 2 + 4 + 2
)

// atMost returns a number of octets that m does not exceed, if it is a message as
// failures mostly are: with nothing but questions and an OPT without options.
// That is cheap to say; the exact size of a message is not.
func atMost(m *dns.Msg) (octets int, ok bool) {
	if len(m.Answer) > 0 || len(m.Ns) > 0 || len(m.Extra) > 1 {
		return 0, false
	}
	octets = emptyMessage
	for i := range m.Question {
		octets += atMostQuestion(&m.Question[i])
	}
	for _, rr := range m.Extra {
		if opt, ok := rr.(*dns.OPT); !ok || len(opt.Option) > 0 {
			return 0, false
		}
		octets += emptyOPT
	}
	return octets, true
}

// fit returns what of opts takes at most room octets.
func fit(opts []Option, room int) []Option {
	if fits(opts, room) {
		return opts
	}
	n := min(len(opts), max(room, 0)/emptyOption)
	fitting := slices.Clone(opts[:n])
	room -= n * emptyOption
	for i := range fitting {
		fitting[i].Text = cut(fitting[i].Text, room)
		room -= len(fitting[i].Text)
	}
	return fitting
}

// fits reports whether opts can go as they are.
func fits(opts []Option, room int) bool {
	for _, o := range opts {
		room -= emptyOption + len(o.Text)
		if room < 0 || !sendable(o.Text) {
			return false
		}
	}
	return true
}

// size returns the octets of m as it will leave. A TSIG is packed apart from the
// rest, without compression, and has its MAC only then.
func size(m *dns.Msg) int {
	tsig := m.IsTsig()
	if tsig == nil {
		return m.Len()
	}
	unsigned := *m
	unsigned.Extra = m.Extra[:len(m.Extra)-1]
	n := unsigned.Len() + dns.Len(tsig)
	if tsig.MAC == "" {
		n += macRoom
	}
	return n
}

// atMostQuestion is the same for a question. A name takes one octet more than its
// text at most (RFC 1035 section 3.1).
func atMostQuestion(q *dns.Question) int { return len(q.Name) + 1 + emptyQuestion }
