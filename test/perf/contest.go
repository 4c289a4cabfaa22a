package main

import (
	"fmt"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/test/perf/least"
)

// contest is one server block in two forms that differ in the lines of base and
// with, each asked the same.
type contest struct {
	name       string
	base, with string
	// block is what stands below these lines.
	block string
	ask   load
	// target is the greatest ratio of CPU that is wanted, 0 if none is set.
	target float64
}

// load is what is asked, and how.
type load struct {
	mode  mode
	names names
	// rcodes are the shares of all answers that are expected, in percent.
	rcodes map[string]float64
}

// mode is a transport in dnsperf's words.
type mode string

const (
	udp mode = "udp"
	tcp mode = "tcp"
	dot mode = "dot"
	doh mode = "doh"
)

// key is what a server block for m begins with.
func (m mode) key() string {
	return map[mode]string{udp: "dns://.", tcp: "dns://.", dot: "tls://.", doh: "https://."}[m]
}

// corefile returns a server block for one form of c. Files of the block are in
// dir: a zone, a certificate and its key.
func (c contest) corefile(form string, port int, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d {\n bind 127.0.0.1\n", c.ask.mode.key(), port)
	if c.ask.mode == dot || c.ask.mode == doh {
		b.WriteString(" tls DIR/cert.pem DIR/key.pem\n")
	}
	b.WriteString(form + "\n" + c.block + "\n}\n")
	return strings.NewReplacer("DIR", dir, "CLOSED", closedUpstream).Replace(b.String())
}

// closedUpstream has no listener: tcpmux is served by nothing of today. Its address is no
// client's: what an upstream asks is compared with what it is asked, which costs more.
const closedUpstream = "127.0.0.2:1"

const (
	// usual is what most server blocks have above the plugins that answer, as that of
	// kubeadm. With errors and prometheus alone some queries just fit into the stack of
	// their goroutine, and whatever plugin comes into the block looks expensive.
	usual = "errors\nprometheus 127.0.0.1:0\nloadbalance\n"

	plain   = "ede"
	summary = "ede {\n log summary 10s\n}"
	all     = "ede {\n log all\n}"
	// attached attaches to a SERVFAIL without being asked, as dnsperf cannot ask.
	attached = "ede {\n log summary 10s\n attach always\n}"
	today    = "errors\nlog"

	leastPath     = least.Name + " " + least.Path
	leastCounted  = leastPath + " " + least.Count
	leastAttached = leastCounted + " " + least.Attach
)

const (
	answers  = "template ANY ANY {\n answer \"{{ .Name }} 3600 IN A 192.0.2.1\"\n}"
	cached   = usual + cachedAlone
	zone     = usual + "file DIR/zone example.org"
	dead     = usual + "forward . CLOSED"
	deadOnce = dead + "\ncache {\n servfail 5m\n}"
	refusing = usual + "acl {\n block\n}\nwhoami"
	// mixed refuses example.net and has the rest in its cache.
	mixed = cached + "\nacl example.net {\n block\n}"

	// missing has example.org in its cache and fails for example.net, which it
	// would have in a hosts file.
	missing = usual + "cache 3600\ntemplate ANY ANY example.org {\n answer \"{{ .Name }} 3600 IN A 192.0.2.1\"\n}\nhosts /dev/null example.net"

	cachedAlone = "cache 3600\n" + answers
)

var (
	noerror  = map[string]float64{"NOERROR": 100}
	servfail = map[string]float64{"SERVFAIL": 100}
	refused  = map[string]float64{"REFUSED": 100}

	few  = names{hosts: 1000}
	many = names{hosts: 100_000}
)

// cost has the main contests, each with the target that it has to reach. The first is of
// two servers that are the same: how far it is off 1 is how far the others may be off.
var cost = []contest{
	{"nothing: the same server twice", "", "", cached, load{udp, few, noerror}, 0},
	{"success from `cache`", "", plain, cached, load{udp, few, noerror}, 1.02},
	{"success from a zone (`file`)", "", plain, zone, load{udp, few, noerror}, 1.02},
	{"SERVFAIL from `cache`, nothing attached", "", summary, deadOnce, load{udp, few, servfail}, 1.08},
	{"SERVFAIL from `cache`, with its reason", "", attached, deadOnce, load{udp, few, servfail}, 1.15},
	{"REFUSED by `acl`, with its reason", "", summary, refusing, load{udp, few, refused}, 1.12},
	{"SERVFAIL, the upstream is dead", "", summary, dead, load{udp, many, servfail}, 1.05},
	{"the same, with its reason", "", attached, dead, load{udp, many, servfail}, 1.05},
}

// floor is cost with the plugin least in place of ede: what ede cannot do without. The
// targets are those of ede.
var floor = []contest{
	{"success from `cache`, passed on", "", least.Name, cached, load{udp, few, noerror}, 0},
	{"success from `cache`", "", leastPath, cached, load{udp, few, noerror}, 1.02},
	{"success from a zone (`file`)", "", leastPath, zone, load{udp, few, noerror}, 1.02},
	{"SERVFAIL from `cache`, nothing attached", "", leastCounted, deadOnce, load{udp, few, servfail}, 1.08},
	{"SERVFAIL from `cache`, with an option", "", leastAttached, deadOnce, load{udp, few, servfail}, 1.15},
	{"REFUSED by `acl`, with the option of `acl`", "", leastCounted, refusing, load{udp, few, refused}, 1.12},
	{"SERVFAIL, the upstream is dead", "", leastCounted, dead, load{udp, many, servfail}, 1.05},
	{"the same, with an option", "", leastAttached, dead, load{udp, many, servfail}, 1.05},
}

// alone is the smallest block. Its queries just fit into the stack that Go gives
// a goroutine at first, and with one plugin more, whichever, they do not.
var alone = []contest{
	{"`cache`, with `ede`", "", plain, cachedAlone, load{udp, few, noerror}, 0},
	{"`cache`, with `loadbalance` in place of `ede`", "", "loadbalance", cachedAlone, load{udp, few, noerror}, 0},
}

// control is what an option costs without ede: the same refusal of a template with
// and without an Extended DNS Error of its own, which template attaches to no SERVFAIL.
// ede's answers have one or two.
var control = []contest{
	{"REFUSED of a `template`, with `ederror`", refusingTemplate(""), refusingTemplate("ederror 23 \"the upstream cannot be reached\""), usual, load{udp, few, refused}, 0},
}

func refusingTemplate(line string) string {
	return "template ANY ANY {\n rcode REFUSED\n " + line + "\n}"
}

// bare is block without errors.
func bare(block string) string { return strings.Replace(block, "errors\n", "", 1) }

// logs compares with the plugins that log failures today, errors and log; ede
// without them is to be cheaper.
var logs = []contest{
	{"SERVFAIL from `cache`, `ede`", today, plain, bare(deadOnce), load{udp, few, servfail}, 0.65},
	{"SERVFAIL from `cache`, `log all`", today, all, bare(deadOnce), load{udp, few, servfail}, 0.95},
	{"REFUSED by `acl`, `ede`", today, plain, bare(refusing), load{udp, few, refused}, 0.65},
	{"REFUSED by `acl`, `log all`", today, all, bare(refusing), load{udp, few, refused}, 0.95},
	{"SERVFAIL, the upstream is dead, `ede`", today, plain, bare(dead), load{udp, many, servfail}, 0.65},
	{"SERVFAIL, the upstream is dead, `log all`", today, all, bare(dead), load{udp, many, servfail}, 0.95},
}

// below are plugins that pass these queries on.
var below = []string{
	"local", "any", "chaos", "nsid", "rewrite name exact a.example. b.example.", "acl example.net {\n block\n}", "header {\n response set ra\n}",
	"minimal", "dns64 {\n prefix 2001:db8::/96\n}", "hosts {\n 192.0.2.1 a.example.\n fallthrough\n}",
}

// plugins is a success by the number of plugins in the block, ede not counted.
func plugins() []contest {
	var all []contest
	for _, n := range []int{0, 5, 10} {
		all = append(all, contest{fmt.Sprintf("%d plugins", n+3), "", plain, strings.Join(below[:n], "\n") + "\n" + zone, load{udp, few, noerror}, 0})
	}
	return all
}

// shares is by the share of failing queries.
func shares() []contest {
	var all []contest
	for _, percent := range []int{0, 1, 50, 100} {
		all = append(all, contest{fmt.Sprintf("%d %% refused", percent), "", summary, mixed, load{udp, names{hosts: 1000, failing: percent}, map[string]float64{
			"NOERROR": float64(100 - percent), "REFUSED": float64(percent),
		}}, 0})
	}
	return all
}

// sizes is by the size of the answer.
func sizes() []contest {
	var all []contest
	for _, n := range []int{1, 10, 60} {
		all = append(all, contest{fmt.Sprintf("%d addresses", n), "", plain, zone, load{udp, names{hosts: 1, prefix: fmt.Sprintf("of%d-", n)}, noerror}, 0})
	}
	return all
}

// transports is by the transport. Connections stay open.
func transports() []contest {
	var all []contest
	for _, m := range []mode{udp, tcp, dot, doh} {
		all = append(all, contest{"success, " + string(m), "", plain, cached, load{m, few, noerror}, 0},
			contest{"REFUSED, " + string(m), "", summary, refusing, load{m, few, refused}, 0})
	}
	return all
}
