package diagnose

import (
	"context"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
)

// Judge validates a question that is answered: a resolver may answer what a
// validator would reject, or accept as insecure for a reason worth knowing. The
// finding's outcome is Resolves; it has a verdict if there is something to say.
func (e *Engine) Judge(ctx context.Context, c Case) Finding {
	ctx, cancel := context.WithTimeout(ctx, e.maxTime())
	defer cancel()
	began := e.Now()
	d := e.begin(c)
	d.Failing = d.counted(c.Failing)
	found := d.follow(ctx, d.Failing, d.Question)
	d.trace(found)
	f := Finding{Outcome: Resolves, Zone: found.Zone, Text: "DNSSEC: " + found.Status.String()}
	switch {
	case found.Status == dnssec.Undecided:
		f.Text = "DNSSEC could not be judged: " + found.Text
	case found.Text != "":
		f.Text += ", " + found.Text
	}
	if len(found.Codes) > 0 {
		f.Text, f.Fault = found.Text, &found
		if id, ok := causeOf[found.Codes[0]]; ok {
			f.Verdict = cause.Diagnosed(d.Verdict, id, found.Codes, found.Text, found.Text, found.Zone)
		}
	}
	f.Steps, f.Queries, f.Elapsed = d.steps, int(d.queries.Load()), e.Now().Sub(began)
	return f
}
