package record

import (
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var (
	diagnosesTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "diagnoses_total",
		Help: "Diagnoses that ended, by result.",
	}, []string{"result"})
	diagnosisQueries = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "diagnosis_queries_total",
		Help: "Queries that diagnoses sent.",
	})
	diagnosisDuration = promauto.NewHistogram(prometheus.HistogramOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "diagnosis_duration_seconds",
		Help:    "How long diagnoses took.",
		Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	diagnosesSkipped = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "diagnoses_skipped_total",
		Help: "Failures that were not diagnosed, by reason.",
	}, []string{"reason"})
)

// CountDiagnosis counts a diagnosis that ended.
func CountDiagnosis(result string, queries int, took time.Duration) {
	diagnosesTotal.WithLabelValues(result).Inc()
	diagnosisQueries.Add(float64(queries))
	diagnosisDuration.Observe(took.Seconds())
}

// DiagnosisSkipped counts a failure that was not diagnosed. The reason is one
// of a closed set.
func DiagnosisSkipped(reason string) { diagnosesSkipped.WithLabelValues(reason).Inc() }

// Diagnosis is one that ended.
type Diagnosis struct {
	// Verdict is what was found, or the generic one that stands.
	Verdict *cause.Verdict
	// Result is undecided or resolves, or disagrees if the verdict is the
	// upstream's and another was found here; empty if a verdict was found.
	Result string
	// At, Upstream and Server are those of the failure that was diagnosed, and Refines is the
	// cause that it had before: without them nobody can tell which failures the line is about.
	At, Upstream, Server, Refines string

	Zone     string
	Question dns.Question
	Queries  int
	Duration time.Duration
	Text     string
	// Seen lists the suspects that were ruled out or could not be judged, each with what
	// was seen.
	Seen string
}

// Diagnosed queues the line of a diagnosis. It never blocks.
func (l *Log) Diagnosed(d Diagnosis) {
	if l.options.Mode == LogOff {
		return
	}
	select {
	case l.events <- event{"diagnosis", d.fields()}:
	default:
		LogDropped.Inc()
	}
}

func (d Diagnosis) fields() fields {
	fs := make(fields, 0, 17)
	if d.Verdict != nil {
		fs.text("cause", d.Verdict.Cause.ID)
		fs.codes("ede", d.Verdict.Codes())
		fs.text("owner", string(d.Verdict.Owner))
	}
	fs.text("result", d.Result)
	fs.text("refines", d.Refines)
	fs.text("at", d.At)
	fs.text("upstream", d.Upstream)
	fs.text("server", d.Server)
	fs.text("zone", d.Zone)
	fs.text("qname", d.Question.Name)
	fs.text("qtype", dns.Type(d.Question.Qtype).String())
	fs.number("queries", uint64(d.Queries))
	fs.seconds("duration_seconds", d.Duration)
	fs.text("text", d.Text)
	fs.text("ruled_out", d.Seen)
	if d.Verdict != nil {
		fs.text("advice", d.Verdict.Advice)
	}
	return fs
}

var (
	askedAgain = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "asked_again_total",
		Help: "Failing questions of queries without OPT that were asked once more with one, by result.",
	}, []string{"result"})
	reasonsHeard = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "reasons_heard_total",
		Help: "Reasons that upstreams gave when they were asked once more, by INFO-CODE.",
	}, []string{"info_code"})
	notAskedAgain = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: subsystem, Name: "not_asked_again_total",
		Help: "Failing questions of queries without OPT that were not asked once more, by reason.",
	}, []string{"reason"})
)

// AskedAgain counts a question that was asked once more, and what was said. The result is
// one of a closed set.
func AskedAgain(result string, said []option.Option) {
	askedAgain.WithLabelValues(result).Inc()
	for _, o := range said {
		reasonsHeard.WithLabelValues(option.Label(o.Code)).Inc()
	}
}

// NotAskedAgain counts a question that was not. The reason is one of a closed set.
func NotAskedAgain(reason string) { notAskedAgain.WithLabelValues(reason).Inc() }

// Reason is why a question failed, heard after its failure was answered and logged.
type Reason struct {
	Verdict *cause.Verdict
	// Refines is the cause that the failure had before.
	Refines  string
	Zone     string
	Question dns.Question
	// Duration is how long the upstream took to say it.
	Duration time.Duration
}

// reasonsPerSecond bounds the lines of reasons while summaries are written; see
// firstPerSecond.
const reasonsPerSecond = 1

// Reason queues the line of a reason that came after its failure. It never blocks.
func (l *Log) Reason(r Reason) {
	if l.options.Mode == LogOff {
		return
	}
	now := l.now()
	switch {
	case l.options.Mode == LogAll:
	case l.options.Mode == LogDefault && !l.summarizing.Load():
		if !l.rate.allow(now, linesPerSecond) {
			return
		}
	case !l.reasons.allowFirst(now, reasonsPerSecond):
		return
	}
	select {
	case l.events <- event{"reason", r.fields()}:
	default:
		LogDropped.Inc()
	}
}

func (r Reason) fields() fields {
	// The keys of a diagnosis of one query, which is what it is to those who read them;
	// an rcode would make a failure of it.
	fs := make(fields, 0, 15)
	fs.text("cause", r.Verdict.Cause.ID)
	fs.codes("ede", r.Verdict.Codes())
	fs.text("lasts", string(r.Verdict.Lasts))
	fs.text("owner", string(r.Verdict.Owner))
	fs.text("refines", r.Refines)
	fs.text("at", r.Verdict.At)
	fs.text("upstream", r.Verdict.Upstream)
	fs.text("zone", r.Zone)
	fs.text("qname", r.Question.Name)
	fs.text("qtype", dns.Type(r.Question.Qtype).String())
	fs.number("queries", 1)
	fs.seconds("duration_seconds", r.Duration)
	fs.text("text", r.Verdict.Text())
	fs.text("advice", r.Verdict.Advice)
	return fs
}
