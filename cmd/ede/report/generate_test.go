package report

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/leak"
)

var bigLog = flag.String("biglog", "", "write a mixed log of -bigsize bytes to this file, for measuring, and run nothing else")
var bigSize = flag.Int64("bigsize", 1<<30, "how many bytes")

func TestMain(m *testing.M) {
	flag.Parse()
	if *bigLog == "" {
		os.Exit(leak.Run(m))
	}
	f, err := os.Create(*bigLog)
	if err == nil {
		err = generate(f, *bigSize)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var logStart = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// generate writes what kubectl logs --timestamps gives of a busy resolver in
// trouble: half of the lines are of the log plugin, a third ede's in text, the
// rest ede's in JSON, summaries and errors. Names and clients are far more
// than the tables hold.
func generate(w io.Writer, size int64) error {
	rng := rand.New(rand.NewPCG(1, 2))
	out := bufio.NewWriterSize(w, 1<<20)
	causes := []string{"upstream_timeout", "upstream_servfail", "upstream_refused", "dnssec_signature_expired", "no_next_plugin", "acl_block"}
	for written, i := int64(0), 0; written < size; i++ {
		at := logStart.Add(time.Duration(i) * 3 * time.Millisecond).Format(time.RFC3339Nano)
		cause := causes[min(rng.IntN(20), len(causes)-1)]
		name := fmt.Sprintf("h%d.z%d.example.org.", rng.IntN(1+rng.IntN(1_000_000)), rng.IntN(50))
		client := fmt.Sprintf("198.51.%d.%d", rng.IntN(256), rng.IntN(256))
		upstream := fmt.Sprintf("192.0.2.%d:53", 53+rng.IntN(3))
		var n int
		switch kind := rng.IntN(100); {
		case kind < 50:
			n, _ = fmt.Fprintf(out, "%s [INFO] %s:%d - %d \"A IN %s udp 41 false 1232\" NOERROR qr,rd,ra 106 0.0012s\n", at, client, rng.IntN(65536), rng.IntN(65536), name)
		case kind < 85:
			n, _ = fmt.Fprintf(out, "%s [INFO] plugin/ede: rcode=SERVFAIL cause=%s ede=23 lasts=transient owner=upstream at=forward upstream=%s server=dns://:53 protocol=udp client_ip=%s client_port=40112 qname=%s qtype=A qclass=IN id=4711 duration_seconds=2.001 cached=%t sent=true text=\"no reply from %s within 2s\" error=\"i/o timeout\"\n", at, cause, upstream, client, name, i%3 == 0, upstream)
		case kind < 95:
			n, _ = fmt.Fprintf(out, "%s {\"time\":%q,\"level\":\"INFO\",\"msg\":\"failure\",\"plugin\":\"ede\",\"rcode\":\"SERVFAIL\",\"cause\":%q,\"ede\":[23],\"lasts\":\"transient\",\"owner\":\"upstream\",\"at\":\"forward\",\"upstream\":%q,\"client_ip\":%q,\"qname\":%q,\"qtype\":\"A\",\"duration_seconds\":2.001,\"cached\":false,\"sent\":\"true\",\"text\":\"no reply\"}\n", at, at, cause, upstream, client, name)
		case kind < 97:
			n, _ = fmt.Fprintf(out, "%s [INFO] plugin/ede: summary cause=%s at=forward upstream=%s zone=example.org. count=381 cached=290 names=213 window_seconds=10 top=\"%s:180\"\n", at, cause, upstream, name)
		default:
			n, _ = fmt.Fprintf(out, "%s [ERROR] plugin/errors: 2 %s A: read udp 192.0.2.1:40112->%s: i/o timeout\n", at, name, upstream)
		}
		written += int64(n)
	}
	return out.Flush()
}

func BenchmarkReport(b *testing.B) {
	var log bytes.Buffer
	if err := generate(&log, 16<<20); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(log.Len()))
	b.ReportAllocs()
	for b.Loop() {
		c := testConfig(io.Discard)
		c.Stdin = bytes.NewReader(log.Bytes())
		if err := Run(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
