package ede

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// whyLabel stands before the name that is asked about. RFC 8552 keeps labels
// that begin with an underscore apart from host names.
const whyLabel = "_why."

const (
	maxWhy = 5
	// maxString is that of one character-string (RFC 1035 section 3.3).
	maxString = 255
	// maxWhyUpstream is what of an upstream's address goes into an answer.
	maxWhyUpstream = 100
)

func (p *parser) why(args []string) error {
	if len(args) != 0 {
		return p.c.Errf("%s: no argument is accepted", line("why", args))
	}
	p.block.why, p.settings.why = true, true
	return nil
}

// checkWhy fails if nobody can ever get an answer. Properties come in any
// order, so this is known at the end of the directive only.
func (p *parser) checkWhy() error {
	if !p.block.why {
		return nil
	}
	for _, rule := range p.block.texts {
		if rule.words == cause.FullWords {
			return nil
		}
	}
	return p.c.Err("why answers clients whose text level is full, and none is: accepted is why beside a text full line")
}

// takesWhy reports whether r is answered here.
func (e *Ede) takesWhy(w dns.ResponseWriter, r *dns.Msg) bool {
	return !e.block.shadow && len(r.Question) == 1 && e.asksWhy(r, clientOf(w).Addr())
}

// asksWhy reports whether r asks this server why a name fails, and may know.
// The same name is a name as any for all other clients.
func (e *Ede) asksWhy(r *dns.Msg, client netip.Addr) bool {
	q := r.Question[0]
	if q.Qtype != dns.TypeTXT || q.Qclass != dns.ClassINET || r.Opcode != dns.OpcodeQuery || r.Response {
		return false
	}
	if len(q.Name) <= len(whyLabel) || !strings.EqualFold(q.Name[:len(whyLabel)], whyLabel) {
		return false
	}
	name := strings.ToLower(q.Name[len(whyLabel):])
	return plugin.Zones(e.block.serves).Matches(name) != "" && e.block.wordsFor(client) == cause.FullWords
}

// answerWhy tells what is remembered of the name behind the label. The server
// core adds OPT and cuts the answer to the client's size, as for any plugin.
func (e *Ede) answerWhy(w dns.ResponseWriter, r *dns.Msg) (int, error) {
	q := r.Question[0]
	reply := new(dns.Msg).SetReply(r)
	reply.Authoritative = true
	for _, text := range whyTexts(hostname(), e.process.history.Why(e.block.id, q.Name[len(whyLabel):]), time.Now()) {
		reply.Answer = append(reply.Answer, &dns.TXT{
			// TTL 0: what is true of a name changes with the next query.
			Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 0},
			Txt: []string{text},
		})
	}
	return dns.RcodeSuccess, w.WriteMsg(reply)
}

// whyTexts are the character-strings of an answer, one an episode.
func whyTexts(host string, episodes []incident.Episode, now time.Time) []string {
	if len(episodes) == 0 {
		return []string{characterString(clock(now) + " " + host + " no failure remembered")}
	}
	var texts []string
	for _, e := range episodes[:min(len(episodes), maxWhy)] {
		words := []string{clock(e.First), host, e.Cause}
		if e.Upstream != "" {
			words = append(words, option.Sanitize(strings.TrimSuffix(e.Upstream, ":53"), maxWhyUpstream))
		}
		text := strings.Join(words, " ") + " x" + strconv.FormatUint(e.Count, 10)
		switch {
		case !e.OKSince.IsZero():
			text += ", ok since " + clock(e.OKSince)
		case e.Count > 1:
			text += ", last " + clock(e.Last)
		}
		texts = append(texts, characterString(text))
	}
	return texts
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) + "Z" }

// characterString bounds s and escapes it as miekg/dns unescapes it, so that a
// backslash arrives as one.
func characterString(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(option.Sanitize(s, maxString))
}
