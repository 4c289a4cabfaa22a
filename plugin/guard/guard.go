// Package guard catches panics in ede's own work, so that the piece of work ends and not the
// process: what explains a failure must not cause one.
package guard

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

const subsystem = "ede"

var log = clog.NewWithPlugin(subsystem)

// panics has the label work, which is one of a closed set.
var panics = promauto.NewCounterVec(prometheus.CounterOpts{
	Namespace: plugin.Namespace, Subsystem: subsystem, Name: "panics_total",
	Help: "Panics in ede's own work, each of which ended that piece of work.",
}, []string{"work"})

// lines bounds how many panics are logged, with their stacks.
var lines = rate.NewLimiter(rate.Every(10*time.Second), 3)

// Work is a piece of ede's own work, the value of the label work.
type Work string

const (
	Explaining Work = "explain"
	Diagnosing Work = "diagnosis"
	// AskingAgain is asking a question once more for its reason.
	AskingAgain Work = "ask_again"
	Logging     Work = "log"
	Refreshing  Work = "refresh"
	Page        Work = "page"
)

// Catch is to be deferred. If the work panics, Catch counts and logs the panic, and then
// calls the function after, which may be nil.
func Catch(work Work, after func()) {
	v := recover()
	if v == nil {
		return
	}
	panics.WithLabelValues(string(work)).Inc()
	if lines.Allow() {
		log.Errorf("%s panicked, and was ended; please report this: %s\n%s", work, fmt.Sprint(v), debug.Stack())
	}
	if after != nil {
		after()
	}
}

// Value returns what f returns, or the zero value if f panics. It is for goroutines that
// owe somebody a result.
func Value[T any](work Work, f func() T) (v T) {
	defer Catch(work, nil)
	return f()
}
