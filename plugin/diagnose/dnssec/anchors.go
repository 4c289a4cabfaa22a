package dnssec

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/miekg/dns"
)

// Bounds of a trust anchor file: a site has a handful of anchors.
const (
	maxAnchors    = 1000
	maxAnchorFile = 1 << 20
)

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

const wantedAnchors = `want DS and DNSKEY records of class IN, such as ". IN DS 20326 8 2 E06D44B8..."`

// ParseAnchors reads trust anchors in zone-file form, DS and DNSKEY records of
// class IN only, at most 1000 in 1 MiB. Errors name the file and line and say
// what is wanted. $INCLUDE and $GENERATE are refused.
func ParseAnchors(r io.Reader, file string) ([]dns.RR, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxAnchorFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(text) > maxAnchorFile {
		return nil, fmt.Errorf("%s: larger than %d octets; %s", file, maxAnchorFile, wantedAnchors)
	}
	for i, line := range bytes.Split(text, []byte{'\n'}) {
		record, _, _ := bytes.Cut(bytes.ToUpper(line), []byte{';'})
		if bytes.Contains(record, []byte("$GENERATE")) || bytes.Contains(record, []byte("$INCLUDE")) {
			return nil, fmt.Errorf("%s:%d: directives that bring in records are refused; %s", file, i+1, wantedAnchors)
		}
	}
	counted := &lineReader{r: bytes.NewReader(text), line: 1}
	zp := dns.NewZoneParser(counted, ".", "")
	zp.SetDefaultTTL(0)
	var anchors []dns.RR
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		if len(anchors) == maxAnchors {
			return nil, fmt.Errorf("%s:%d: more than %d trust anchors", file, counted.line, maxAnchors)
		}
		name, valid := canonicalName(rr.Header().Name)
		if why := anchorFault(rr); why != "" {
			return nil, fmt.Errorf("%s:%d: %s; %s", file, counted.line, why, wantedAnchors)
		}
		if !valid {
			return nil, fmt.Errorf("%s:%d: the owner name is not valid; %s", file, counted.line, wantedAnchors)
		}
		rr.Header().Name = name
		anchors = append(anchors, rr)
	}
	if err := zp.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: not a zone-file record; %s: %w", file, counted.line, wantedAnchors, err)
	}
	if len(anchors) == 0 {
		return nil, fmt.Errorf("%s:%d: no trust anchor; %s", file, counted.line, wantedAnchors)
	}
	return anchors, nil
}

// digestOctets is the length of each digest that is known.
var digestOctets = map[uint8]int{dns.SHA1: sha1.Size, dns.SHA256: sha256.Size, dns.SHA384: sha512.Size384}

// anchorFault says why rr cannot be a trust anchor, "" if it can.
func anchorFault(rr dns.RR) string {
	if rr.Header().Class != dns.ClassINET {
		return "class " + dns.Class(rr.Header().Class).String() + " is not IN"
	}
	switch a := rr.(type) {
	case *dns.DS:
		// miekg/dns accepts any word as a digest. One that matches no key would
		// leave every zone unjudged without a sign.
		want, known := digestOctets[a.DigestType]
		octets, err := hex.DecodeString(a.Digest)
		switch {
		case !known:
			return "the DS has " + digestName(a.DigestType) + ", which is not supported"
		case err != nil || len(octets) != want:
			return fmt.Sprintf("the %s digest of the DS is not %d hexadecimal digits", digestName(a.DigestType), 2*want)
		}
		return ""
	case *dns.DNSKEY:
		_, err := base64.StdEncoding.DecodeString(a.PublicKey)
		switch {
		case err != nil || a.PublicKey == "":
			return "the key of the DNSKEY is not base64"
		case a.Protocol != 3:
			return "the protocol of the DNSKEY is not 3"
		case a.Flags&dns.ZONE == 0:
			return "the DNSKEY has no Zone Key bit (flags must be 256 or 257)"
		case a.Flags&dns.REVOKE != 0:
			return "the DNSKEY is revoked (RFC 5011)"
		}
		return ""
	}
	return typeName(rr.Header().Rrtype) + " is not a trust anchor"
}

// lineReader counts lines as the parser reads. Being an io.ByteReader, it is not
// read ahead of the record at hand.
type lineReader struct {
	r    *bytes.Reader
	line int
	nl   bool
}

// Read is never used by the parser.
func (l *lineReader) Read(p []byte) (int, error) { return l.r.Read(p) }

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
