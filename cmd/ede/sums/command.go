package sums

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// flags are the options as typed.
type flags struct {
	from, to               string
	since, settle, timeout time.Duration
}

// Command returns the command line "rollup".
func Command() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "rollup",
		Short: "Sum up the hours of a store, for reports that take no longer as lines get more",
		Long: `Rollup sums up each hour of a VictoriaLogs store that has ended and has no
sums yet, and stores the sums next to the lines. ede report --from reads
these in place of the lines, wherever they are of the same lines.

Run it once an hour, from cron, a systemd timer or a CronJob. An hour to which
lines have come later is summed up anew. To run it twice at a time does no harm.

EDE_STORE_AUTHORIZATION is sent to the store as the header Authorization,
EDE_STORE_HEADERS has others, one a line.`,
		Example: `  ede rollup --from http://victorialogs:9428
  ede rollup --from http://vlselect:9428 --to http://vlinsert:9428 --since 72h`,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.from == "" {
				return errors.New("--from is missing: name the store, as http://victorialogs:9428")
			}
			if f.since <= 0 || f.settle < 0 || f.timeout <= 0 {
				return errors.New("--since and --timeout are longer than 0, and --settle is not less")
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			ctx, end := context.WithTimeout(ctx, f.timeout)
			defer end()
			return f.run(ctx, cmd)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.from, "from", "", "the VictoriaLogs store at this `URL`, as http://victorialogs:9428")
	fs.StringVar(&f.to, "to", "", "store the sums at this `URL`, the vlinsert of a cluster, in place of --from")
	fs.DurationVar(&f.since, "since", 26*time.Hour, "how far back to look for hours without sums")
	fs.DurationVar(&f.settle, "settle", 5*time.Minute, "how long after its end an hour is left alone, for lines on their way")
	fs.DurationVar(&f.timeout, "timeout", 30*time.Minute, "how long the store may take in all")
	return cmd
}

func (f *flags) run(ctx context.Context, cmd *cobra.Command) error {
	header, err := victorialogs.Header(os.Getenv)
	if err != nil {
		return err
	}
	from, err := victorialogs.New(f.from, header)
	if err != nil {
		return err
	}
	to, err := victorialogs.New(cmp.Or(f.to, f.from), header)
	if err != nil {
		return err
	}
	now := time.Now()
	hours, err := Hours(ctx, from, now.Add(-f.since).Truncate(time.Hour), now.Add(-f.settle))
	if err != nil {
		return err
	}
	due := slices.DeleteFunc(slices.Clone(hours), func(h Hour) bool { return h.Roll != "" })
	if len(due) == 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "nothing to sum up: %d hours have ended with lines of ede, and all have sums\n", len(hours))
	}
	var left []error
	for _, h := range due {
		name := h.Start.UTC().Format("2006-01-02 15:04 UTC")
		rows, err := Roll(ctx, from, to, h)
		switch {
		case errors.Is(err, ErrMany) || errors.Is(err, ErrMoved):
			// It is read line by line then, which is as true.
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: not summed up: %v\n", name, err)
		case err != nil:
			left = append(left, fmt.Errorf("%s: %w", name, err))
			if ctx.Err() != nil {
				return errors.Join(left...)
			}
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s lines, %s rows\n", name, humanize.Comma(int64(h.Lines)), humanize.Comma(int64(rows)))
		}
	}
	return errors.Join(left...)
}
