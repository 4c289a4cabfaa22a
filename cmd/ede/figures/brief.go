package figures

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// Brief puts a record into one line for somebody who watches.
func Brief(r *logline.Record, loc *time.Location) string {
	var words []string
	if !r.Time.IsZero() {
		words = append(words, r.Time.In(loc).Format("15:04:05"))
	}
	if r.Kind == logline.Query {
		words = append(words, string(r.Get(logline.RCode)))
	} else {
		words = append(words, r.Kind.String())
	}
	if r.Kind == logline.Summary || r.Kind == logline.Recovered {
		words = append(words, comma(r.Count)+plural(r.Count, " failure", " failures"))
	}
	if r.Kind == logline.Drops {
		words = append(words, comma(r.Count)+plural(r.Count, " query by ", " queries by ")+string(r.Get(logline.At)))
	}
	for _, f := range []logline.Field{logline.Cause, logline.Result, logline.QName, logline.QType, logline.Zone} {
		if val := r.Get(f); len(val) > 0 {
			words = append(words, string(val))
		}
	}
	for _, f := range []struct {
		word  string
		field logline.Field
	}{{"at", logline.Upstream}, {"for", logline.ClientIP}} {
		if val := r.Get(f.field); len(val) > 0 {
			words = append(words, f.word, string(val))
		}
	}
	if r.AfterSeconds > 0 {
		words = append(words, "after", spanOf(time.Duration(r.AfterSeconds*float64(time.Second))))
	}
	line := strings.Join(words, " ")
	if text := r.Get(logline.Text); len(text) > 0 {
		line = fmt.Sprintf("%s: %s", line, text)
	}
	return line + "\n"
}
