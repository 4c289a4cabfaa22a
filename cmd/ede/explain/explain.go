// Package explain asks a resolver for a name and explains why it fails, with
// the engine that the plugin uses.
package explain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cloudflare/circl/sign/ed448"
	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
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

// udpSize is what the question offers (RFC 9715).
const udpSize = 1232

type options struct {
	anchors    string
	delegation bool
	networks   []string
	compare    []string
	asJSON     bool
}

// Command returns `ede explain`.
func Command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "explain NAME [TYPE] [@SERVER]",
		Short: "Find out why a name fails",
		Long: "Explain asks SERVER, by default the system's resolver, for NAME and TYPE, by default A, and explains a failure: " +
			"it validates the DNSSEC chain itself, compares with other resolvers, and asks the zone's own name servers.\n\n" +
			"SERVER is 192.0.2.53, 192.0.2.53:5300, tls://192.0.2.53%NAME or https://HOST. The exit status is 0 if the name " +
			"resolves, 1 if the failure is explained, 2 for a mistake in the arguments, and 3 if it could not be explained.",
		Args: cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error { return run(cmd, o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.anchors, "anchor", "", "file with trust anchors in zone-file form, in place of the root's")
	f.BoolVar(&o.delegation, "delegation", false, "ask the zone's own name servers")
	f.StringSliceVar(&o.networks, "delegation-network", nil, "networks outside the globally routable that may be asked")
	f.StringSliceVar(&o.compare, "compare", nil, "another resolver to ask; tells it the name")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func run(cmd *cobra.Command, o options, args []string) error {
	q, server, err := question(args)
	if err != nil {
		return err
	}
	engine, closeAll, err := newEngine(o)
	if err != nil {
		return err
	}
	defer closeAll()
	upstream, err := exchange.Open(server, patience)
	if err != nil {
		return err
	}
	defer upstream.Close()

	p := &printer{out: cmd.OutOrStdout(), asJSON: o.asJSON, question: q, server: server, hints: o.hints()}
	_, onTerminal := terminal(p.out)
	p.colour = onTerminal && os.Getenv("NO_COLOR") == ""
	f, reply := o.explain(cmd, engine, resolver(server, upstream), q)
	p.reply = reply
	return p.print(f)
}

// resolver is the server as the engine asks it.
func resolver(server string, u *exchange.Upstream) diagnose.Resolver {
	r := diagnose.Resolver{Name: server, Exchange: u.Exchange}
	if u.Plain() {
		r.UDP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return u.Over(ctx, m, exchange.UDP) }
		r.TCP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return u.Over(ctx, m, exchange.TCP) }
	}
	return r
}

// explain asks and diagnoses, and shows how far it is. It returns the reply to the
// first question as well, nil if there was none.
func (o options) explain(cmd *cobra.Command, engine *diagnose.Engine, r diagnose.Resolver, q dns.Question) (diagnose.Finding, *dns.Msg) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	if !o.asJSON {
		shown := begin(cmd.ErrOrStderr(), fmt.Sprintf("asking %s for %s %s", r.Name, q.Name, dns.Type(q.Qtype)))
		defer shown.finish()
		engine.Progress = shown.step
	}
	c, reply := ask(ctx, r, q)
	if reply != nil && (reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError) {
		return engine.Judge(ctx, c), reply
	}
	f := engine.Diagnose(ctx, c)
	if f.Silent {
		// The server itself is the reason, whatever the name. The verdict says what
		// was seen of it besides.
		f.Outcome, f.Text = diagnose.Explained, f.Verdict.Text()
	}
	return f, reply
}

// hints are what could be tried besides.
func (o options) hints() []string {
	var hints []string
	if !o.delegation && len(o.networks) == 0 {
		hints = append(hints, "Ask the zone's own name servers with --delegation.")
	}
	if len(o.compare) == 0 {
		hints = append(hints, "Hold another resolver against this one with --compare RESOLVER, which tells it the name.")
	}
	return hints
}

// question reads NAME [TYPE] [@SERVER].
func question(args []string) (dns.Question, string, error) {
	q := dns.Question{Qtype: dns.TypeA, Qclass: dns.ClassINET}
	server := ""
	for i, arg := range args {
		qtype, isType := typeOf(arg)
		switch {
		case strings.HasPrefix(arg, "@"):
			server = arg[1:]
		case i == 0:
			if _, ok := dns.IsDomainName(arg); !ok {
				return q, "", fmt.Errorf("%q is no domain name", arg)
			}
			if cause.ByID(arg) != nil {
				return q, "", fmt.Errorf("%q is a cause, which `ede causes %s` explains; the domain name is %s", arg, arg, dns.Fqdn(arg))
			}
			q.Name = dns.Fqdn(arg)
		case isType:
			q.Qtype = qtype
		default:
			return q, "", fmt.Errorf("%q is neither a type nor a @SERVER", arg)
		}
	}
	if q.Name == "" {
		return q, "", errors.New("no name: the first argument is the name to ask for")
	}
	if server == "" {
		config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
		if err != nil || len(config.Servers) == 0 {
			return q, "", errors.New("the system names no resolver: give one as @SERVER")
		}
		server = net.JoinHostPort(config.Servers[0], config.Port)
	}
	return q, server, nil
}

// typeOf reads a mnemonic, or TYPEnnn (RFC 3597 section 5).
func typeOf(arg string) (uint16, bool) {
	arg = strings.ToUpper(arg)
	if t, ok := dns.StringToType[arg]; ok {
		return t, true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(arg, "TYPE"), 10, 16)
	return uint16(n), err == nil && strings.HasPrefix(arg, "TYPE")
}

func newEngine(o options) (*diagnose.Engine, func(), error) {
	e := &diagnose.Engine{Anchors: dnssec.RootAnchors(), Private: diagnose.PrivateZones(), Now: time.Now, Ed448: verifyEd448, MaxTime: maxTime}
	var open []*exchange.Upstream
	closeAll := func() {
		for _, u := range open {
			u.Close()
		}
	}
	if o.anchors != "" {
		f, err := os.Open(o.anchors)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		if e.Anchors, err = dnssec.ParseAnchors(f, o.anchors); err != nil {
			return nil, nil, err
		}
	}
	if o.delegation || len(o.networks) > 0 {
		dialer := &delegation.Dialer{}
		e.Delegation = &delegation.Prober{Direct: dialer.Direct}
		for _, n := range o.networks {
			p, err := netip.ParsePrefix(n)
			if err != nil {
				return nil, nil, fmt.Errorf("%q is no network: %w", n, err)
			}
			e.Delegation.Allowed = append(e.Delegation.Allowed, p)
		}
	}
	for _, to := range o.compare {
		u, err := exchange.Open(to, patience)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		open = append(open, u)
		e.Compare = append(e.Compare, diagnose.Resolver{Name: u.Addr, Exchange: u.Exchange})
	}
	return e, closeAll, nil
}

// verifyEd448 verifies DNSSEC algorithm 16 (RFC 8080).
func verifyEd448(pub, msg, sig []byte) bool {
	return len(pub) == ed448.PublicKeySize && ed448.Verify(ed448.PublicKey(pub), msg, sig, "")
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
