package exchange

import (
	"github.com/prometheus/client_golang/prometheus"

	dto "github.com/prometheus/client_model/go"
)

// Answered returns how many queries of this process the upstream at addr has
// answered with NOERROR or NXDOMAIN, as CoreDNS's own metric of its proxies counts
// them (coredns_proxy_request_duration_seconds). It reads all metrics, so
// it must not be called for every query.
func Answered(addr string) uint64 {
	families, _ := prometheus.DefaultGatherer.Gather()
	var n uint64
	for _, f := range families {
		if f.GetName() != "coredns_proxy_request_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if of(m, "to") == addr && (of(m, "rcode") == "NOERROR" || of(m, "rcode") == "NXDOMAIN") {
				n += m.GetHistogram().GetSampleCount()
			}
		}
	}
	return n
}

func of(m *dto.Metric, label string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == label {
			return l.GetValue()
		}
	}
	return ""
}
