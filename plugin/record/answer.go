package record

import (
	"net/netip"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var remarkedAnswers = promauto.NewCounterVec(prometheus.CounterOpts{
	Namespace: plugin.Namespace, Subsystem: subsystem, Name: "remarked_answers_total",
	Help: "Answers that did not fail and of which something is said in an EDE, by INFO-CODE.",
}, []string{"server", "info_code"})

type remarkKey struct{ server, code string }

var remarkCounters atHand[remarkKey, prometheus.Counter]

// Remarked counts an answer that did not fail and has EDEs with these codes.
func Remarked(server string, codes []uint16) {
	for _, code := range codes {
		remarkCounters.of(&remarkKey{server, option.Label(code)}, func(k *remarkKey) prometheus.Counter {
			return remarkedAnswers.WithLabelValues(k.server, k.code)
		}).Inc()
	}
}

// Answer is one that did not fail and has an EDE.
type Answer struct {
	Question dns.Question
	Codes    []uint16
	Server   string
	Client   netip.AddrPort
	Pod      Pod
	Text     string
}

// answersPerSecond bounds the lines of answers.
const answersPerSecond = 10

// Answer queues a line for a, or leaves it out where there are more than the rate
// allows. It never blocks.
func (l *Log) Answer(a Answer) {
	if l.options.Mode == LogOff || l.summarizing.Load() || !l.answers.allow(l.now(), answersPerSecond) {
		return
	}
	fs := make(fields, 0, 9)
	fs.codes("ede", a.Codes)
	fs.text("server", a.Server)
	addr, port := l.options.Client.of(a.Client)
	fs.text("client_ip", addr)
	if port != 0 {
		fs.number("client_port", uint64(port))
	}
	fs.text("client_namespace", a.Pod.Namespace)
	fs.text("client_pod", a.Pod.Name)
	fs.text("qname", a.Question.Name)
	fs.text("qtype", dns.Type(a.Question.Qtype).String())
	fs.text("text", a.Text)
	select {
	case l.events <- event{"answer", fs}:
	default:
		LogDropped.Inc()
	}
}
