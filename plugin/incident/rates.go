package incident

import (
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

const (
	// RateWidth is the time that one bucket of the rates counts.
	RateWidth = 30 * time.Second
	// RateBuckets make up the last hour.
	RateBuckets = int(kept / RateWidth)
	// LeastSpan is what a rate is taken over at least: a few failures at once
	// are not many a second.
	LeastSpan = 5 * time.Second
)

// causeIndex gives every cause of the catalog its place in a bucket; the place
// after the last is for what the catalog does not know.
var (
	causeIDs   []string
	causeIndex = func() map[string]int {
		index := make(map[string]int)
		for i, c := range cause.All() {
			index[c.ID] = i
			causeIDs = append(causeIDs, c.ID)
		}
		return index
	}()
)

// unlisted is the name under which failures outside of the catalog count.
const unlisted = "unlisted"

// rates counts failures by cause and time in a ring of buckets. The catalog is
// closed, so its size is fixed.
type rates struct{ buckets [RateBuckets]rateBucket }

type rateBucket struct {
	// number counts buckets since the epoch: what tells an hour from the next.
	number int64
	counts []uint32
}

func bucketOf(t time.Time) int64 { return t.UnixNano() / int64(RateWidth) }

func (r *rates) add(now time.Time, id string) {
	number := bucketOf(now)
	b := &r.buckets[number%int64(RateBuckets)]
	if b.number != number || b.counts == nil {
		b.number = number
		if b.counts == nil {
			b.counts = make([]uint32, len(causeIDs)+1)
		}
		clear(b.counts)
	}
	i, ok := causeIndex[id]
	if !ok {
		i = len(causeIDs)
	}
	b.counts[i]++
}

// Rate is how often one cause failed queries in each bucket, oldest first.
type Rate struct {
	Cause  string
	Counts [RateBuckets]uint32
	Total  uint64
}

// Start returns when the bucket with that index began, at the time now.
func (s *Snapshot) Start(bucket int) time.Time {
	number := bucketOf(s.Now) - int64(RateBuckets-1-bucket)
	return time.Unix(0, number*int64(RateWidth)).UTC()
}

// PerSecond is the rate of failures in the current and the last bucket.
func (s *Snapshot) PerSecond() float64 {
	count := uint64(0)
	for _, r := range s.Rates {
		count += uint64(r.Counts[RateBuckets-1]) + uint64(r.Counts[RateBuckets-2])
	}
	span := s.Now.Sub(s.Start(RateBuckets - 2))
	if recorded := s.Now.Sub(s.Since); recorded < span {
		span = max(recorded, LeastSpan)
	}
	return float64(count) / span.Seconds()
}

// list returns the causes that occurred in the hour until now, in the order of
// the catalog.
func (r *rates) list(now time.Time) []Rate {
	newest := bucketOf(now)
	var all []Rate
	for i := range len(causeIDs) + 1 {
		one := Rate{Cause: unlisted}
		if i < len(causeIDs) {
			one.Cause = causeIDs[i]
		}
		for _, b := range r.buckets {
			age := newest - b.number
			if b.counts == nil || age < 0 || age >= int64(RateBuckets) {
				continue
			}
			one.Counts[int64(RateBuckets)-1-age] = b.counts[i]
			one.Total += uint64(b.counts[i])
		}
		if one.Total > 0 {
			all = append(all, one)
		}
	}
	return all
}
