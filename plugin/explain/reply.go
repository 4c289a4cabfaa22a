package explain

import (
	"net/netip"

	"github.com/coredns/coredns/plugin/pkg/edns"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// reply returns the answer to a query that failed, or nil if that is left to the chain or
// the server core, and what became of the options.
func (x *Explainer) reply(f *record.Failure, ev *evidence.Evidence, run *observe.Run, r *dns.Msg, outcome observe.Outcome) (*dns.Msg, record.Sent) {
	if x.Block.Shadow {
		return nil, record.InShadow
	}
	rule := x.ruleFor(f.Client.Addr())
	option.Withdraw(r, run.Request)
	if reason := rule.Withholds(outcome.Rcode, run.Request); reason != "" {
		return leave(run, outcome, rule, ev), record.Sent(reason)
	}
	reply, opts := x.attach(f, run, r, outcome, rule)
	record.CountOptions(f.Server, opts)
	if len(opts) == 0 {
		return reply, record.NotSent
	}
	return reply, record.SentYes
}

// ruleFor is what may be attached for the client at addr.
func (x *Explainer) ruleFor(addr netip.Addr) option.Rule {
	return option.Rule{
		Always:       x.Block.Always.Have(addr),
		DropUpstream: !x.Block.KeepUpstream,
		WithoutText:  x.Block.WordsFor(addr) == cause.NoWords,
	}
}

// leave returns the message as the chain made it. Where the chain only returned its
// rcode, the server core answers. Where it wrote a message as well, with another rcode,
// the returned one leaves.
func leave(run *observe.Run, outcome observe.Outcome, rule option.Rule, ev *evidence.Evidence) *dns.Msg {
	held := run.Reply(outcome.Rcode)
	if held == nil {
		return nil
	}
	return rule.Leave(held, run.Request, cause.SaidByUpstream(ev))
}

// attach returns the answer with the options of the verdict, and those that fitted.
func (x *Explainer) attach(f *record.Failure, run *observe.Run, r *dns.Msg, outcome observe.Outcome, rule option.Rule) (*dns.Msg, []option.Option) {
	words := x.Block.WordsFor(f.Client.Addr())
	opts := rule.Suit(f.Verdict.Options(words, x.Block.KeepUpstream, f.Protocol == "udp"), outcome.Rcode, run.Request)
	limit := limitOf(run.ResponseWriter, r, run.Request)
	var reply *dns.Msg
	if held := run.Reply(outcome.Rcode); held != nil {
		req := run.Request
		if x.Ladder.NSID() {
			req = req.AsNSID()
		}
		reply = option.Attach(held, req, limit, opts)
	} else {
		// rewrite may have left another question in r than the client asked.
		reply = option.Answer(r, run.Question(), outcome.Rcode, run.Request, limit, opts)
	}
	return reply, sentOptions(reply, opts)
}

// limitOf is the size that the server core will cut the answer to.
func limitOf(w dns.ResponseWriter, r *dns.Msg, req option.Request) int {
	state := request.Request{W: w, Req: r}
	return int(edns.Size(state.Proto(), uint16(req.UDPSize())))
}

// sentOptions are those of opts that fitted into reply.
func sentOptions(reply *dns.Msg, opts []option.Option) []option.Option {
	opt := reply.IsEdns0()
	if opt == nil {
		return nil
	}
	n := 0
	for _, o := range opt.Option {
		if o.Option() == dns.EDNS0EDE {
			n++
		}
	}
	return opts[:min(n, len(opts))]
}
