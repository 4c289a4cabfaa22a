package option

import "github.com/miekg/dns"

// Received reports whether the OPT record of m came over the wire as it stands,
// with options in it: proof that m is the message of another server. miekg/dns
// sets the length of a record that it unpacks, and leaves it 0 in a record that is made
// here. An option that is added afterwards makes length and content differ.
func Received(m *dns.Msg) bool {
	opt := optOf(m)
	if opt == nil || opt.Hdr.Rdlength == 0 {
		return false
	}
	return dns.Len(opt)-emptyOPT == int(opt.Hdr.Rdlength)
}
