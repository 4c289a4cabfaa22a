package corefiles

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// A question is asked of each Corefile, whatever stands in it.
type question struct {
	name   string
	qtype  uint16
	client string
}

// clients are the addresses that questions come from. Views are for the second.
var clients = []string{"127.0.0.1", "127.0.0.2"}

func (q question) String() string { return q.name + " " + dns.TypeToString[q.qtype] }

// An outcome is what came back.
type outcome struct {
	rcode   int
	mark    int
	renamed bool         // the answer has another owner
	block   int          // in the order of the Corefile, -1 if no block got it
	how     failed       // of a SERVFAIL, and of a REFUSED that no acl is for
	circle  map[int]bool // blocks that got the question again and again
}

// refused reports whether no block is for the question.
func (out outcome) refused() bool { return out.rcode == dns.RcodeRefused && out.block < 0 }

type failed string

// Kinds of failures, all but one SERVFAIL.
const (
	not     failed = ""
	noZone  failed = "REFUSED for want of a zone file"
	noNext  failed = "no next plugin"
	missed  failed = "hosts or template miss"
	erratic failed = "erratic's own"
	other   failed = "another failure"
)

var types = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeMX, dns.TypeHTTPS}

// labels stand below each zone; chance adds some.
var labels = []string{"", "www.", "nothing-here.", "a.b.", "host-3."}

func (m *maker) questions(c corefile) []question {
	var names []string
	reverse := []string{"4.3.2.10.in-addr.arpa.", "250.0.0.10.in-addr.arpa."}
	add := func(name string) {
		name = strings.TrimSuffix(name, ".") + "."
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, z := range zones {
		if z == "10.in-addr.arpa" {
			continue
		}
		for _, l := range labels {
			add(l + strings.TrimSuffix(z, "."))
		}
		add(fmt.Sprintf("r%d.%s", m.IntN(1e6), strings.TrimSuffix(z, ".")))
	}
	for _, b := range c.blocks {
		for _, u := range b.uses {
			for _, n := range u.reverse {
				if !slices.Contains(reverse, n) {
					reverse = append(reverse, n)
				}
			}
			for _, n := range slices.Concat(u.names, u.entries) {
				if len(u.entries) == 0 && strings.HasSuffix(n, ".arpa.") {
					continue // nobody asks for other types there
				}
				add(strings.Replace(strings.TrimRight(n, "."), "*.", "wild.", 1))
			}
		}
	}
	asking := clients
	if text, _ := c.text(""); !strings.Contains(text, "client_ip") {
		asking = clients[:1]
	}
	var all []question
	for _, client := range asking {
		for _, n := range names {
			for _, t := range types {
				all = append(all, question{n, t, client})
			}
		}
		for _, n := range reverse {
			all = append(all, question{n, dns.TypePTR, client})
		}
	}
	return all
}

// run starts c and asks the questions.
func run(t *testing.T, c corefile, questions []question) map[question]outcome {
	t.Helper()
	text, _ := c.text("witness")
	blocks.Lock()
	blocks.configs = nil
	blocks.Unlock()
	s, err := server.Try(asRelays(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	awaitTransfers(t)
	to := connect(s)
	conns := make(map[string]*dns.Conn)
	for _, client := range clients {
		d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(client)}}
		conn, err := d.Dial("udp", to)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(server.QueryTimeout))
		conns[client] = &dns.Conn{Conn: conn}
	}
	outcomes := make(map[question]outcome, len(questions))
	for _, q := range questions {
		m := new(dns.Msg).SetQuestion(q.name, q.qtype)
		m.Id = server.NextID()
		hearing.Lock()
		delete(heard, m.Id)
		asked, came = m.Id, false
		hearing.Unlock()
		circled() // none but those of this question
		conn := conns[q.client]
		if err := conn.WriteMsg(m); err != nil {
			t.Fatal(err)
		}
		r, err := conn.ReadMsg()
		if err != nil {
			t.Fatalf("%v: %v\n%s", q, err, text)
		}
		outcomes[q] = judge(q, r)
	}
	return outcomes
}

func judge(q question, r *dns.Msg) outcome {
	said, ok := testify(r)
	out := outcome{rcode: r.Rcode, mark: markOf(r), block: -1, circle: circled()}
	if ok {
		out.block = said.block
	}
	if len(r.Answer) > 0 && r.Answer[0].Header().Name != q.name {
		out.renamed = true
	}
	if r.Rcode == dns.RcodeRefused && ok && said.refused() {
		out.how = noZone
	}
	if r.Rcode == dns.RcodeServerFailure {
		switch {
		case len(out.circle) > 0:
			out.how = other
		case said.noNext():
			out.how = noNext
		case ok && said.err == "":
			out.how = missed
		default:
			out.how = other
		}
	}
	return out
}

// withoutErratic corrects outcomes of c: the SERVFAIL that erratic is for comes
// as that of hosts and template does, and is another one where it does not stand.
func withoutErratic(t *testing.T, c corefile, outcomes map[question]outcome) {
	t.Helper()
	other, any := c.lacking("erratic")
	if !any {
		return
	}
	for q, out := range run(t, other, slices.Collect(maps.Keys(outcomes))) {
		if before := outcomes[q]; before.how == missed && out.how != missed {
			before.how = erratic
			outcomes[q] = before
		}
	}
}

// otherOwners are the questions that get records of another name, and not because of
// rewrite.
func otherOwners(t *testing.T, c corefile, outcomes map[question]outcome) map[question]bool {
	t.Helper()
	var questions []question
	for q, out := range outcomes {
		if out.renamed {
			questions = append(questions, q)
		}
	}
	others := make(map[question]bool)
	if len(questions) > 0 {
		other, _ := c.lacking("rewrite")
		for q, out := range run(t, other, questions) {
			others[q] = out.renamed
		}
	}
	return others
}
