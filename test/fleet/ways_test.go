package fleet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
)

// A told is a line about failures that went to one upstream: one failure, a summary of more,
// or, with found, a diagnosis.
type told struct {
	place, zone, name string
	count             int
	found             string
}

func (l told) line(at time.Time) string {
	line := fmt.Sprintf(`{"time":%q,"level":"INFO","msg":"m","plugin":"ede","at":"forward","upstream":"192.0.2.53:53",%s`, at.Format(time.RFC3339Nano), l.place)
	if l.zone != "" {
		line += fmt.Sprintf(`,"zone":%q`, l.zone)
	}
	switch {
	case l.found != "":
		line += fmt.Sprintf(`,"cause":%q,"refines":"upstream_servfail","ede":[22],"owner":"zone","qname":%q,"queries":9,"text":"seen","advice":"Act."`, l.found, l.name)
	case l.count > 1:
		line += fmt.Sprintf(`,"cause":"upstream_servfail","count":%d,"cached_count":0,"window_seconds":10,"top":"%s:%d"`, l.count, l.name, l.count/2)
	default:
		line += fmt.Sprintf(`,"cause":"upstream_servfail","rcode":"SERVFAIL","ede":[0],"owner":"upstream","lasts":"unknown","qname":%q,"cached":false,"sent":"true"`, l.name)
	}
	return line + "}\n"
}

// What a diagnosis explains is the same from files, from a store, and from sums of hours,
// however the zone of the diagnosis and those of the failures lie.
func TestSumsTellWhatADiagnosisExplains(t *testing.T) {
	const (
		one   = `"instance":"edge one","server":"dns://:53"` // a name that is chosen may have a space
		two   = `"instance":"edge-2","server":"dns://:53"`
		here  = `"server":"dns://:53"`
		there = `"server":"dns://:54"`
		found = "lame_delegation"
	)
	for name, c := range map[string]struct {
		diagnosis told
		explained uint64
		failures  []told
	}{
		"its zone, on one instance": {told{one, "example.org.", "a.example.org.", 0, found}, 1, []told{{one, "example.org.", "a.example.org.", 1, ""}, {two, "example.org.", "a.example.org.", 1, ""}}},
		"a zone next to it":         {told{one, "example.org.", "a.example.org.", 0, found}, 0, []told{{one, "example.net.", "a.example.net.", 1, ""}}},
		"zones below it":            {told{two, "example.org.", "a.z.example.org.", 0, found}, 41, []told{{two, "y.example.org.", "a.y.example.org.", 1, ""}, {two, "z.example.org.", "a.z.example.org.", 40, ""}}},
		"a top-level domain":        {told{two, "co.", "a.example.co.", 0, found}, 2, []told{{two, "example.org.", "a.example.org.", 1, ""}, {two, "t.co.", "t.co.", 1, ""}, {two, "example.co.", "example.co.", 1, ""}}},
		"a zone of a country":       {told{two, "example.co.uk.", "a.example.co.uk.", 0, found}, 3, []told{{two, "example.co.uk.", "a.example.co.uk.", 3, ""}, {two, "co.uk.", "co.uk.", 1, ""}}},
		"a zone above it":           {told{one, "example.org.", "a.example.org.", 0, found}, 1, []told{{one, "org.", "a.example.org.", 1, ""}, {one, "org.", "b.example2.org.", 1, ""}}},
		"one of two listeners":      {told{here, "example.org.", "a.example.org.", 0, found}, 1, []told{{here, "example.org.", "a.example.org.", 1, ""}, {there, "example.org.", "a.example.org.", 1, ""}}},
		"no zone":                   {told{two, "", "a.example.org.", 0, found}, 1, []told{{two, "example.org.", "a.example.org.", 1, ""}, {two, "example.org.", "b.example.org.", 1, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			// Two hours have the failures, and the second one has the diagnosis.
			hour := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
			log := ""
			for i := range 2 {
				for j, f := range c.failures {
					log += f.line(hour.Add(time.Duration(i)*time.Hour + time.Duration(1+j)*time.Minute))
				}
			}
			log += c.diagnosis.line(hour.Add(90 * time.Minute))
			file := filepath.Join(t.TempDir(), "coredns.log")
			if err := os.WriteFile(file, []byte(log), 0o600); err != nil {
				t.Fatal(err)
			}
			_, store := node(t, t.TempDir())
			ship(t, store, strings.NewReader(log))
			stored(t, store, strings.Count(log, "\n"))
			files, err := reportOf(t, report.Config{Files: []string{file}, Top: 50})
			if err != nil {
				t.Fatal(err)
			}
			var explained uint64
			for _, a := range files.Actions {
				if a.Cause == found {
					explained = a.Count
				}
			}
			if explained != 2*c.explained {
				t.Errorf("files: the diagnosis explains %d failures, want %d", explained, 2*c.explained)
			}
			for _, summed := range []bool{false, true} {
				if summed {
					rollup(t, "--from", store, "--settle", "0s")
					summedUp(t, store, 2)
				}
				address, asked := asking(t, store)
				got, err := reportOf(t, report.Config{From: address, Top: 50})
				if err != nil {
					t.Fatal(err)
				}
				sameMostly(files, got)
				if want, got := comparable(t, files), comparable(t, got); want != got {
					t.Errorf("the files, and the store, from sums %v:\n%s", summed, difference(want, got))
				}
				if strings.Contains(asked(), "roll:in(") != summed {
					t.Errorf("sums are asked for: %v", !summed)
				}
			}
		})
	}
}
