package report

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// store makes the tally from a store. If a node of a cluster is down it takes what
// the others have, and returns the error all the same: what is printed then is not
// the whole.
func (r *run) store(ctx context.Context) error {
	client, err := victorialogs.New(r.From, r.Header)
	if err != nil {
		return err
	}
	if r.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, r.Timeout)
		defer stop()
	}
	err = r.collect(ctx, client)
	if !errors.Is(err, victorialogs.ErrNodeDown) {
		return err
	}
	client.Partial = true
	if retried := r.collect(ctx, client); retried != nil {
		return retried
	}
	r.problem(fmt.Errorf("not the whole: a storage node is down, and what it holds is missing here: %w", err))
	return err
}

func (r *run) collect(ctx context.Context, client *victorialogs.Client) error {
	t := newTally(r.Filter)
	found, err := r.sums(ctx, client)
	if err != nil {
		return err
	}
	s := scopeOf(&r.Filter, found)
	questions := t.questions(&s)
	// How many questions the answers raise is not known before.
	firsts, total := len(questions), len(questions)+4
	for done := 0; done < len(questions); done++ {
		if r.Asking != nil {
			r.Asking(questions[done].what, done, max(total, len(questions)))
		}
		if err := t.ask(ctx, client, questions[done]); err != nil {
			return err
		}
		if done+1 == firsts {
			questions = append(append(questions, t.details(&s, r.Top)...), t.timeline(&s)...)
		}
	}
	t.settle()
	r.tally = t
	return nil
}

// sums looks for hours that are summed up. Their sums tell of time and cause alone, and
// need every node of a cluster.
func (r *run) sums(ctx context.Context, client *victorialogs.Client) (sums.Found, error) {
	f := &r.Filter
	if client.Partial || len(f.Causes) > 0 || len(f.Zones) > 0 || len(f.Clients) > 0 {
		return sums.Found{}, nil
	}
	return sums.Find(ctx, client, f.Since, f.Until)
}

// settle works out what the answers give only together.
func (t *tally) settle() {
	t.unnamed = t.summed - min(t.summed, t.named)
	t.left.Failures -= min(t.left.Failures, t.singles+t.summed)
}
