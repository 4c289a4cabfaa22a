// Package synthetic makes up the JSON logs of a fleet of CoreDNS with ede, in any
// amount and always the same for a seed, for tests that compare and measure ways to
// sum them up.
package synthetic

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// A Log is what the instances of a fleet write between Start and Start+Span, put
// together in order of time.
type Log struct {
	Instances, Lines int
	Start            time.Time
	Span             time.Duration
	// Names is how many different names fail.
	Names int
	Seed  uint64
}

// A fault is what happens to some of the instances.
type fault struct {
	cause, rcode, owner, lasts, at, text, error string
	code                                        int
	upstreams                                   int // 0 for none
	weight                                      int
	share                                       int // of a hundred instances
}

var faults = []fault{
	{"upstream_timeout", "SERVFAIL", "upstream", "transient", "forward", "no reply within 4.0 s", "i/o timeout", 23, 3, 40, 30},
	{"upstream_servfail", "SERVFAIL", "upstream", "unknown", "forward", "the upstream answered SERVFAIL without a reason", "", 0, 2, 20, 60},
	{"dnssec_signature_expired", "SERVFAIL", "zone", "persistent", "forward", "RRSIG of www.example.net. A by key 1323 expired", "", 7, 1, 12, 100},
	{"acl_block", "REFUSED", "us", "persistent", "acl", "blocked by acl", "", 15, 0, 10, 80},
	{"upstream_refused", "REFUSED", "upstream", "unknown", "forward", "the upstream refused the query", "", 0, 1, 8, 10},
	{"upstream_ede", "SERVFAIL", "unknown", "persistent", "forward", "from 192.0.2.53: no valid signature", "", 6, 2, 6, 50},
	{"no_next_plugin", "SERVFAIL", "us", "persistent", "template", "no plugin after template answers", "no next plugin found", 0, 0, 4, 3},
}

// WriteTo writes the log, one JSON object a line. Of a hundred lines 85 are
// failures, 6 summaries, and the rest are recoveries, diagnoses, notices and lines
// of other plugins.
func (l Log) WriteTo(w io.Writer) (int64, error) {
	below := &counter{w: w}
	out := bufio.NewWriterSize(below, 1<<20)
	rng := rand.New(rand.NewPCG(l.Seed, 7))
	weights := 0
	for _, f := range faults {
		weights += f.weight
	}
	step := l.Span / time.Duration(max(l.Lines, 1))
	for i := range l.Lines {
		at := l.Start.Add(time.Duration(i) * step).Format(time.RFC3339Nano)
		f, pick := &faults[0], rng.IntN(weights)
		for j := range faults {
			if f = &faults[j]; pick < f.weight {
				break
			}
			pick -= f.weight
		}
		instance := rng.IntN(max(l.Instances*f.share/100, 1))
		name := rng.IntN(1 + rng.IntN(max(l.Names, 1)))
		zone := fmt.Sprintf("z%d.example.", name%max(l.Names/50, 1))
		upstream := ""
		if f.upstreams > 0 {
			upstream = fmt.Sprintf(`"upstream":"192.0.2.%d:53",`, 53+rng.IntN(f.upstreams))
		}
		failed := ""
		if f.error != "" {
			failed = fmt.Sprintf(`"error":%q,`, f.error)
		}
		// Half of the instances run where Pods are known by their address.
		pod := ""
		if instance%2 == 0 {
			pod = fmt.Sprintf(`"client_namespace":"team-%d","client_pod":"app-%d",`, name%7, name%50)
		}
		// Each reason of an upstream is an incident of its own.
		reason := ""
		if f.cause == "upstream_ede" {
			reason = fmt.Sprintf(`"rcode":%q,"ede":[%d],`, f.rcode, f.code)
		}
		head := `{"time":"` + at + `","level":"INFO","msg":`
		tail := fmt.Sprintf(`"instance":"edge-%d"}`+"\n", instance)
		switch kind := rng.IntN(100); {
		case kind < 85:
			fmt.Fprintf(out, `%s"failure","plugin":"ede","rcode":%q,"cause":%q,"ede":[%d],"lasts":%q,"owner":%q,"at":%q,%s"server":"dns://:53","protocol":"udp","client_ip":"198.51.%d.%d","client_port":%d,%s"qname":"h%d.%s","qtype":"A","qclass":"IN","id":%d,"duration_seconds":0.00%d,"cached":%t,"sent":"true","text":%q,%s"zone":%q,%s`,
				head, f.rcode, f.cause, f.code, f.lasts, f.owner, f.at, upstream, 100+name%8, rng.IntN(1+rng.IntN(256)), 1024+rng.IntN(60000), pod, name, zone, rng.IntN(65536), rng.IntN(10), i%3 == 0, f.text, failed, zone, tail)
		case kind < 91:
			count := 1 + rng.IntN(900)
			fmt.Fprintf(out, `%s"summary","plugin":"ede",%s"cause":%q,"at":%q,%s"zone":%q,"count":%d,"cached_count":%d,"names":%d,"window_seconds":10,"top":"h%d.%s:%d",%s`,
				head, reason, f.cause, f.at, upstream, zone, count, count/3, 1+count/10, name, zone, 1+count/2, tail)
		case kind < 93:
			fmt.Fprintf(out, `%s"recovered","plugin":"ede",%s"cause":%q,"at":%q,%s"zone":%q,"after_seconds":%d,"count":%d,%s`, head, reason, f.cause, f.at, upstream, zone, rng.IntN(900), rng.IntN(10000), tail)
		case kind < 95:
			fmt.Fprintf(out, `%s"diagnosis","plugin":"ede","cause":"dnssec_signature_expired","ede":[7],"owner":"zone","refines":"upstream_servfail","at":"forward","upstream":"192.0.2.%d:53","server":"dns://:53","zone":"z%d.example.","qname":"h%d.%s","qtype":"A","queries":9,"duration_seconds":0.04,"text":"RRSIG expired","advice":"Tell the zone's owner.",%s`, head, 53+name%2, rng.IntN(3), name, zone, tail)
		case kind < 96:
			fmt.Fprintf(out, `%s"summary","plugin":"ede","sent":"dropped","at":"acl","server":"dns://:53","count":%d,"window_seconds":10,"error":"rate limit",%s`, head, 1+rng.IntN(50), tail)
		case kind < 97:
			fmt.Fprintf(out, `%s"answer","plugin":"ede","ede":[15],"server":"dns://:53","client_ip":"198.51.100.%d","client_port":1053,"qname":"h%d.%s","qtype":"A","text":"blocked",%s`, head, rng.IntN(256), name, zone, tail)
		case kind < 98:
			fmt.Fprintf(out, `{"time":"%s","level":"WARNING","msg":"plugin/ede: forward points to this server","plugin":"ede"}`+"\n", at)
		default:
			fmt.Fprintf(out, `%s"[INFO] plugin/ede: rcode=SERVFAIL","plugin":"log","name":"h%d.%s",%s`, head, name, zone, tail)
		}
	}
	err := out.Flush()
	return below.n, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
