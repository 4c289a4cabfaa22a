package explain

import (
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/askagain"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

// withReason returns v with the reason that the upstream gave when the question was asked once
// more, if it is known.
func (x *Explainer) withReason(ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	if x.Asker == nil || x.Block.AskAgainOff || !v.WithoutReason() || ev.Changed.Plugin != "" {
		return v
	}
	said, ok := x.Asker.Heard(x.asAsked(ev, v))
	if !ok {
		return v
	}
	better, _ := cause.Heard(v, said.Options, said.By, said.At)
	return better
}

// asAsked is what the upstream that v names says of the question of ev is remembered under.
// What one says is no reason for the failure of another.
func (x *Explainer) asAsked(ev *evidence.Evidence, v *cause.Verdict) remarks.Question {
	key := keyOf(x.Block.ID, ev)
	q := remarksOf(&key, ev.Rcode)
	q.Upstream = v.Upstream
	return q
}

func remarksOf(k *incident.Key, rcode int) remarks.Question {
	return remarks.Question{Block: k.Block, Name: k.Name, Qtype: k.Qtype, Qclass: k.Qclass, DO: k.DO, CD: k.CD, Rcode: rcode}
}

// askAgain has the question of ev asked once more, if its upstream was asked without OPT
// record and so could not say why it failed, and no diagnosis asks it.
func (x *Explainer) askAgain(run *observe.Run, ev *evidence.Evidence, v *cause.Verdict) {
	if x.Asker == nil || x.Block.AskAgainOff || !v.WithoutReason() || !mayBeAsked(ev) || isProbe(run) {
		return
	}
	q := x.asAsked(ev, v)
	if !x.Asker.Wants(q) || x.isDiagnosed(ev) {
		return
	}
	peers, _ := run.Peers(ev.Upstream)
	if len(peers) == 0 {
		record.NotAskedAgain(string(askagain.NoUpstream))
		return
	}
	skip := x.Asker.Ask(askagain.Failure{
		Of: q, Question: ev.Asked, RecursionDesired: ev.AskedRD, CheckingDisabled: ev.CheckingDisabled,
		Upstream: ev.Upstream, Exchange: peers[0].Exchange, Full: peers[0].Full,
		Verdict: v.WithTrace(nil), Group: x.Block.groupOf(ev.Name),
	})
	if skip != askagain.Asked {
		record.NotAskedAgain(string(skip))
	}
}

// mayBeAsked reports whether the question of ev was one that the upstream had no room to
// give a reason to, and that it may be asked by somebody else than the client.
func mayBeAsked(ev *evidence.Evidence) bool {
	return ev.NoEDNS && ev.UpstreamAnswered && !ev.CacheHit && !ev.Loops && ev.Changed.Plugin == "" &&
		ev.Opcode == dns.OpcodeQuery && !ev.Signed && !ev.DNSSECOK &&
		ev.Asked.Qtype != dns.TypeAXFR && ev.Asked.Qtype != dns.TypeIXFR
}

// isDiagnosed reports whether a diagnosis asks the question of ev, or did so lately: it
// begins with the same query.
func (x *Explainer) isDiagnosed(ev *evidence.Evidence) bool {
	if x.Diagnoser == nil || !x.Block.Diagnose || ev.CheckingDisabled || !mayBeDiagnosed(ev) {
		return false
	}
	scope, ok := x.scope(ev.Asked.Name)
	return ok && x.Diagnoser.runner.Engaged(scope, ev.Asked)
}

// HeardAgain returns the function that takes down what came of asking again: a reason
// goes into the memory for what comes from cache, the history, and the log.
func HeardAgain(s *Shared) func(askagain.Answer) {
	return func(a askagain.Answer) {
		record.AskedAgain(string(a.Result), a.Said)
		v, ok := cause.Heard(a.Verdict, a.Said, a.Upstream, a.At)
		if !ok {
			return
		}
		key := incident.Key{
			Block: a.Of.Block, Name: a.Of.Name, Qtype: a.Of.Qtype, Qclass: a.Of.Qclass,
			DO: a.Of.DO, CD: a.Of.CD, Refused: a.Of.Rcode == dns.RcodeRefused,
		}
		if known, _, ok := s.Table.Recall(&key); !ok || known.Upstream == v.Upstream {
			s.Table.Remember(&key, v, a.Group)
		}
		s.History.Explained(a.Of.Block, a.Question, v)
		s.Log.Reason(record.Reason{Verdict: v, Refines: a.Verdict.Cause.ID, Zone: a.Group, Question: a.Question, Duration: a.Took})
	}
}
