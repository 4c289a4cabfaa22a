// Package why answers _why.NAME TXT, by which a client without a shell on the server asks
// why a name failed. It is a view of the history of failures.
package why

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// label stands before the name that is asked about. RFC 8552 keeps labels that begin with
// an underscore apart from host names.
const label = "_why."

const (
	// maxEpisodes is how many failures an answer tells of.
	maxEpisodes = 5
	// maxString is the length of a character-string in octets (RFC 1035 section 3.3).
	maxString = 255
	// maxUpstream is how much of an upstream's address goes into an answer, in octets.
	maxUpstream = 100
)

// Answerer answers for the names of one server block.
type Answerer struct {
	// Block is the server block in History.
	Block   uint64
	Zones   []string
	History *incident.History
	// Host is how this server names itself in an answer.
	Host string
	// May reports whether the client at addr may be told.
	May func(addr netip.Addr) bool
}

// Takes reports whether r asks why a name of the block failed, and client may know. For
// everybody else it is an ordinary name.
func (a *Answerer) Takes(r *dns.Msg, client func() netip.Addr) bool {
	if len(r.Question) != 1 || r.Opcode != dns.OpcodeQuery || r.Response {
		return false
	}
	q := r.Question[0]
	if q.Qtype != dns.TypeTXT || q.Qclass != dns.ClassINET {
		return false
	}
	if len(q.Name) <= len(label) || !strings.EqualFold(q.Name[:len(label)], label) {
		return false
	}
	name := strings.ToLower(q.Name[len(label):])
	return plugin.Zones(a.Zones).Matches(name) != "" && a.May(client())
}

// Answer writes what is remembered of the name that follows the label _why. The server core
// adds OPT and cuts the answer to the client's size, as for any plugin.
func (a *Answerer) Answer(w dns.ResponseWriter, r *dns.Msg) (int, error) {
	q := r.Question[0]
	reply := new(dns.Msg).SetReply(r)
	reply.Authoritative = true
	for _, text := range texts(a.Host, a.History.Why(a.Block, q.Name[len(label):]), time.Now()) {
		reply.Answer = append(reply.Answer, &dns.TXT{
			// TTL 0: what is true of a name changes with the next query.
			Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 0},
			Txt: []string{text},
		})
	}
	return dns.RcodeSuccess, w.WriteMsg(reply)
}

// texts are the character-strings of an answer, one an episode.
func texts(host string, episodes []incident.Episode, now time.Time) []string {
	if len(episodes) == 0 {
		return []string{characterString(clock(now) + " " + host + " no failure remembered")}
	}
	var all []string
	for _, e := range episodes[:min(len(episodes), maxEpisodes)] {
		words := []string{clock(e.First), host, e.Cause}
		if e.Upstream != "" {
			words = append(words, option.Sanitize(strings.TrimSuffix(e.Upstream, ":53"), maxUpstream))
		}
		text := strings.Join(words, " ") + " x" + strconv.FormatUint(e.Count, 10)
		switch {
		case !e.OKSince.IsZero():
			text += ", ok since " + clock(e.OKSince)
		case e.Count > 1:
			text += ", last " + clock(e.Last)
		}
		all = append(all, characterString(text))
	}
	return all
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) + "Z" }

// characterString bounds s and escapes it as miekg/dns unescapes it, so that a backslash
// arrives as one.
func characterString(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(option.Sanitize(s, maxString))
}
