//go:build unix

package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// stock builds CoreDNS as it comes, once.
var stock = sync.OnceValues(func() (string, error) { return build("github.com/coredns/coredns") })

// steps are the Corefiles of docs/rollout.md, in order.
func steps(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile(`(?s)~~~ corefile\n(.*?)~~~`).FindAllStringSubmatch(read(t, "docs/rollout.md"), -1) {
		all = append(all, m[1])
	}
	if len(all) != 4 {
		t.Fatalf("docs/rollout.md has %d Corefiles, want 4: none, shadow, none, brief", len(all))
	}
	return all
}

// rollout is one CoreDNS whose Corefile changes while it runs.
type rollout struct {
	t            *testing.T
	dir          string
	dns, metrics string
	steps        []string

	command *exec.Cmd
	said    *output
}

func newRollout(t *testing.T, to string) *rollout {
	t.Helper()
	r := &rollout{t: t, dir: t.TempDir(), dns: "127.0.0.1:" + freePort(t), metrics: "127.0.0.1:" + freePort(t)}
	_, port, _ := strings.Cut(r.dns, ":")
	for _, s := range steps(t) {
		s = strings.NewReplacer(".:53 {", ".:"+port+" {\n    bind 127.0.0.1", "prometheus :9153", "prometheus "+r.metrics,
			"192.0.2.53", to).Replace(s)
		r.steps = append(r.steps, s)
	}
	t.Cleanup(r.stop)
	return r
}

func (r *rollout) write(step int) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "Corefile"), []byte(r.steps[step]), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// start runs a binary with the Corefile of a step.
func (r *rollout) start(builder func() (string, error), step int) {
	r.t.Helper()
	r.stop()
	r.write(step)
	path, err := builder()
	if err != nil {
		r.t.Fatal(err)
	}
	r.said = new(output)
	r.command = exec.Command(path, "-conf", "Corefile")
	r.command.Dir, r.command.Stdout, r.command.Stderr = r.dir, r.said, r.said
	if err := r.command.Start(); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, "CoreDNS answers", r.said.String, func() bool {
		_, err := server.Exchange(r.dns, "udp", server.Message("up.example.net.", dns.TypeA), server.QueryTimeout)
		return err == nil
	})
}

func (r *rollout) stop() {
	if r.command == nil {
		return
	}
	r.command.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(10*time.Second, func() { r.command.Process.Kill() })
	defer kill.Stop()
	r.command.Wait()
	r.command = nil
}

// reload gives the running server the Corefile of a step, and waits for what
// the server then says.
func (r *rollout) reload(step int, says string) {
	r.t.Helper()
	r.write(step)
	before := len(r.said.String())
	if err := r.command.Process.Signal(syscall.SIGUSR1); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, "the server says "+says, r.said.String, func() bool { return strings.Contains(r.said.String()[before:], says) })
}

const reloaded = "[INFO] Reloading complete"

// asked is what every step is asked: names that fail, from cache the
// second time unless they are refused, and one that does not, each with and without EDNS.
func asked() []*dns.Msg {
	var all []*dns.Msg
	for i, name := range []string{"loading.example.org.", "servfail.example.org.", "refused.example.org.", "www.example.org."} {
		for j, options := range [][]server.Option{{server.EDNS()}, {}} {
			m := server.Message(name, dns.TypeA, options...)
			m.Id = uint16(100 + 10*i + j)
			all = append(all, m)
		}
	}
	return all
}

// wire asks everything twice and returns the answers as they came.
func (r *rollout) wire() [][]byte {
	r.t.Helper()
	var all [][]byte
	for range 2 {
		for _, m := range asked() {
			a := server.Query(r.t, r.dns, "udp", m)
			b, err := a.Pack()
			if err != nil {
				r.t.Fatal(err)
			}
			all = append(all, b)
		}
	}
	return all
}

func (r *rollout) same(step string, want [][]byte) {
	r.t.Helper()
	for i, got := range r.wire() {
		if !bytes.Equal(got, want[i]) {
			r.t.Errorf("%s: answer %d is not that of the stock server:\n%x\n%x", step, i, got, want[i])
		}
	}
}

