package page

import (
	"encoding/json"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// The JSON has the keys of the log lines. Times are RFC 3339 in UTC, durations
// seconds, and what is not known is left out.
type report struct {
	Host      string          `json:"host"`
	Version   string          `json:"version"`
	Time      time.Time       `json:"time"`
	Since     time.Time       `json:"recorded_since"`
	Failures  uint64          `json:"failures"`
	PerSecond float64         `json:"failures_per_second"`
	Incidents []incidentEntry `json:"incidents"`
	Ended     []incidentEntry `json:"ended"`
	Rates     rateReport      `json:"last_hour"`
	Zones     []topEntry      `json:"zones"`
	Upstreams []topEntry      `json:"upstreams"`
	Names     []topEntry      `json:"names"`
	Remarked  []topEntry      `json:"remarked,omitempty"`
	Changes   []changeEntry   `json:"changes"`
	Recent    []failureEntry  `json:"recent"`
}

type incidentEntry struct {
	Cause     string    `json:"cause"`
	Code      uint16    `json:"ede"`
	Lasts     string    `json:"lasts"`
	Owner     string    `json:"owner"`
	At        string    `json:"at,omitempty"`
	Upstream  string    `json:"upstream,omitempty"`
	Zone      string    `json:"zone,omitempty"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	LastGood  time.Time `json:"last_good,omitzero"`
	Count     uint64    `json:"count"`
	Cached    uint64    `json:"cached_count"`
	Recovered bool      `json:"recovered"`
	// Policy is true for refusals by this server's own policy.
	Policy    bool   `json:"policy,omitempty"`
	Beginning string `json:"beginning,omitempty"`
	Advice    string `json:"advice,omitempty"`
}

type rateReport struct {
	BucketSeconds float64      `json:"bucket_seconds"`
	Start         time.Time    `json:"start"`
	Causes        []causeCount `json:"causes"`
}

type causeCount struct {
	Cause  string   `json:"cause"`
	Count  uint64   `json:"count"`
	Counts []uint32 `json:"counts"`
}

type topEntry struct {
	Name string `json:"name"`
	// Count is how often it failed for sure, AtMost how often it may have; left
	// out if both are the same.
	Count  uint64 `json:"count"`
	AtMost uint64 `json:"at_most,omitempty"`
}

type changeEntry struct {
	Kind     string    `json:"kind"`
	Upstream string    `json:"upstream,omitempty"`
	Time     time.Time `json:"time"`
}

type failureEntry struct {
	Time     time.Time `json:"time"`
	Rcode    string    `json:"rcode"`
	Cause    string    `json:"cause"`
	Codes    []uint16  `json:"ede"`
	Lasts    string    `json:"lasts"`
	Owner    string    `json:"owner"`
	At       string    `json:"at,omitempty"`
	Upstream string    `json:"upstream,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Server   string    `json:"server,omitempty"`
	Protocol string    `json:"protocol,omitempty"`
	Client   string    `json:"client_ip,omitempty"`
	Space    string    `json:"client_namespace,omitempty"`
	Pod      string    `json:"client_pod,omitempty"`
	Name     string    `json:"qname"`
	Type     string    `json:"qtype"`
	Asked    string    `json:"asked,omitempty"`
	Duration float64   `json:"duration_seconds"`
	Cached   bool      `json:"cached"`
	Text     string    `json:"text,omitempty"`
	Error    string    `json:"error,omitempty"`
	Evidence []string  `json:"evidence"`
	Advice   string    `json:"advice,omitempty"`
}

func (h *handler) json() ([]byte, error) { return json.Marshal(h.report(h.Snapshot())) }

func (h *handler) report(s *incident.Snapshot) report {
	r := report{
		Host: h.Host, Version: h.Version, Time: s.Now.UTC(), Since: s.Since, Failures: s.Failures, PerSecond: s.PerSecond(),
		Incidents: incidentEntries(s, s.Open), Ended: incidentEntries(s, s.Ended),
		Rates: rateReport{BucketSeconds: incident.RateWidth.Seconds(), Start: s.Start(0), Causes: []causeCount{}},
		Zones: topEntries(s.Zones), Upstreams: topEntries(s.Upstreams), Names: topEntries(s.Names),
		Changes: []changeEntry{}, Recent: []failureEntry{},
	}
	if h.Remarked != nil {
		r.Remarked = topEntries(h.Remarked())
	}
	for _, c := range s.Rates {
		r.Rates.Causes = append(r.Rates.Causes, causeCount{c.Cause, c.Total, c.Counts[:]})
	}
	for _, e := range s.Events {
		r.Changes = append(r.Changes, changeEntry{string(e.Kind), e.Upstream, e.Time.UTC()})
	}
	for _, f := range s.Recent {
		r.Recent = append(r.Recent, failureEntry{
			Time: f.Time.UTC(), Rcode: f.Rcode, Cause: f.Cause, Codes: f.Codes, Lasts: f.Lasts, Owner: f.Owner, At: f.At,
			Upstream: f.Upstream, Zone: f.Zone, Server: f.Server, Protocol: f.Protocol, Client: f.Client, Space: f.Namespace, Pod: f.Pod, Name: f.Name,
			Type: f.Type, Asked: f.Asked, Duration: float64(f.Duration.Round(time.Millisecond).Milliseconds()) / 1000, Cached: f.Cached,
			Text: f.Text, Error: f.Error, Evidence: f.Trace, Advice: f.Advice,
		})
	}
	return r
}

func incidentEntries(s *incident.Snapshot, list []incident.Incident) []incidentEntry {
	entries := make([]incidentEntry, 0, len(list))
	for _, in := range list {
		entries = append(entries, incidentEntry{
			Cause: in.Cause, Code: in.Code, Lasts: in.Lasts, Owner: in.Owner, At: in.At, Upstream: in.Upstream, Zone: in.Zone,
			First: in.First.UTC(), Last: in.Last.UTC(), LastGood: utc(in.LastGood), Count: in.Count, Cached: in.Cached,
			Recovered: in.Recovered(), Policy: byPolicy(in.Cause), Beginning: s.Beginning(in), Advice: in.Advice,
		})
	}
	return entries
}

// utc leaves the zero time alone, which omitzero knows in no other zone.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

func topEntries(tops []incident.Top) []topEntry {
	entries := make([]topEntry, 0, len(tops))
	for _, t := range tops {
		e := topEntry{Name: t.Name, Count: t.AtLeast()}
		if t.Over > 0 {
			e.AtMost = t.Count
		}
		entries = append(entries, e)
	}
	return entries
}
