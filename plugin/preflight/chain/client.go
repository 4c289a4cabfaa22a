package chain

import (
	"context"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin/pkg/expression"
	"github.com/coredns/coredns/request"
)

// Clients are those that may query a zone, as far as views tell them apart.
type Clients struct {
	Names    []string // that they ask for, at least one
	Port     string   // that they send to
	Plain    bool     // they use UDP and TCP
	Loopback bool     // they are on this machine alone
}

// ofClients are the words of expressions of which it is known what they may stand for.
var ofClients = append([]string{
	"name", "proto", "client_ip", "incidr", "port", "id", "size", "bufsize", "do", "class", "opcode", "server_port",
	"matches", "contains", "startsWith", "endsWith",
}, ofTypes...)

// manyValued are words that stand for so many things that the views of a zone may share
// them out among each other.
var manyValued = []string{"name", "port", "id", "size", "bufsize", "do"}

// A query is one that a client may send.
type query struct {
	name, proto, ip string
	qtype           uint16
	do              bool
}

// usualTypes are those that clients ask for in every zone, reverse zones apart.
var usualTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeHTTPS, dns.TypeTXT, dns.TypeMX, dns.TypeSRV, dns.TypeNS, dns.TypeSOA,
}

// worlds are the parts of the address space in which all clients of a server may be, each
// with an address at the beginning of each of its ranges.
var (
	worlds = [][]netip.Prefix{
		prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
		prefixes("1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3",
			"64.0.0.0/3", "96.0.0.0/6", "101.0.0.0/8", "102.0.0.0/7", "104.0.0.0/5", "112.0.0.0/5", "120.0.0.0/6",
			"128.0.0.0/3", "160.0.0.0/5", "168.0.0.0/8", "170.0.0.0/7", "173.0.0.0/8", "174.0.0.0/7", "176.0.0.0/4",
			"193.0.0.0/8", "194.0.0.0/7", "196.0.0.0/6", "200.0.0.0/5", "208.0.0.0/4"),
		prefixes("fc00::/7"),
		prefixes("2000::/3"),
	}
	loopbacks = [][]netip.Prefix{prefixes("127.0.0.1/32"), prefixes("::1/128")}
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// toCompile is how many tries it costs about as much as to compile the expressions of a view.
const toCompile = 8

// Refuses reports whether each of views certainly rejects some query of clients, in each
// part of the address space. Each query that it tries is taken off steps; without enough
// of them it is false.
func Refuses(views []*Link, clients Clients, steps *int) bool {
	if *steps -= toCompile * len(views); *steps < 0 {
		return false
	}
	var networks []netip.Prefix
	about := make(map[string]int)
	for _, l := range views {
		v := l.view
		if v == nil || !v.onlyOf(ofClients) {
			return false
		}
		if v.compile(); v.broken {
			return false
		}
		networks = append(networks, v.networks...)
		for _, w := range ofClients {
			if v.about(w) {
				about[w]++
			}
		}
	}
	if about["proto"] > 0 && !clients.Plain || slices.ContainsFunc(manyValued, func(w string) bool { return about[w] > 1 }) {
		return false
	}
	if *steps -= len(networks); *steps < 0 {
		return false
	}
	all := worlds
	if clients.Loopback {
		all = loopbacks
	}
	queries := clients.queries(about)
	for _, world := range all {
		rejected := slices.ContainsFunc(edges(world, networks), func(ip string) bool {
			return slices.ContainsFunc(queries, func(q query) bool {
				if *steps -= len(views); *steps < 0 {
					return false
				}
				q.ip = ip
				env := q.env(clients.Port)
				return !slices.ContainsFunc(views, func(l *Link) bool { return l.view.accepts(env) })
			})
		})
		if !rejected {
			return false
		}
	}
	return true
}

// edges returns the addresses in world at which networks, or parts of world, begin or
// have just ended: what is true of networks changes nowhere else.
func edges(world, networks []netip.Prefix) []string {
	var all []string
	seen := make(map[netip.Addr]bool)
	add := func(a netip.Addr) {
		if !seen[a] && slices.ContainsFunc(world, func(p netip.Prefix) bool { return p.Contains(a) }) {
			all = append(all, a.String())
		}
		seen[a] = true
	}
	for _, p := range world {
		add(p.Addr())
	}
	for _, p := range networks {
		add(p.Addr())
		add(last(p).Next())
	}
	return all
}

// last returns the last address of p.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// queries are those of clients without an address, different in what views are about.
func (c Clients) queries(about map[string]int) []query {
	all := []query{{name: c.Names[0], proto: "udp", qtype: dns.TypeA}}
	if Reverse(c.Names[0]) {
		all[0].qtype = dns.TypePTR
	}
	vary := func(thing string, n int, change func(q *query, i int)) {
		if about[thing] == 0 {
			return
		}
		var more []query
		for _, q := range all {
			for i := range n {
				change(&q, i)
				more = append(more, q)
			}
		}
		all = more
	}
	vary("name", len(c.Names), func(q *query, i int) { q.name = c.Names[i] })
	vary("proto", 2, func(q *query, i int) { q.proto = []string{"udp", "tcp"}[i] })
	if !Reverse(c.Names[0]) {
		vary("type", len(usualTypes), func(q *query, i int) { q.qtype = usualTypes[i] })
	}
	vary("do", 2, func(q *query, i int) { q.do = i == 1 })
	return all
}

// env is what the words of an expression stand for (plugin/pkg/expression, DefaultEnv).
func (q query) env(port string) map[string]any {
	r := new(dns.Msg).SetQuestion(q.name, q.qtype)
	env := expression.DefaultEnv(context.Background(), &request.Request{Req: r})
	env["proto"] = func() string { return q.proto }
	env["client_ip"] = func() string { return q.ip }
	env["port"] = func() string { return "40000" }
	env["server_port"] = func() string { return port }
	env["size"] = func() int { return 60 }
	env["bufsize"] = func() int { return 1232 }
	env["do"] = func() bool { return q.do }
	return env
}
