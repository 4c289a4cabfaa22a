package preflight

import (
	"cmp"
	"slices"
	"strings"
)

// A link is one plugin of a block's chain as far as answering goes. "Names
// under a zone" means an ordinary one that nobody wrote into a hosts file: the
// checks ask what becomes of names at large.
type link struct {
	Directive
	kind   kind
	zones  []string // that it answers for
	fall   []string // for which it passes on what it does not find
	except []string // of zones, names that it passes on unseen
	some   bool     // answers some query types or names of its zones only

	unknown bool // not one of CoreDNS's own plugins
}

type kind int

const (
	passes  kind = iota // leaves the answer to the plugins below
	answers             // for all names of its zones but those that fall through
	partly              // for names that the Corefile does not tell
)

// A behaviour tells how the zones of a plugin are written.
type behaviour struct {
	kind kind
	skip int // arguments before the zones
}

// behaviours holds CoreDNS's own plugins. One that is missing is taken to be
// external, hence partly: it may well answer.
var behaviours = map[string]behaviour{
	"template":     {answers, 2},
	"hosts":        {answers, 1},
	"kubernetes":   {answers, 0},
	"k8s_external": {answers, 0},
	"file":         {answers, 1},
	"secondary":    {answers, 0},
	"etcd":         {answers, 0},
	"forward":      {kind: answers},
	"grpc":         {kind: answers},
	"erratic":      {kind: answers},
	"whoami":       {kind: answers},

	// Their zones are accounts, directories or service names.
	"auto": {kind: partly}, "azure": {kind: partly}, "clouddns": {kind: partly},
	"dynupdate": {kind: partly}, "nomad": {kind: partly}, "route53": {kind: partly},

	"acl": {}, "any": {}, "autopath": {}, "bind": {}, "bufsize": {}, "cache": {},
	"cancel": {}, "chaos": {}, "debug": {}, "dns64": {}, "dnssec": {}, "dnstap": {},
	"ede": {}, "errors": {}, "geoip": {}, "grpc_server": {}, "header": {},
	"health": {}, "https": {}, "https3": {}, "loadbalance": {}, "local": {},
	"log": {}, "loop": {}, "metadata": {}, "minimal": {}, "multisocket": {},
	"nsid": {}, "on": {}, "pprof": {}, "prometheus": {}, "proxyproto": {},
	"quic": {}, "ready": {}, "reload": {}, "rewrite": {}, "root": {}, "shed": {},
	"sign": {}, "siit": {}, "timeouts": {}, "tls": {}, "trace": {}, "transfer": {},
	"tsig": {}, "view": {},
}

// chain returns the links of a block from first to last. The Corefile's order
// counts only among the uses of one plugin.
func chain(ds []Directive, zones, order []string) []link {
	rank := make(map[string]int, len(order))
	for i, name := range order {
		rank[name] = i
	}
	links := make([]link, 0, len(ds))
	for _, d := range ds {
		links = append(links, newLink(d, zones))
	}
	slices.SortStableFunc(links, func(a, b link) int { return cmp.Compare(rank[a.Name], rank[b.Name]) })
	shareFallthrough(links)
	return links
}

func newLink(d Directive, block []string) link {
	b, known := behaviours[d.Name]
	if !known {
		return link{Directive: d, kind: partly, unknown: true}
	}
	l := link{Directive: d, kind: b.kind}
	if b.kind != answers {
		return l
	}
	args := d.args()
	switch d.Name {
	case "whoami", "erratic":
		l.zones = block
		return l
	case "forward", "grpc":
		return forwarder(l, args)
	case "template":
		_, match := d.option("match")
		_, expr := d.option("expr")
		l.some = match || expr || len(args) < 2 || !strings.EqualFold(args[1], "ANY")
	case "secondary":
		if _, ok := d.option("catalog"); ok {
			l.kind = partly // members are served too
		}
	}
	l.zones = zonesOf(args[min(b.skip, len(args)):], block)
	if zones, ok := d.option("fallthrough"); ok {
		l.fall = zonesOf(zones, []string{"."})
	}
	return l
}

func forwarder(l link, args []string) link {
	if len(args) > 0 {
		l.zones = zonesOf(args[:1], nil)
		l.zones = l.zones[:min(1, len(l.zones))] // of a CIDR's zones forward takes the first
	}
	for i := 1; i < len(l.Lines); i++ {
		if line := l.Lines[i]; len(line) > 1 && line[0] == "except" {
			l.except = append(l.except, zonesOf(line[1:], nil)...)
		}
	}
	return l
}

// shareFallthrough copes with file and secondary, each one handler for all its
// uses with a single fallthrough (plugin/file/setup.go, fileParse).
func shareFallthrough(links []link) {
	fall := make(map[string][]string)
	for _, l := range links {
		if l.Name == "file" || l.Name == "secondary" {
			fall[l.Name] = append(fall[l.Name], l.fall...)
		}
	}
	for i, l := range links {
		if zones, ok := fall[l.Name]; ok {
			links[i].fall = zones
		}
	}
}

// covers reports whether names under zone are l's business.
func (l link) covers(zone string) bool {
	return l.kind == partly || l.kind == answers && covered(l.zones, zone)
}

// mayAnswer reports whether l answers some name under zone.
func (l link) mayAnswer(zone string) bool {
	return l.kind == partly || l.kind == answers && overlapping(l.zones, zone)
}

// stops reports whether no name under zone gets past l.
func (l link) stops(zone string) bool {
	return l.kind == answers && !l.some && covered(l.zones, zone) &&
		!overlapping(l.fall, zone) && !covered(l.except, zone)
}

// forwards reports whether l asks other servers.
func (l link) forwards() bool { return l.Name == "forward" || l.Name == "grpc" }
