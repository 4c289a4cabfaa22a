package chain

import (
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// A Link is one use of a plugin in a block's chain.
type Link struct {
	*corefile.Directive
	*business
	// Answers is true for a plugin that gives answers of its own, Data for one
	// that has whole zones, Unknown for one that is not CoreDNS's own.
	Answers, Data, Unknown bool

	Read *Link // the use of the plugin that is read in place of this one, nil if this one is

	handler bool // has a place in the chain
	meet    func(c *Chain, i int, q *Question) step
	wants   func(l *Link, q Question) bool // nil: whatever lies in Zones
}

// A business is what a plugin does with names, which many have nothing to do with.
type business struct {
	Zones  []string // that it answers for
	Fall   []string // for which it passes on what it does not have
	Except []string // of Zones, names that it passes on unseen

	zones, fall, except zoneSet

	// Of one plugin each.
	group    zoneSet // file, secondary: the zones of all its uses; auto: those that it may have; acl: its own
	held     bool    // auto: what it has is known
	template *template
	hosts    *hosts
	rewrite  *rule
	acl      []policy
	view     *view
}

// A behaviour is what the Corefile tells of one of CoreDNS's own plugins.
type behaviour struct {
	answers bool
	data    bool
	absent  bool // has no place in the chain
	skip    int  // arguments before the zones
	// open is true if the Corefile does not tell which names of its zones it has.
	open bool
	meet func(c *Chain, i int, q *Question) step
	// prepare reads what only this plugin has.
	prepare func(l *Link)
	wants   func(l *Link, q Question) bool
}

// behaviours holds CoreDNS's own plugins; one that is missing is taken to be
// external. A plugin without meet leaves every question to the ones below.
var behaviours = map[string]behaviour{
	"template":     {answers: true, skip: 2, meet: meetTemplate, prepare: prepareTemplate, wants: templateWants},
	"hosts":        {answers: true, skip: 1, meet: meetHosts, prepare: prepareHosts, wants: hostsWants},
	"kubernetes":   {answers: true, data: true, meet: meetData},
	"k8s_external": {answers: true, data: true, meet: meetData},
	"file":         {answers: true, data: true, skip: 1, meet: meetFile},
	"secondary":    {answers: true, data: true, meet: meetFile},
	"etcd":         {answers: true, data: true, meet: meetData},
	"forward":      {answers: true, meet: meetForward, prepare: prepareForward},
	"grpc":         {answers: true, meet: meetForward, prepare: prepareForward},
	"erratic":      {answers: true, meet: meetErratic},
	"whoami":       {answers: true, meet: meetAll},
	"any":          {meet: meetAny},
	"local":        {meet: meetLocal},
	"acl":          {meet: meetACL, prepare: prepareACL},
	"rewrite":      {meet: meetRewrite, prepare: prepareRewrite},
	"tsig":         {meet: meetOpen},

	// Which names they have is in directories, accounts and services.
	"auto":  {answers: true, open: true, meet: meetAuto},
	"azure": {answers: true, open: true, meet: meetOpen}, "clouddns": {answers: true, open: true, meet: meetOpen},
	"route53": {answers: true, open: true, meet: meetOpen}, "dynupdate": {answers: true, open: true, meet: meetOpen},
	"nomad": {answers: true, open: true, meet: meetOpen},

	"autopath": {}, "bufsize": {}, "cache": {}, "cancel": {}, "chaos": {meet: meetChaos}, "dns64": {}, "dnssec": {}, "dnstap": {},
	"ede": {}, "errors": {}, "geoip": {}, "header": {}, "loadbalance": {}, "log": {}, "loop": {}, "metadata": {},
	"minimal": {}, "nsid": {}, "prometheus": {}, "shed": {}, "siit": {}, "trace": {}, "transfer": {},
	"view": {prepare: prepareView},

	"bind": {absent: true}, "debug": {absent: true}, "grpc_server": {absent: true}, "health": {absent: true},
	"https": {absent: true}, "https3": {absent: true}, "multisocket": {absent: true}, "on": {absent: true},
	"pprof": {absent: true}, "proxyproto": {absent: true}, "quic": {absent: true}, "ready": {absent: true},
	"reload": {absent: true}, "root": {absent: true}, "sign": {absent: true}, "timeouts": {absent: true}, "tls": {absent: true},
}

// Known reports whether name is a plugin of CoreDNS.
func Known(name string) bool {
	_, ok := behaviours[name]
	return ok
}

// Plugins are the names of CoreDNS's own plugins, sorted.
func Plugins() []string {
	names := make([]string, 0, len(behaviours))
	for name := range behaviours {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// read makes l of d. Of more than most zones it reads only so many that it is seen.
func (l *Link) read(d *corefile.Directive, block []string, most int) {
	b, known := behaviours[d.Name]
	l.Directive, l.Unknown, l.handler = d, !known, !b.absent
	l.Answers, l.Data, l.meet, l.wants = b.answers && !b.open, b.data, b.meet, b.wants
	l.business = none
	if !known {
		l.meet = meetOpen
	}
	if !b.answers && b.prepare == nil {
		return
	}
	l.business = &business{}
	if b.answers {
		args := d.Args()
		args = args[min(b.skip, len(args)):]
		switch d.Name {
		default:
			l.Zones = ZonesOf(args[:min(most+1, len(args))], block)
		case "forward", "grpc": // see prepareForward
		case "whoami", "erratic":
			l.Zones = []string{"."}
		case "azure", "clouddns", "route53", "dynupdate", "nomad": // not known
		}
		if zones, ok := d.Option("fallthrough"); ok {
			l.Fall = ZonesOf(zones[:min(most+1, len(zones))], root)
		}
		if _, catalog := d.Option("catalog"); catalog {
			l.Answers, l.meet = false, meetOpen // members are served, too
		}
	}
	if d.Name == "acl" {
		l.group = newZoneSet(ZonesOf(d.Args(), block))
	}
	if b.prepare != nil {
		b.prepare(l)
	}
	l.zones, l.fall, l.except = newZoneSet(l.Zones), newZoneSet(l.Fall), newZoneSet(l.Except)
}

var root = []string{"."}

// none is the business of plugins without one, and absent stands for a plugin that
// a chain does not have. Nobody writes to them.
var (
	none   = &business{}
	absent = &Link{Directive: new(corefile.Directive), business: none}
)

// Forwards reports whether l asks other servers.
func (l *Link) Forwards() bool { return l.Name == "forward" || l.Name == "grpc" }

// Covers reports whether names under zone are l's business, as far as can be told.
func (l *Link) Covers(zone string) bool {
	return l.Answers && Covered(l.Zones, zone) || l.mayHave()
}

// MayAnswer reports whether l answers some name under zone.
func (l *Link) MayAnswer(zone string) bool {
	return l.Answers && Overlapping(l.Zones, zone) || l.mayHave()
}

func (l *Link) mayHave() bool { return l.Unknown || behaviours[l.Name].open && !l.held }

// Claims reports whether q is what l is there for. Of plugins whose zones are not
// in the Corefile that is not known.
func (l *Link) Claims(q Question) bool {
	if !l.Answers && l.Name != "auto" {
		return false
	}
	if l.wants != nil {
		return l.wants(l, q)
	}
	return l.zones.has(q.Name) && (!l.excepts(q.Name) || l.zones.holds(q.Name))
}

func (l *Link) excepts(name string) bool { return l.except.has(name) }

// Served are the zones that a plugin with zone files answers for, of all its uses; of auto
// those that its directory has.
func (l *Link) Served() []string {
	if l.Name == "auto" {
		if l.held {
			return l.Zones
		}
		return nil
	}
	return l.group
}
