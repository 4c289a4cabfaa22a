package remarks

import (
	"encoding/binary"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const (
	// maxSource is how many octets are kept of an upstream's address.
	maxSource = 128
	// maxSaid is the most that one answer can take: the address, and of each option
	// that option.Read returns the code, the length and the text.
	maxSaid = 1 + maxSource + 8*(2+2) + option.MaxText + option.MaxStructured
)

// octets is said as it is kept: the length of the address, the address, then of each option
// the code, the length of its text, and the text. All texts together are option.MaxText
// octets at most, structured ones apart.
func (s Said) octets() []byte {
	by := option.Sanitize(s.By, maxSource)
	b := append([]byte{byte(len(by))}, by...)
	plain, structured := option.MaxText, option.MaxStructured
	for _, o := range s.Options {
		text := o.Text
		switch {
		case !option.Structured(text):
			text = option.Sanitize(text, plain)
			plain -= len(text)
		case len(text) > structured:
			text = ""
		default:
			structured -= len(text)
		}
		b = binary.BigEndian.AppendUint16(b, o.Code)
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
		b = append(b, text...)
	}
	return b
}

// saidOf reads what octets made.
func saidOf(b []byte, at time.Time) Said {
	n := int(b[0])
	said := Said{By: string(b[1 : 1+n]), At: at}
	for b = b[1+n:]; len(b) > 0; {
		end := 4 + int(binary.BigEndian.Uint16(b[2:]))
		said.Options = append(said.Options, option.Option{Code: binary.BigEndian.Uint16(b), Text: string(b[4:end])})
		b = b[end:]
	}
	return said
}
