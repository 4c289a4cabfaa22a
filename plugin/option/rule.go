package option

import (
	"slices"

	"github.com/miekg/dns"
)

// Rule is what may be attached for one client, and what may be left of what
// others attached. The zero value is the default of the Corefile.
type Rule struct {
	// Always attaches to every SERVFAIL for a query with OPT, whether or not it
	// shows interest.
	Always bool
	// DropUpstream takes out what an upstream said.
	DropUpstream bool
	// WithoutText takes out what an upstream said in words.
	WithoutText bool
}

// Reason is why no option goes with an answer, "" if nothing stands against it.
type Reason string

const (
	// NoEDNS: the query had no OPT record (RFC 6891 section 7).
	NoEDNS Reason = "no_edns"
	// NoInterest: the answer is a SERVFAIL, and the query shows no interest in
	// reasons. systemd-resolved takes a SERVFAIL with an EDE as final and asks no
	// other server.
	NoInterest Reason = "no_interest"
)

// Withholds returns why an answer with rcode goes out as the chain made it, or ""
// if options are attached. After a REFUSED every client asks its next server, so
// a REFUSED gets options for every query with OPT.
func (r Rule) Withholds(rcode int, req Request) Reason {
	switch {
	case !req.HasOPT():
		return NoEDNS
	case rcode != dns.RcodeRefused && !r.Always && !req.Interested():
		return NoInterest
	}
	return ""
}

// Suit returns the options of opts that may be in an answer with rcode to req. Structured
// texts go only to a query with an EDE option; for others the option is left out.
// Where options go to those who show no interest, 14 Not Ready is not the first of
// a SERVFAIL: 0 Other Error goes before it and has its text, since systemd-resolved
// asks again and again on 14. Without text there is nothing to send then. opts is
// left as it is.
func (r Rule) Suit(opts []Option, rcode int, req Request) []Option {
	isStructured := func(o Option) bool { return Structured(o.Text) }
	if !req.AsksForEDE() && slices.ContainsFunc(opts, isStructured) {
		opts = slices.DeleteFunc(slices.Clone(opts), isStructured)
	}
	if r.Always && rcode == dns.RcodeServerFailure && len(opts) > 0 && opts[0].Code == notReady {
		opts = behindOther(opts)
	}
	return opts
}

// behindOther puts Other Error, with the text of the first of opts, before it.
func behindOther(opts []Option) []Option {
	first := opts[0]
	if first.Text == "" {
		return nil
	}
	moved := []Option{{Code: otherError, Text: first.Text, Source: first.Source}, {Code: first.Code, Source: first.Source}}
	for _, o := range opts[1:] {
		if len(moved) < MaxOptions && o.Code != otherError {
			moved = append(moved, o)
		}
	}
	return moved
}

// lostItsText reports whether fitting, which is what there is room for of opts, is
// without the text that has to stand before Not Ready.
func lostItsText(opts, fitting []Option) bool {
	return len(opts) > 1 && opts[0].Code == otherError && opts[1].Code == notReady && opts[0].Text != "" &&
		(len(fitting) == 0 || fitting[0].Text == "")
}

// Leave returns reply as it leaves where no option is attached: as the chain made
// it. upstreams says that its Extended DNS Errors are an upstream's, which the rule
// may take out.
func (r Rule) Leave(reply *dns.Msg, req Request, upstreams bool) *dns.Msg {
	return Leave(reply, req, upstreams && r.DropUpstream, upstreams && r.WithoutText)
}
