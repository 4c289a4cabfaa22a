package record

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const subsystem = "ede"

// The metrics. Labels are closed or bounded; none is ever a query name or a
// client.
var (
	failures = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "failures_total",
		Help: "Queries answered with SERVFAIL or REFUSED, by cause.",
	}, []string{"server", "zone", "view", "rcode", "cause"})

	causeInfo = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "cause_info",
		Help: "The catalog of causes, for joins on the cause label.",
	}, []string{"cause", "owner", "lasts", "ede"})

	upstreamFailures = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "upstream_failures_total",
		Help: "Failing queries by the upstream that was asked last.",
	}, []string{"server", "to", "cause"})

	optionsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "options_total",
		Help: "EDE options sent, by INFO-CODE and source.",
	}, []string{"server", "info_code", "source"})

	notAttached = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "not_attached_total",
		Help: "Failing answers without an EDE option of ede, by reason.",
	}, []string{"server", "reason"})

	cachedFailures = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "cached_failures_total",
		Help: "Failing queries that were answered from cache.",
	}, []string{"server"})

	// LogSuppressed counts failures without a line of their own.
	LogSuppressed = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "log_suppressed_total",
		Help: "Failures that a summary stands for.",
	})
	// LogDropped counts lines that the queue had no room for.
	LogDropped = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "log_dropped_total",
		Help: "Log lines lost because the log sink did not keep up.",
	})
	// Incidents is how many incidents the table holds.
	Incidents = promauto.NewGauge(prometheus.GaugeOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "incidents",
		Help: "Incidents that are open or ended lately.",
	})
	buildInfo = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "build_info",
		Help: "The version of ede.",
	}, []string{"version", "revision", "goversion"})
)

func init() {
	seen := make(map[string]bool)
	for _, c := range cause.All() {
		if seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		causeInfo.WithLabelValues(c.ID, string(c.Owner), string(c.Lasts), strconv.Itoa(int(c.Code))).Set(1)
	}
}

// SetBuild publishes the version of the build.
func SetBuild(version, revision, goversion string) {
	buildInfo.WithLabelValues(version, revision, goversion).Set(1)
}

// maxUpstreams bounds the values of the label to.
const maxUpstreams = 64

// otherUpstream stands for the upstreams beyond the bound.
const otherUpstream = "other"

var upstreamLabels = struct {
	sync.Mutex
	known map[string]bool
}{known: make(map[string]bool)}

func upstreamLabel(addr string) string {
	upstreamLabels.Lock()
	defer upstreamLabels.Unlock()
	if upstreamLabels.known[addr] {
		return addr
	}
	if len(upstreamLabels.known) >= maxUpstreams {
		return otherUpstream
	}
	upstreamLabels.known[addr] = true
	return addr
}

// alikeKey is what failures have in common that count alike.
type alikeKey struct {
	server, zone, view, cause, upstream, withheld string
	rcode                                         int
	cached                                        bool
}

// optionKey is what the labels of an option's counter are made of.
type optionKey struct {
	server, code string
	source       option.Source
}

var (
	alikeCounters  atHand[alikeKey, []prometheus.Counter]
	optionCounters atHand[optionKey, prometheus.Counter]
)

// Count counts f.
func Count(f *Failure) {
	k := alikeKey{f.Server, f.Zone, f.View, f.Verdict.Cause.ID, f.Verdict.Upstream, f.reasonNotSent(), f.Rcode, f.Cached}
	for _, c := range alikeCounters.of(&k, countersOf) {
		c.Inc()
	}
}

// countersOf returns the counters of the failures that k is of.
func countersOf(k *alikeKey) []prometheus.Counter {
	all := []prometheus.Counter{failures.WithLabelValues(k.server, k.zone, k.view, dns.RcodeToString[k.rcode], k.cause)}
	if k.upstream != "" {
		all = append(all, upstreamFailures.WithLabelValues(k.server, upstreamLabel(k.upstream), k.cause))
	}
	if k.withheld != "" {
		all = append(all, notAttached.WithLabelValues(k.server, k.withheld))
	}
	if k.cached {
		all = append(all, cachedFailures.WithLabelValues(k.server))
	}
	return all
}

// CountOptions counts the options of an answer of server.
func CountOptions(server string, opts []option.Option) {
	for i := range opts {
		k := optionKey{server, option.Label(opts[i].Code), opts[i].Source}
		optionCounters.of(&k, func(k *optionKey) prometheus.Counter {
			return optionsTotal.WithLabelValues(k.server, k.code, k.source.String())
		}).Inc()
	}
}

// maxSeries bounds what is kept at hand of a vector. The labels are closed or
// bounded, so that it is reached only by a process with very many blocks.
const maxSeries = 4096

// atHand keeps what is found by labels: finding a counter by its labels costs more than
// all else that is counted. It is read without a lock.
type atHand[K comparable, V any] struct {
	held  atomic.Pointer[map[K]*labeled[K, V]]
	write sync.Mutex
	// last is what was found last: in an outage failures are alike, and to compare labels that
	// are the same strings costs less than to hash them.
	last atomic.Pointer[labeled[K, V]]
}

// labeled is what there is for a key.
type labeled[K comparable, V any] struct {
	key   K
	value V
}

// of returns what there is for k, which is made by labels if it is not at hand.
func (c *atHand[K, V]) of(k *K, labels func(*K) V) V {
	if last := c.last.Load(); last != nil && last.key == *k {
		return last.value
	}
	if held := c.held.Load(); held != nil {
		if found, ok := (*held)[*k]; ok {
			c.last.Store(found)
			return found.value
		}
	}
	// The copy is what labels may keep: k need not leave the caller's stack.
	return c.find(*k, labels)
}

func (c *atHand[K, V]) find(k K, labels func(*K) V) V {
	found := &labeled[K, V]{key: k}
	found.value = labels(&found.key)
	if held := c.held.Load(); held != nil && len(*held) >= maxSeries {
		return found.value
	}
	c.write.Lock()
	defer c.write.Unlock()
	grown := make(map[K]*labeled[K, V])
	if held := c.held.Load(); held != nil {
		maps.Copy(grown, *held)
	}
	if len(grown) >= maxSeries {
		return found.value
	}
	grown[k] = found
	c.held.Store(&grown)
	return found.value
}
