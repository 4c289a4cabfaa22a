package dnssec

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/miekg/dns"
)

// maxAnchors bounds a trust anchor file: a site has a handful.
const maxAnchors = 1000

// rootAnchors are what IANA publishes for the root: KSK-2017 and KSK-2024.
const rootAnchors = `
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
`

// RootAnchors returns the trust anchors of the public root zone.
func RootAnchors() []dns.RR {
	rrs, err := ParseAnchors(strings.NewReader(rootAnchors), "built-in root anchors")
	if err != nil {
		panic(err) // the constant above, held by a test
	}
	return rrs
}

// ParseAnchors reads trust anchors in zone-file form, DS and DNSKEY records of
// class IN only. Errors name the file and line. $INCLUDE is refused.
func ParseAnchors(r io.Reader, file string) ([]dns.RR, error) {
	counted := &lineReader{r: bufio.NewReader(r), line: 1}
	zp := dns.NewZoneParser(counted, ".", "")
	zp.SetDefaultTTL(0)
	var anchors []dns.RR
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		if len(anchors) == maxAnchors {
			return nil, fmt.Errorf("%s:%d: more than %d trust anchors", file, counted.line, maxAnchors)
		}
		name, valid := canonicalName(rr.Header().Name)
		if why := anchorFault(rr); why != "" || !valid {
			if why == "" {
				why = "the owner name is not valid"
			}
			return nil, fmt.Errorf("%s:%d: %s; accepted are DS and DNSKEY records, such as %q",
				file, counted.line, why, ". IN DS 20326 8 2 E06D44B8...")
		}
		rr.Header().Name = name
		anchors = append(anchors, rr)
	}
	if err := zp.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: not a zone-file record; accepted are DS and DNSKEY records, such as %q: %w",
			file, counted.line, ". IN DS 20326 8 2 E06D44B8...", err)
	}
	if len(anchors) == 0 {
		return nil, fmt.Errorf("%s:%d: no trust anchor; accepted are DS and DNSKEY records", file, counted.line)
	}
	return anchors, nil
}

func anchorFault(rr dns.RR) string {
	if rr.Header().Class != dns.ClassINET {
		return "class " + dns.Class(rr.Header().Class).String() + " is not IN"
	}
	switch a := rr.(type) {
	case *dns.DS:
		return ""
	case *dns.DNSKEY:
		switch {
		case a.Flags&dns.ZONE == 0:
			return "the DNSKEY has no Zone Key bit (flags must be 256 or 257)"
		case a.Flags&dns.REVOKE != 0:
			return "the DNSKEY is revoked (RFC 5011)"
		}
		return ""
	}
	return typeName(rr.Header().Rrtype) + " is not a trust anchor"
}

// lineReader counts lines as the parser reads; it implements io.ByteReader so
// that the parser takes octets one by one and does not read ahead.
type lineReader struct {
	r    *bufio.Reader
	line int
	nl   bool
}

func (l *lineReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := l.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// ReadByte counts a newline only once the octet after it is read: the parser
// ends a record with its newline, and that line is the one to name.
func (l *lineReader) ReadByte() (byte, error) {
	b, err := l.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if l.nl {
		l.line++
	}
	l.nl = b == '\n'
	return b, nil
}
