package fleet_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// An edge is one CoreDNS of a fleet, and what its clients saw.
type edge struct {
	name, addr, log string
	process         *process
	failed          uint64
	// told are the failures that get a line of their own, by the client's network.
	clients map[string]uint64
}

// start runs a CoreDNS that forwards to up and logs in JSON to a file.
func start(t *testing.T, dir, name, logging, up string) *edge {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{name: name, addr: port.Free(t), log: filepath.Join(dir, name+".log"), clients: make(map[string]uint64)}
	_, number, _ := net.SplitHostPort(e.addr)
	corefile := filepath.Join(t.TempDir(), "Corefile")
	text := fmt.Sprintf(".:%s {\n bind 127.0.0.1\n ede {\n  log %s\n  log client prefix\n  log instance %s\n }\n forward . %s {\n  max_fails 0\n }\n}\n", number, logging, name, up)
	if err := os.WriteFile(corefile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(e.log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e.process = run(t, f, path, "-conf", corefile, "-log-format", "json")
	eventually(t, name+" answers", e.process.String, func() bool {
		_, err := e.exchange("127.0.0.1", "ready.example.org.")
		return err == nil
	})
	return e
}

func (e *edge) exchange(client, name string) (*dns.Msg, error) {
	c := dns.Client{Timeout: 10 * time.Second, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(client)}}}
	r, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), e.addr)
	return r, err
}

// ask sends n queries from each of three networks and counts what the clients see.
func (e *edge) ask(t *testing.T, n int, want int) {
	t.Helper()
	for i := range 3 * n {
		network := fmt.Sprintf("127.0.%d.", 1+i%3)
		r, err := e.exchange(network+"7", fmt.Sprintf("h%d.z%d.example.", i, i%5))
		if err != nil {
			t.Fatalf("%s: %v\n%s", e.name, err, e.process)
		}
		if r.Rcode != want {
			t.Fatalf("%s answers %s", e.name, dns.RcodeToString[r.Rcode])
		}
		if r.Rcode == dns.RcodeServerFailure {
			e.failed++
			e.clients[network+"0/24"]++
		}
	}
}

// TestTheReportOfAFleet is the whole way: three CoreDNS with ede whose one
// upstream goes away, vlagent, which reads their files, VictoriaLogs, and a report:
// from the store, from the files, and what the clients saw are the same numbers.
func TestTheReportOfAFleetIsWhatItsClientsSaw(t *testing.T) {
	agent := program(t, "vlagent")
	_, store := node(t, t.TempDir())
	dir := t.TempDir()
	run(t, nil, agent, append(argumentsOf(t, "vlagent.service", map[string]string{
		"-httpListenAddr": port.Free(t), "-remoteWrite.url": store + "/insert/native", "-tmpDataPath": t.TempDir(),
		"-fileCollector.glob": filepath.Join(dir, "*.log"),
	}), "-fileCollector.refreshInterval=1s")...)

	up := upstream.Start(t, upstream.Config{})
	edges := []*edge{
		start(t, dir, "edge-1", "all", up.Addr()),
		start(t, dir, "edge-2", "summary 1s", up.Addr()),
		start(t, dir, "edge-3", "all", up.Addr()),
	}
	for _, e := range edges {
		e.ask(t, 3, dns.RcodeSuccess)
	}
	up.Stop()
	var failed uint64
	clients := make(map[string]uint64)
	for i, e := range edges[:2] { // the third is not asked while the upstream is away
		e.ask(t, 40+10*i, dns.RcodeServerFailure)
		failed += e.failed
	}
	for network, n := range edges[0].clients {
		clients[network] += n
	}
	clients["127.0.1.0/24"]++ // the first of edge-2, which announces the incident

	// A summary may come after its window, and the third has nothing to say of
	// failures; what CoreDNS writes at its end is written too.
	for _, e := range edges {
		e.process.stop()
	}
	var files []string
	lines := 0
	for _, e := range edges {
		text, err := os.ReadFile(e.log)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, e.log)
		lines += bytes.Count(text, []byte(`"plugin":"ede"`))
	}
	stored(t, store, lines)

	fromFiles, err := reportOf(t, report.Config{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	fromStore, err := reportOf(t, report.Config{From: store})
	if err != nil {
		t.Fatal(err)
	}
	if want, got := comparable(t, fromFiles), comparable(t, fromStore); want != got {
		t.Errorf("the files, and the store:\n%s", difference(want, got))
	}
	for what, r := range map[string]*report.Report{"files": fromFiles, "store": fromStore} {
		if r.Failures != failed || len(r.Causes) != 1 || r.Causes[0].Instances != 2 {
			t.Errorf("%s: %d failures, causes %+v; the clients saw %d", what, r.Failures, r.Causes, failed)
		}
		for _, e := range edges[:2] {
			if n := countOf(r.Instances, e.name); n != e.failed {
				t.Errorf("%s: %s has %d failures, its clients saw %d", what, e.name, n, e.failed)
			}
		}
		for network, n := range clients {
			if got := countOf(r.Clients, network); got != n {
				t.Errorf("%s: %s has %d failures with a line, want %d", what, network, got, n)
			}
		}
	}

	// No address has left the processes.
	for _, r := range rows(t, store, "*") {
		for field, value := range r {
			if strings.Contains(value, "127.0.1.7") || strings.Contains(value, "127.0.2.7") || strings.Contains(value, "127.0.3.7") {
				t.Errorf("%s=%q has a client's address", field, value)
			}
		}
	}
}

func countOf(top report.Top, key string) uint64 {
	for _, item := range top.Items {
		if item.Key == key {
			return item.Count
		}
	}
	return 0
}
