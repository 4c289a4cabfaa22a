// Package explain asks a resolver for a name and explains why it fails, with
// the engine that the plugin uses.
package explain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// The outcomes that are no success, for the exit status.
var (
	ErrExplained = errors.New("the name fails, and the reason was found")
	ErrUndecided = errors.New("the name fails, and no reason was found")
)

// A person waits longer than a client: for a resolver that tries for ten seconds
// before it gives up, and for several such questions.
const (
	patience = 12 * time.Second
	maxTime  = time.Minute
)

// patient is the limit of one exchange with a server that gave no reply within patience:
// as long as forward waits for two.
const patient = 4 * time.Second

// patience is how long one exchange may take.
func (o options) patience() time.Duration { return min(patience, o.timeout/2) }

// udpSize is what the question offers (RFC 9715).
const udpSize = 1232

type options struct {
	anchors    string
	delegation bool
	networks   []string
	compare    []string
	timeout    time.Duration
	asJSON     bool
}

// Command returns `ede explain`.
func Command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "explain NAME [TYPE] [@SERVER]",
		Short: "Find out why a name fails",
		Long: "Explain asks SERVER, by default the system's resolver, for NAME and TYPE, by default A, and explains a failure: " +
			"it validates the DNSSEC chain itself, asks other resolvers with --compare, and the zone's own name servers with --delegation.\n\n" +
			"NAME may be an address, which stands for its reverse name and type PTR, and have letters beyond ASCII. SERVER, in " +
			"any place, is 192.0.2.53, 192.0.2.53:5300, 192.0.2.53#5300, a host name, tls://192.0.2.53%NAME or https://HOST. The " +
			"exit status is 0 if the name resolves, 1 if the failure is explained, 2 for a mistake in the arguments, and 3 if it " +
			"could not be explained.",
		Example: `  ede explain www.example.org
  ede explain www.example.org AAAA @192.0.2.53
  ede explain @192.0.2.53#5300 MX example.org
  ede explain 2001:db8::25 @resolver.example.org
  ede explain www.example.org @tls://192.0.2.53%resolver.example.org --delegation
  ede explain www.example.org --compare 198.51.100.53 --timeout 20s --json`,
		Args: cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error { return run(cmd, o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.anchors, "anchor", "", "file with trust anchors in zone-file form, in place of the root's")
	f.BoolVar(&o.delegation, "delegation", false, "ask the zone's own name servers")
	f.StringSliceVar(&o.networks, "delegation-network", nil, "private networks whose name servers may be asked too")
	f.StringSliceVar(&o.compare, "compare", nil, "another resolver to ask; it learns the name")
	f.DurationVar(&o.timeout, "timeout", maxTime, "how long it may take in all")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func run(cmd *cobra.Command, o options, args []string) error {
	began := time.Now()
	if o.timeout < time.Second {
		return fmt.Errorf("--timeout %s: want at least 1s", o.timeout)
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	cmd.SetContext(ctx)
	q, server, err := question(ctx, args)
	if err != nil {
		return err
	}
	engine, closeAll, err := newEngine(o)
	if err != nil {
		return err
	}
	defer closeAll()
	upstream, err := exchange.Open(server, o.patience())
	if err != nil {
		return err
	}
	defer upstream.Close()

	p := &printer{out: cmd.OutOrStdout(), asJSON: o.asJSON, question: q, server: server, hints: o.hints(engine, q.Name)}
	_, onTerminal := terminal(p.out)
	p.colour = onTerminal && os.Getenv("NO_COLOR") == ""
	again, err := exchange.Open(server, min(patient, o.patience()))
	if err != nil {
		return err
	}
	defer again.Close()
	f, reply := o.explain(cmd, engine, resolver(server, upstream), resolver(server, again), q)
	p.reply = reply
	// What was waited for is all of it, the first question too.
	f.Elapsed, f.Queries = time.Since(began), f.Queries+1
	return p.print(f)
}

// resolver is the server as the engine asks it.
func resolver(server string, u *exchange.Upstream) diagnose.Resolver {
	r := diagnose.Resolver{Name: server, Exchange: u.Exchange}
	if u.Plain() {
		r.UDP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return u.Over(ctx, m, exchange.UDP) }
		r.TCP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return u.Over(ctx, m, exchange.TCP) }
		r.Anywhere = u.Anywhere
	}
	return r
}

// explain asks and diagnoses, and shows how far it is. again is r with less patience, for
// the time after r has not answered. It returns the reply to the first question as well, nil
// if there was none.
func (o options) explain(cmd *cobra.Command, engine *diagnose.Engine, r, again diagnose.Resolver, q dns.Question) (diagnose.Finding, *dns.Msg) {
	ctx := cmd.Context()
	if !o.asJSON {
		shown := begin(cmd.ErrOrStderr(), fmt.Sprintf("asking %s for %s %s", r.Name, q.Name, dns.Type(q.Qtype)))
		defer shown.finish()
		engine.Progress = shown.step
	}
	c, reply := ask(ctx, r, q)
	if reply != nil && (reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError) {
		return engine.Judge(ctx, c), reply
	}
	if c.TimedOut {
		c.Failing = again
	}
	f := engine.Diagnose(ctx, c)
	if f.Silent {
		// The server itself is the reason, whatever the name. The verdict says what
		// else was seen of it.
		f.Outcome, f.Text = diagnose.Explained, f.Verdict.Text()
	}
	return f, reply
}

// hints are what else could be tried. No other server is asked for a private name.
func (o options) hints(engine *diagnose.Engine, name string) []string {
	if slices.ContainsFunc(engine.Private, func(zone string) bool { return dns.IsSubDomain(zone, name) }) {
		return nil
	}
	var hints []string
	if !o.delegation && len(o.networks) == 0 {
		hints = append(hints, "Ask the zone's own name servers with --delegation.")
	}
	if len(o.compare) == 0 {
		hints = append(hints, "Compare another resolver with this one: --compare RESOLVER. It learns the name.")
	}
	return hints
}

// ask puts the question as a client would and makes a case of the reply.
func ask(ctx context.Context, r diagnose.Resolver, q dns.Question) (diagnose.Case, *dns.Msg) {
	m := new(dns.Msg)
	m.Id, m.RecursionDesired = dns.Id(), true
	m.Question = []dns.Question{q}
	m.SetEdns0(udpSize, false)
	ev := &evidence.Evidence{Rcode: dns.RcodeServerFailure, Question: q, Asked: q, At: "forward", Upstream: r.Name}
	began := time.Now()
	reply, err := r.Exchange(ctx, m)
	ev.UpstreamElapsed = time.Since(began)
	switch {
	case err != nil:
		ev.Failure = evidence.Failure{Kind: kindOf(err), Err: err}
	default:
		ev.Rcode, ev.UpstreamAnswered = reply.Rcode, true
		ev.Options = option.Read(reply)
		ev.Reply = evidence.Reply{Written: true, RecursionAvailable: reply.RecursionAvailable, Authoritative: reply.Authoritative}
	}
	c := diagnose.Case{Question: q, TimedOut: err != nil, Failing: r, Verdict: cause.Classify(ev)}
	return c, reply
}

// kindOf tells why a server gave no reply.
func kindOf(err error) evidence.Kind {
	var network net.Error
	switch kind := evidence.OfErrno(err); {
	case kind != evidence.NoError:
		return kind
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return evidence.Timeout
	}
	return evidence.NetworkOther
}