// count sums the samples of a metric by rcode.
func (r *rollout) count(metric string) map[string]float64 {
	r.t.Helper()
	body, ok := fetch("http://" + r.metrics + "/metrics")
	if !ok {
		r.t.Fatal("no metrics")
	}
	sums := make(map[string]float64)
	for _, m := range regexp.MustCompile(`(?m)^`+metric+`\{.*rcode="(SERVFAIL|REFUSED)".*\} (\S+)$`).FindAllStringSubmatch(body, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			r.t.Fatal(err)
		}
		sums[m[1]] += v
	}
	return sums
}

// upstreamOfARollout answers by name. Time to live is none, so that no answer
// differs by the second in which it comes from cache.
func upstreamOfARollout(t *testing.T) string {
	return upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg)
		switch m.Question[0].Name {
		case "loading.example.org.":
			upstream.Rcode(dns.RcodeServerFailure, true,
				dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNotReady, ExtraText: "zone is loading"}).ServeDNS(w, m)
			return
		case "servfail.example.org.":
			r.SetRcode(m, dns.RcodeServerFailure)
		case "refused.example.org.":
			r.SetRcode(m, dns.RcodeRefused)
		default:
			r.SetReply(m)
			rr, _ := dns.NewRR(m.Question[0].Name + " 0 IN A 192.0.2.80")
			r.Answer = []dns.RR{rr}
		}
		w.WriteMsg(r)
	})}).Addr()
}

func TestTheRolloutChangesOneThingAtATime(t *testing.T) {
	r := newRollout(t, upstreamOfARollout(t))
	const (
		without = iota
		shadow
		codes
		brief
	)
	r.start(stock, without)
	want := r.wire()

	// The Corefile before the binary: what runs stays, what starts does not.
	const unknown = "Corefile:4 - Error during parsing: Unknown directive 'ede'"
	r.reload(shadow, "[ERROR] Restart failed: "+unknown)
	r.same("stock, after a Corefile that it does not know", want)
	path, _ := stock()
	c := exec.Command(path, "-conf", "Corefile")
	c.Dir = r.dir
	if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), unknown) {
		t.Errorf("a stock server starts with ede in its Corefile: %v, %s", err, out)
	}

	r.start(binary, without)
	r.same("the binary with the old Corefile", want)

	r.reload(shadow, reloaded)
	all, ours := r.count("coredns_dns_responses_total"), r.count("coredns_ede_failures_total")
	r.same("shadow", want)
	eventually(t, "ede counts what CoreDNS counts", r.said.String, func() bool {
		nowAll, nowOurs := r.count("coredns_dns_responses_total"), r.count("coredns_ede_failures_total")
		for _, rcode := range []string{"SERVFAIL", "REFUSED"} {
			n := nowAll[rcode] - all[rcode]
			if n == 0 || n != nowOurs[rcode]-ours[rcode] {
				return false
			}
		}
		return true
	})
	if said := r.said.String(); !strings.Contains(said, "cause=upstream_refused") || strings.Contains(said, "cause=unknown") {
		t.Errorf("shadow logs\n%s", said)
	}

	r.reload(codes, reloaded)
	r.says("loading.example.org.", "14")
	r.says("www.example.org.")

	r.reload(brief, reloaded)
	r.says("loading.example.org.", "14 from upstream: zone is loading")
	r.says("www.example.org.")

	r.reload(without, reloaded)
	r.same("back to the old Corefile", want)
	r.start(stock, without)
	r.same("back to the stock binary", want)
}

// says compares the EDEs of a name's answer.
func (r *rollout) says(name string, edes ...string) {
	r.t.Helper()
	e := expectation{name: name, edes: edes}
	m, err := e.ask(r.dns)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := extendedErrors(m); strings.Join(got, "|") != strings.Join(edes, "|") {
		r.t.Errorf("%s: %q, want %q", name, got, edes)
	}
}
