package corefiles

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// circle is of two blocks, each of which forwards to the other, on another address.
// Some names have an answer in one of them, or all in the other. An upstream outside of the circle
// may be the first that is asked, or the second.
func (m *maker) circle(zone, name string) []block {
	if m.chance(30) {
		zone = name
	}
	mark := m.marked()
	to := m.one([]string{there, there, there + " " + m.tree.upstream(mark), m.tree.upstream(mark) + " " + there})
	one := block{zones: []string{zone}, uses: []use{
		{lines: []string{"forward . " + to + " {", "    policy sequential", "}"}, mark: mark, backend: true, names: []string{name, "x." + name, "x.x." + name}},
	}}
	other := block{zones: []string{"."}, bind: address2, uses: []use{{lines: []string{"forward . " + here}, backend: true}}}
	switch some := m.entry(name, []string{"    fallthrough"}); m.IntN(4) {
	case 0:
		one.uses = append(one.uses, some)
	case 1:
		other.uses = append(other.uses, some)
	case 2:
		other.uses = append(other.uses, m.all())
	}
	return []block{one, other}
}

// all answers everything.
func (m *maker) all() use {
	mark := m.marked()
	soa := fmt.Sprintf(`    authority "{{ .Zone }} 60 IN SOA %s mail.example. 1 60 60 60 60"`, m.tree.name(mark))
	return use{lines: []string{"template ANY ANY {", "    rcode NXDOMAIN", soa, "}"}, mark: mark, backend: true}
}

// The two addresses that CoreDNS listens on. Clients ask the first.
const address1, address2 = "127.0.0.1", "127.0.0.3"

// here and there stand for them in lines of forward: the ports are not known before
// CoreDNS runs.
const here, there = "HERE", "THERE"

// asListeners puts in what the blocks have.
var asListeners = strings.NewReplacer(there, address2+":0", here, address1+":0")

// A relay is a server with the answers of one listener of the CoreDNS that runs.
type relay struct {
	address string
	mu      sync.Mutex
	to      string
}

// relays are by the address of the listener.
var relays = make(map[string]*relay)

func startRelays(t *testing.T) {
	t.Helper()
	for _, listener := range []string{address1, address2} {
		r := new(relay)
		r.address = startServer(t, r.pass)
		relays[listener] = r
	}
}

func (r *relay) pass(w dns.ResponseWriter, query *dns.Msg) {
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if m, err := dns.Exchange(query, to); err == nil {
		_ = w.WriteMsg(m)
	}
}

// asRelays puts in the relays.
func asRelays(text string) string {
	if !strings.Contains(text, here) {
		return text
	}
	return strings.NewReplacer(there, relays[address2].address, here, relays[address1].address).Replace(text)
}

// connect has the relays ask s, and returns the address for clients.
func connect(s *server.Server) (asked string) {
	for _, l := range s.Listeners() {
		host, _, _ := net.SplitHostPort(l.UDP)
		r := relays[host]
		r.mu.Lock()
		r.to = l.UDP
		r.mu.Unlock()
		if host == address1 {
			asked = l.UDP
		}
	}
	return asked
}

// trips are the questions that are under way, by block.
var trips = struct {
	sync.Mutex
	under  map[trip]int
	circle map[int]bool // blocks that got one question again and again
}{under: make(map[trip]int), circle: make(map[int]bool)}

type trip struct {
	block int
	dns.Question
}

// begin notes that a block gets a question. It returns false, and ends the circle, if
// the block has had it twice: then all blocks of the circle have had it twice.
func begin(tr trip) bool {
	trips.Lock()
	defer trips.Unlock()
	if trips.under[tr] < 2 {
		trips.under[tr]++
		return true
	}
	for other, n := range trips.under {
		if other.Question == tr.Question && n == 2 {
			trips.circle[other.block] = true
		}
	}
	return false
}

func end(tr trip) {
	trips.Lock()
	defer trips.Unlock()
	if trips.under[tr]--; trips.under[tr] == 0 {
		delete(trips.under, tr)
	}
}

// circled returns the blocks of a circle since the last call.
func circled() map[int]bool {
	trips.Lock()
	defer trips.Unlock()
	found := trips.circle
	trips.circle = make(map[int]bool)
	return found
}
