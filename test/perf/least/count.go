package least

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/cache"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// remembered is how many questions are remembered, as many as ede does by default.
const remembered = 10_000

var failed = promauto.NewCounterVec(prometheus.CounterOpts{Name: "least_failures_total", Help: "Failures, by server and plugin."}, []string{"server", "plugin"})

// failures counts what failed, and remembers each question by a keyed hash of 128 bits.
type failures struct {
	secret    [16]byte
	questions *cache.Cache[entry]
}

// entry is what is remembered of a question.
type entry struct {
	check, path uint64
}

func newFailures() *failures {
	f := &failures{questions: cache.New[entry](remembered)}
	rand.Read(f.secret[:])
	return f
}

func (f *failures) count(q *query, asked dns.Question) {
	b := append(make([]byte, 0, 256), f.secret[:]...)
	b = binary.LittleEndian.AppendUint16(b, asked.Qtype)
	b = append(b, asked.Name...)
	sum := sha256.Sum256(b)
	place, check := binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])
	if e, ok := f.questions.Get(place); !ok || e.check != check {
		f.questions.Add(place, entry{check, q.path})
	}
	failed.WithLabelValues(metrics.WithServer(q), q.failed).Inc()
}
