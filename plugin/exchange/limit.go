package exchange

import "context"

// MaxProbes is how many probes may be under way at once in this process, to all
// resolvers together. They are no part of forward's max_concurrent.
const MaxProbes = 16

var slots = make(chan struct{}, MaxProbes)

// limited runs ask when there is a slot for it, or returns the error of ctx.
func limited[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
		return ask()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
