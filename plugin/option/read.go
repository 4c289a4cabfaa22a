package option

import (
	"strings"

	"github.com/miekg/dns"
)

// maxRead limits what one reply can make us keep. It is above MaxOptions, since
// not every option read is passed on.
const maxRead = 8

// Read returns the Extended DNS Errors in the OPT record of m, in their order,
// at most eight and with Source Local. RFC 8914 section 3 obliges us to accept
// several; of those with equal INFO-CODE the first is kept, with the text of a
// later one if its own is empty. Each text is sanitized and at most MaxText
// octets long, or it is Structured and kept as it is.
//
// An option of less than two octets never gets here: miekg/dns rejects the
// whole message that carries it.
func Read(m *dns.Msg) []Option {
	opt := optOf(m)
	if opt == nil {
		return nil
	}
	var opts []Option
	for _, o := range opt.Option {
		ede, ok := o.(*dns.EDNS0_EDE)
		if !ok {
			continue
		}
		i := indexCode(opts, ede.InfoCode)
		switch {
		case i >= 0 && opts[i].Text == "":
			opts[i].Text = received(ede.ExtraText)
		case i < 0 && len(opts) < maxRead:
			opts = append(opts, Option{Code: ede.InfoCode, Text: received(ede.ExtraText)})
		}
	}
	return opts
}

// received returns an EXTRA-TEXT as it is kept. A NUL at its end is allowed and
// means nothing (RFC 8914 section 2).
func received(text string) string {
	if whole := strings.TrimRight(text, "\x00"); Structured(whole) {
		return whole
	}
	return Sanitize(text, MaxText)
}

// optOf is Msg.IsEdns0 without its panic on a nil message or record.
func optOf(m *dns.Msg) *dns.OPT {
	if m == nil {
		return nil
	}
	for i := len(m.Extra) - 1; i >= 0; i-- {
		if opt, ok := m.Extra[i].(*dns.OPT); ok {
			return opt
		}
	}
	return nil
}

func optionsOf(m *dns.Msg) []dns.EDNS0 {
	if opt := optOf(m); opt != nil {
		return opt.Option
	}
	return nil
}

func indexCode(opts []Option, code uint16) int {
	for i := range opts {
		if opts[i].Code == code {
			return i
		}
	}
	return -1
}
