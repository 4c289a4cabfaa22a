package record

import (
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
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
	Result   string
	Zone     string
	Question dns.Question
	Queries  int
	Duration time.Duration
	Text     string
	// Seen is what was seen of those who were ruled out, or could not be told.
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
	fs := make(fields, 0, 13)
	if d.Verdict != nil {
		fs.text("cause", d.Verdict.Cause.ID)
		fs.codes("ede", d.Verdict.Codes())
		fs.text("owner", string(d.Verdict.Owner))
	}
	fs.text("result", d.Result)
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
