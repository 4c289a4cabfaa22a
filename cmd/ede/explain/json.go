package explain

import (
	"encoding/json"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// result is the JSON form.
type result struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Server  string   `json:"server"`
	Rcode   string   `json:"rcode,omitempty"`
	Outcome string   `json:"outcome"`
	Cause   string   `json:"cause,omitempty"`
	Codes   []uint16 `json:"ede,omitempty"`
	// Said is what the server itself gave as its reason.
	Said      []said `json:"said,omitempty"`
	Zone      string `json:"zone,omitempty"`
	Owner     string `json:"owner,omitempty"`
	Text      string `json:"text"`
	Disagrees string `json:"disagrees,omitempty"`
	Fault     *fault `json:"fault,omitempty"`
	Advice    string `json:"advice,omitempty"`
	// Seen is what was seen of those nearer than the fault.
	Seen         []string `json:"ruled_out,omitempty"`
	Steps        []step   `json:"steps"`
	Queries      int      `json:"queries"`
	Milliseconds int64    `json:"duration_ms"`
}

// fault is the record at fault, and the key or signature.
type fault struct {
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	KeyTag     uint16     `json:"key_tag,omitempty"`
	Algorithm  uint8      `json:"algorithm,omitempty"`
	Inception  *time.Time `json:"inception,omitempty"`
	Expiration *time.Time `json:"expiration,omitempty"`
}

type said struct {
	Code uint16 `json:"ede"`
	Text string `json:"text,omitempty"`
}

type step struct {
	Zone string `json:"zone,omitempty"`
	What string `json:"what"`
	OK   bool   `json:"ok"`
}

func (p *printer) printJSON(f diagnose.Finding) error {
	r := result{
		Name: p.question.Name, Type: dns.Type(p.question.Qtype).String(), Server: p.server,
		Outcome: f.Outcome.String(), Zone: f.Zone, Text: option.Sanitize(f.Text, 2*maxLine), Disagrees: option.Sanitize(f.Disagrees, maxLine),
		Fault: faultOf(f.Fault), Queries: f.Queries, Milliseconds: f.Elapsed.Milliseconds(), Steps: []step{}, Seen: f.Seen,
	}
	if p.reply != nil {
		r.Rcode = dns.RcodeToString[p.reply.Rcode]
	}
	for _, o := range option.Read(p.reply) {
		r.Said = append(r.Said, said{o.Code, o.Text})
	}
	if v := f.Verdict; v != nil && f.Outcome != diagnose.Undecided {
		r.Cause, r.Codes, r.Owner, r.Advice = v.Cause.ID, v.Codes(), string(v.Owner), v.Advice
	}
	for _, s := range f.Steps {
		r.Steps = append(r.Steps, step{s.Zone, option.Sanitize(s.What, maxLine), s.OK})
	}
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func faultOf(f *dnssec.Finding) *fault {
	if f == nil {
		return nil
	}
	made := &fault{Name: f.Owner, Type: dns.Type(f.Type).String(), KeyTag: f.KeyTag, Algorithm: f.Algorithm}
	if !f.Expiration.IsZero() {
		made.Inception, made.Expiration = &f.Inception, &f.Expiration
	}
	return made
}
