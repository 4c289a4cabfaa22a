package plugins

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// FirstVoice is the INFO-CODE of the first voice; each further one has the next.
const FirstVoice = 5

// Voice is what one of several upstreams says: SERVFAIL with an INFO-CODE and a
// text of its own, and its number as the serial of an SOA record, by which an
// answer is known to be its.
func Voice(r *dns.Msg, number int) *dns.Msg {
	m := new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
	m.RecursionAvailable = true
	record := soa(r.Question[0].Name).(*dns.SOA)
	record.Serial = uint32(number)
	m.Ns = []dns.RR{record}
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: FirstVoice + uint16(number), ExtraText: fmt.Sprintf("voice %d", number)}}
	return m
}

// parseVoices makes a plugin that answers with one Voice after another.
func parseVoices(args []string) (maker, error) {
	if err := words(args, ""); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, err
	}
	var turn atomic.Int64
	return func(plugin.Handler) plugin.Handler {
		return end("voices", func(w dns.ResponseWriter, r *dns.Msg) (int, error) {
			return dns.RcodeSuccess, w.WriteMsg(Voice(r, int(turn.Add(1))%n))
		})
	}, nil
}
