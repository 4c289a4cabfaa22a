package report

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logfile"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// redrawEvery is how often a followed report is drawn anew on a terminal.
const redrawEvery = 2 * time.Second

// flags are the options as typed.
type flags struct {
	json, csv, follow      bool
	since, until           string
	causes, zones, clients []string
	top                    int
	from                   string
	timeout                time.Duration
}

// Command returns the command line "report", with the catalog it explains with.
func Command(k Knowledge) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "report [FILE...]",
		Short: "Sum up a log: what failed, who must act, what to do first",
		Long: `Report reads CoreDNS logs with lines of the ede plugin and sums them up.

It takes text and JSON as they come out of kubectl logs, journalctl, Docker's
JSON files and plain files, gzip or not, mixed with other plugins' lines.
Without FILE, or with -, it reads standard input. Memory does not grow with
the log. Lines that cannot be read are counted, and the report says how many.

With --from it asks a VictoriaLogs store that has the lines of many instances:
counts are summed up in the store. EDE_STORE_AUTHORIZATION is sent to it as
the header Authorization, EDE_STORE_HEADERS has others, one a line.`,
		Example: `  kubectl -n kube-system logs -l k8s-app=kube-dns --timestamps | ede report
  ede report --since 2h --zone example.org /var/log/coredns.log*
  ede report -f /var/log/coredns.log
  ede report --from http://victorialogs:9428 --since 1h`,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, files []string) error {
			if f.from == "" && cmd.Flags().Changed("from") {
				return errors.New("--from is empty: want the URL of a store, for example http://victorialogs:9428")
			}
			if _, asked := terminal(cmd.InOrStdin()); asked && len(files) == 0 && f.from == "" {
				// Waiting for somebody to type a log would look like hanging.
				cmd.SetOut(cmd.ErrOrStderr())
				cmd.Usage()
				return errors.New("nothing to report on: name a FILE or --from, or pipe a log in")
			}
			c, err := f.config(cmd, files, k)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			finish := func() {}
			switch {
			case c.From != "":
				c.Asking, finish = asking(cmd.ErrOrStderr())
			case !c.Follow:
				c.Progress, finish = progress(cmd.ErrOrStderr(), c.Files)
			}
			c.Out = finishing{c.Out, finish}
			return Run(ctx, c)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&f.json, "json", false, "write the report as JSON")
	fs.BoolVar(&f.csv, "csv", false, "write the report as CSV")
	fs.BoolVarP(&f.follow, "follow", "f", false, "go on reading as the files grow; report again at the end (Ctrl-C)")
	fs.StringVar(&f.since, "since", "", "leave out lines before this time: 90m, 14:02, 2026-11-20 14:02 or RFC 3339")
	fs.StringVar(&f.until, "until", "", "leave out lines at this time or later: 90m, 14:02, 2026-11-20 14:02 or RFC 3339")
	fs.StringSliceVar(&f.causes, "cause", nil, "only these causes (see ede causes)")
	fs.StringSliceVar(&f.zones, "zone", nil, "only these names and those below them")
	fs.StringSliceVar(&f.clients, "client", nil, "only these client addresses or networks")
	fs.IntVarP(&f.top, "top", "n", 10, "how many zones, upstreams and clients to show")
	fs.StringVar(&f.from, "from", "", "ask the VictoriaLogs store at this `URL`, for example http://victorialogs:9428")
	fs.DurationVar(&f.timeout, "timeout", time.Minute, "how long the store may take in all")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.MarkFlagsMutuallyExclusive("from", "follow")
	return cmd
}

func (f *flags) config(cmd *cobra.Command, files []string, k Knowledge) (Config, error) {
	if f.top < 1 || f.top > maxClients {
		return Config{}, errors.New("--top is not between 1 and 4096")
	}
	if f.from != "" && len(files) > 0 {
		return Config{}, errors.New("--from asks a store, and FILE names a log: want one of the two")
	}
	if cmd.Flags().Changed("timeout") && (f.from == "" || f.timeout <= 0) {
		return Config{}, errors.New("--timeout is for --from, and longer than 0")
	}
	header, err := victorialogs.Header(os.Getenv)
	if err != nil && f.from != "" {
		return Config{}, err
	}
	now := time.Now()
	since, err := ParseTime(f.since, now)
	if err != nil {
		return Config{}, err
	}
	until, err := ParseTime(f.until, now)
	if err != nil {
		return Config{}, err
	}
	clients, err := ParseClients(f.clients)
	if err != nil {
		return Config{}, err
	}
	c := Config{
		Files: files, Stdin: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Top: f.top, Knowledge: k, Follow: f.follow,
		From: f.from, Header: header, Timeout: f.timeout,
		Filter: Filter{Since: since, Until: until, Causes: f.causes, Zones: ParseZones(f.zones), Clients: clients},
		Style:  figures.Style{Names: 3},
	}
	switch {
	case f.json:
		c.Format = JSON
	case f.csv:
		c.Format = CSV
	}
	if fd, ok := terminal(c.Out); ok {
		c.Style.Width, _, _ = term.GetSize(fd)
		// https://no-color.org, and terminals that know no control sequences.
		dumb := os.Getenv("TERM") == "dumb"
		c.Style.Colour = os.Getenv("NO_COLOR") == "" && !dumb
		if c.Format == Text && !dumb {
			c.Redraw = redrawEvery
		}
	}
	return c, nil
}

func terminal(w any) (fd int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// progress draws a bar on a terminal, and nothing elsewhere.
func progress(w io.Writer, files []string) (told func(int), finish func()) {
	if !drawable(w) {
		return nil, func() {}
	}
	total := int64(-1)
	if len(files) > 0 {
		total = logfile.Size(files)
	}
	bar := progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("reading"))
	return func(n int) { bar.Add(n) }, func() { bar.Finish() }
}

// asking draws how far the questions to a store have come.
func asking(w io.Writer) (told func(string, int, int), finish func()) {
	if !drawable(w) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("asking"))
	return func(what string, done, total int) {
		bar.ChangeMax(total)
		bar.Describe("asking for " + what)
		bar.Set(done)
	}, func() { bar.Finish() }
}

// drawable reports whether a bar can be drawn on w.
func drawable(w any) bool {
	_, ok := terminal(w)
	return ok && os.Getenv("TERM") != "dumb"
}

// finishing takes the progress bar away before the first byte is written.
type finishing struct {
	io.Writer
	finish func()
}

func (f finishing) Write(p []byte) (int, error) {
	f.finish()
	return f.Writer.Write(p)
}
