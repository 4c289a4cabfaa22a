package spelling

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// transports are what may stand before :// in a key.
var transports = []string{"dns", "tls", "quic", "grpc", "https", "https3"}

// Impossible returns why zone has no name that a client asks for, and what to write
// in its place; "" if it may have one. CoreDNS keeps the characters of such a zone as
// they are and compares them with the names of queries, in which github.com/miekg/dns
// writes most of them in another way, with a backslash or as a number. The others no
// client has in a name.
func Impossible(zone string) (why, fix string) {
	name := strings.TrimSuffix(zone, ".")
	if plain(name) {
		return "", ""
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	transport, rest, scheme := strings.Cut(name, "://")
	_, noPort := strconv.ParseUint(name, 10, 16)
	odd := func(characters string) bool { return strings.ContainsAny(name, characters) }
	switch {
	case odd(`\`), strings.Trim(name, "{}/") == "": // octets as numbers; braces and comments, which unknown-directive tells
		return "", ""
	case scheme && slices.Contains(transports, strings.ToLower(transport)):
		return "CoreDNS knows a transport in lower case only", "write `" + strings.ToLower(transport) + "://" + cmp.Or(rest, ".") + "`"
	case scheme && AddressIn(rest) != "":
		return "CoreDNS knows no transport " + strconv.Quote(transport+"://"), "write the zones as the keys, for example `.`, and `bind " + AddressIn(rest) + "` in the block"
	case scheme:
		return "CoreDNS knows no transport " + strconv.Quote(transport+"://"),
			"write `" + cmp.Or(rest, ".") + "` alone for UDP and TCP, or one of `dns://`, `tls://`, `https://`, `https3://`, `quic://` and `grpc://`"
	case noPort == nil:
		return "a number alone is read as a zone, not as a port", "write a zone before the port, for example `.:" + name + "`"
	case odd("*"):
		below := strings.TrimPrefix(name[strings.LastIndexByte(name, '*')+1:], ".")
		if below != "" || name == "*" {
			return "`*` is no wildcard here", "write `" + cmp.Or(below, ".") + "`: a zone has all names below it"
		}
		return "`*` is no wildcard here", "write the zone itself: it has all names below it"
	case odd("$%{}"):
		return "CoreDNS puts in the value of a variable only for `{$NAME}` and `{%NAME%}`", "write `{$NAME}`, or the zone itself, with a space before the brace of the block"
	case ported(name):
		return "a key has one port", "write the zone once for each port, for example `" + before(name) + ":53 " + before(name) + ":1053`"
	case Listed(name):
		return "what stands at its end is read as a part of it", "write `" + strings.TrimRight(name, ",;") + "`, and a space before the next zone"
	case odd(",; "):
		return "it is read as one zone", "write a space between the zones, or, for `forward` and `grpc`, one of them for each zone"
	case odd(`"'()@<>[]`):
		return "no client has such a character in a name", "write letters, digits, hyphens and dots"
	case strings.ContainsFunc(name, func(r rune) bool { return r > '~' }):
		if ascii, err := idna.Lookup.ToASCII(name); err == nil && ascii != name {
			return "clients ask for its ASCII form", "write `" + ascii + "`"
		}
		return "names in DNS are written in ASCII", "write the ASCII form of the zone, which begins with `xn--`"
	case odd(":") && strings.Trim(name, "0123456789abcdef:.[]") != "": // else an address, which address-as-key tells
		return "what stands behind the colon is no number of a port, and is read as part of the zone", "write `" + cmp.Or(before(name), ".") + "`, alone or with the number of a port"
	case strings.Trim(last, "0123456789") == "":
		return "no name ends in a number", "write the network, for example `192.0.2.0/24`, or its reverse zone"
	case strings.ContainsAny(last, "/="):
		return "no name ends so", "write letters, digits, hyphens and dots"
	}
	return "", ""
}

// Listed reports whether zone ends with what stands between those of a list.
func Listed(zone string) bool {
	zone = strings.TrimSuffix(zone, ".")
	return strings.HasSuffix(zone, ",") || strings.HasSuffix(zone, ";")
}

// before is what stands before the first colon.
func before(name string) string {
	zone, _, _ := strings.Cut(name, ":")
	return zone
}

// ported reports whether several ports stand behind a zone.
func ported(name string) bool {
	_, ports, ok := strings.Cut(name, ":")
	return ok && ports != "" && strings.Trim(ports, "0123456789,-") == ""
}

// plain reports whether name has only what the names of hosts have, and does not end
// in a number, as nearly all do.
func plain(name string) bool {
	letter := false // in the label that begins last
	for _, b := range []byte(name) {
		switch {
		case b >= 'a' && b <= 'z' || b == '-' || b == '_':
			letter = true
		case b == '.':
			letter = false
		case b < '0' || b > '9':
			return false
		}
	}
	return letter || name == ""
}
