//go:build linux

package faults

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// load is a number of clients, each of which asks one question at a time.
type load struct {
	addr string
	// network is udp, or tcp with a connection a query.
	network string
	clients int
	// most is how many questions each client asks at most, 0 for no limit; it
	// stops in any case when during has passed or stop is closed.
	most   int
	during time.Duration
	stop   <-chan struct{}
	// pace is the pause of a client after an answer.
	pace time.Duration
	// wait is how long a client waits for an answer before it is lost.
	wait  time.Duration
	qtype uint16
	// name is the name of the n-th question of a client; all differ if nil.
	name func(client, n int) string
}

// tally counts what came of the queries of a load. A query is lost if it got no
// answer, doubled if it got two, and cut if the server closed the connection
// before the answer: the client then asks again, as RFC 7766 section 6.2.4
// says.
type tally struct {
	queries, answers, lost, doubled, cut int
	// failed are the answers with SERVFAIL or REFUSED, explained those with EDE.
	failed, explained int
	slowest           time.Duration
}

func (a tally) plus(b tally) tally {
	return tally{
		a.queries + b.queries, a.answers + b.answers, a.lost + b.lost, a.doubled + b.doubled, a.cut + b.cut,
		a.failed + b.failed, a.explained + b.explained, max(a.slowest, b.slowest),
	}
}

// linger is how long a client listens for second answers in the end.
const linger = 500 * time.Millisecond

// run asks, and returns when every client has ended.
func (l load) run() tally {
	if l.wait == 0 {
		l.wait = 15 * time.Second
	}
	if l.qtype == 0 {
		l.qtype = dns.TypeA
	}
	if l.name == nil {
		l.name = func(client, n int) string { return fmt.Sprintf("n%d.c%d.example.org.", n, client) }
	}
	var mu sync.Mutex
	var all tally
	var clients sync.WaitGroup
	for i := range l.clients {
		clients.Go(func() {
			c := &asker{load: l, number: i}
			c.run()
			mu.Lock()
			defer mu.Unlock()
			all = all.plus(c.tally)
		})
	}
	clients.Wait()
	return all
}

// asker is one client.
type asker struct {
	load
	number int
	tally  tally
	// got is how many answers each question got.
	got []uint8
}

func (c *asker) run() {
	over := time.Now().Add(c.during)
	ask := c.overTCP
	if c.network == "tcp" {
		defer c.count()
	} else {
		conn, err := net.Dial("udp", c.addr)
		if err != nil {
			return
		}
		defer conn.Close()
		d := &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
		ask = func(n int, m *dns.Msg) { c.overUDP(d, n, m) }
		defer c.listen(d)
	}
	for n := 0; (c.most == 0 || n < c.most) && (c.during == 0 || time.Now().Before(over)); n++ {
		select {
		case <-c.stop:
			return
		default:
		}
		m := new(dns.Msg).SetQuestion(c.name(c.number, n), c.qtype)
		m.Id = uint16(n)
		m.SetEdns0(1232, false)
		// It shows interest in the reason of a SERVFAIL.
		m.AuthenticatedData = true
		c.got = append(c.got, 0)
		c.tally.queries++
		began := time.Now()
		ask(n, m)
		c.tally.slowest = max(c.tally.slowest, time.Since(began))
		if c.pace > 0 {
			time.Sleep(c.pace)
		}
	}
}

// overUDP asks and reads until the answer is there, or is lost.
func (c *asker) overUDP(conn *dns.Conn, n int, m *dns.Msg) {
	_ = conn.SetDeadline(time.Now().Add(c.wait))
	// An ICMP error of an earlier datagram is reported by the next call.
	if conn.WriteMsg(m) != nil {
		if conn.WriteMsg(m) != nil {
			return
		}
	}
	for c.got[n] == 0 {
		if !c.read(conn) {
			return
		}
	}
}

// read takes one datagram, and reports whether there may be more.
func (c *asker) read(conn *dns.Conn) bool {
	r, err := conn.ReadMsg()
	if err != nil {
		timeout, ok := err.(net.Error)
		return !(ok && timeout.Timeout()) && !c.stopped()
	}
	// The ID is the low half of the number of the latest question with that ID.
	n := len(c.got) - 1
	n -= (n - int(r.Id)) & 0xffff
	if n < 0 || len(r.Question) != 1 || r.Question[0].Name != c.name(c.number, n) {
		return true
	}
	c.answered(n, r)
	return true
}

func (c *asker) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

func (c *asker) answered(n int, r *dns.Msg) {
	if c.got[n]++; c.got[n] > 1 {
		return
	}
	if r.Rcode == dns.RcodeServerFailure || r.Rcode == dns.RcodeRefused {
		c.tally.failed++
	}
	if opt := r.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if o.Option() == dns.EDNS0EDE {
				c.tally.explained++
				break
			}
		}
	}
}

// listen takes the answers that come late or twice.
func (c *asker) listen(conn *dns.Conn) {
	for until := time.Now().Add(linger); time.Now().Before(until); {
		_ = conn.SetDeadline(until)
		c.read(conn)
	}
	c.count()
}

func (c *asker) count() {
	for _, n := range c.got {
		c.tally.answers += int(n)
		switch {
		case n == 0:
			c.tally.lost++
		case n > 1:
			c.tally.doubled++
		}
	}
}

// overTCP asks on a connection of its own, and again if that is cut, for as long
// as the client waits.
func (c *asker) overTCP(n int, m *dns.Msg) {
	for over := time.Now().Add(c.wait); !c.converse(n, m); {
		if c.tally.cut++; time.Now().After(over) {
			return
		}
	}
}

// converse reports whether the question needs no other try.
func (c *asker) converse(n int, m *dns.Msg) bool {
	conn, err := net.DialTimeout("tcp", c.addr, c.wait)
	if err != nil {
		return false
	}
	defer conn.Close()
	d := &dns.Conn{Conn: conn}
	_ = d.SetDeadline(time.Now().Add(c.wait))
	if d.WriteMsg(m) != nil {
		return false
	}
	r, err := d.ReadMsg()
	if err != nil {
		timeout, ok := err.(net.Error)
		return ok && timeout.Timeout()
	}
	if r.Id == m.Id {
		c.answered(n, r)
	}
	return true
}
