package record

import (
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// field is one key of a line. All lines, in text and in JSON, are made of
// fields, so that both say the same in the same order.
type field struct {
	key   string
	kind  fieldKind
	text  string
	num   uint64
	float float64
	codes []uint16
	yes   bool
}

type fieldKind uint8

const (
	textField fieldKind = iota
	numberField
	secondsField
	codesField
	boolField
)

// fields of a line; absent ones are left out.
type fields []field

func (fs *fields) text(key, value string) {
	if value != "" {
		*fs = append(*fs, field{key: key, text: value})
	}
}

func (fs *fields) number(key string, value uint64) {
	*fs = append(*fs, field{key: key, kind: numberField, num: value})
}

func (fs *fields) seconds(key string, d time.Duration) {
	// Duration.Seconds adds a fraction to the seconds, and 1.82 comes out of it as
	// 1.8199999999999998.
	milliseconds := d.Round(time.Millisecond).Milliseconds()
	*fs = append(*fs, field{key: key, kind: secondsField, float: float64(milliseconds) / 1000})
}

func (fs *fields) codes(key string, codes []uint16) {
	if len(codes) > 0 {
		*fs = append(*fs, field{key: key, kind: codesField, codes: codes})
	}
}

func (fs *fields) yes(key string, value bool) {
	*fs = append(*fs, field{key: key, kind: boolField, yes: value})
}

// maxFields is how many fields the line of a failure can have.
const maxFields = 30

// fieldsOf appends the fields of a failure in the order of its line.
func fieldsOf(fs fields, f *Failure, client ClientForm) fields {
	v := f.Verdict
	fs.text("rcode", dns.RcodeToString[f.Rcode])
	fs.text("cause", v.Cause.ID)
	fs.codes("ede", v.Codes())
	fs.text("lasts", string(v.Lasts))
	fs.text("owner", string(v.Owner))
	fs.text("at", v.At)
	fs.text("upstream", v.Upstream)
	fs.text("server", f.Server)
	fs.text("view", f.View)
	fs.text("protocol", f.Protocol)
	addr, port := client.of(f.Client)
	fs.text("client_ip", addr)
	if port != 0 {
		fs.number("client_port", uint64(port))
	}
	fs.text("client_namespace", f.Pod.Namespace)
	fs.text("client_pod", f.Pod.Name)
	fs.text("qname", f.Question.Name)
	fs.text("qtype", dns.Type(f.Question.Qtype).String())
	fs.text("qclass", dns.Class(f.Question.Qclass).String())
	if f.Asked != f.Question {
		fs.text("asked", f.Asked.Name+" "+dns.Type(f.Asked.Qtype).String())
	}
	fs.number("id", uint64(f.ID))
	fs.seconds("duration_seconds", f.Duration)
	fs.yes("cached", f.Cached)
	fs.text("sent", string(f.Sent))
	fs.text("text", v.Text())
	fs.text("error", f.Error)
	if f.First {
		fs.text("advice", v.Advice)
	}
	return fs
}

func incidentFields(in incident.Incident) fields {
	fs := make(fields, 0, 14)
	fs.text("rcode", in.Reason.Rcode)
	fs.text("cause", in.Cause)
	fs.codes("ede", in.Reason.Codes())
	fs.text("at", in.At)
	fs.text("upstream", in.Upstream)
	fs.text("zone", in.Zone)
	return fs
}

func summaryFields(s incident.Summary, window time.Duration) fields {
	fs := incidentFields(s.Incident)
	fs.number("count", s.Window)
	fs.number("cached_count", s.WindowCached)
	fs.number("names", uint64(s.Names))
	fs.seconds("window_seconds", window)
	outstanding := s.Outstanding()
	top := make([]string, 0, len(outstanding))
	for _, n := range outstanding[:min(len(outstanding), 5)] {
		top = append(top, n.Name+":"+strconv.FormatUint(n.AtLeast(), 10))
	}
	fs.text("top", strings.Join(top, " "))
	return fs
}

func recoveredFields(in incident.Incident) fields {
	fs := incidentFields(in)
	fs.seconds("after_seconds", in.After())
	fs.number("count", in.Count)
	return fs
}
