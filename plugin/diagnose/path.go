package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// path tells what the way to the upstream does from what the upstream does. It is
// cleared by an answer to the question, over the way that failed.
func (d *diagnosis) path(ctx context.Context) (Finding, bool) {
	var cut *exchange.CutError
	switch {
	case errors.As(d.lost, &cut):
		return d.tcpClosed(ctx, fmt.Sprintf("the answer over UDP is truncated, and over TCP: %s", phrase(cut.Err)))
	case d.first == nil:
		return d.silence(ctx)
	case !failedInExchange(d.Verdict):
		d.saw(true, "%s answers the question", d.Failing.Name)
		return Finding{}, false
	case d.Failing.TCP != nil && !d.Failing.ByTCP:
		// It is answered over UDP now. What failed may have gone over TCP.
		if _, err := d.Failing.TCP(ctx, question(d.Question, false, d.DNSSECOK)); err != nil {
			return d.tcpClosed(ctx, fmt.Sprintf("over UDP it answers, over TCP: %s", phrase(err)))
		}
	}
	return Finding{}, false
}

// tcpClosed needs the answer over UDP that came, and a second failure over TCP.
func (d *diagnosis) tcpClosed(ctx context.Context, what string) (Finding, bool) {
	if d.Failing.TCP != nil {
		if err := <-d.control(ctx, d.Failing.TCP, control.RootServers); err == nil {
			d.saw(true, "%s, but another question is answered over TCP", what)
			return d.because(advicePath, "%s; another question is answered over TCP", what)
		}
	}
	return d.convict("path_tcp_closed", what)
}

const (
	advicePath = "Look at the path to the upstream: a filter, a limit of the network interface, MTU. Nothing speaks against the zone."
	adviceBusy = "Look at the upstream: its load, and its own way to the servers of this name. Nothing was seen of the zone."
)

// silence tells an upstream that answers nothing from a path that loses, and from
// one that only this question keeps busy: a resolver that cannot validate, or reach
// a zone, may try for longer than forward waits. Only what it answers is evidence.
func (d *diagnosis) silence(ctx context.Context) (Finding, bool) {
	err, alive := d.living(ctx)
	if err != nil {
		return d.dead(ctx, err, alive)
	}
	d.saw(true, "%s answers %s", d.Failing.Name, control.RootServers)
	unchecked, again := d.ask(ctx, true), d.ask(ctx, false)
	m, err := d.await(ctx, unchecked)
	if errors.Is(err, errExplained) {
		return d.ofServers, true
	}
	d.unvalidated = m
	if d.first, err = d.await(ctx, again); errors.Is(err, errExplained) {
		return d.ofServers, true
	}
	switch {
	case d.first != nil && answered(d.first):
		return d.passed()
	case d.first != nil:
		// It fails, and only took its time before.
		return Finding{}, false
	case d.other() != nil:
		if f, ok := d.overTheOther(ctx); ok {
			return f, true
		}
	}
	if d.first != nil {
		return Finding{}, false
	}
	counts := d.counts()
	d.saw(false, "no reply to the question: %s", counts)
	if d.unvalidated != nil && answered(d.unvalidated) {
		return d.because(advicePath, "asked again, %s: with CD=1 it answers and with CD=0 not. Packets get lost on the way, or it validates for too long: the two could not be told apart", counts)
	}
	return d.because(adviceBusy, "asked again, %s: it answers a control question, and not this one in time", counts)
}

// passed is the finding where the question that was not answered is answered now.
func (d *diagnosis) passed() (Finding, bool) {
	d.saw(true, "the question is answered now, %s", d.counts())
	return d.resolves(), true
}

// counts says how many probes were answered.
func (d *diagnosis) counts() string {
	return fmt.Sprintf("%d of %d probes were answered", d.came.Load(), d.sent.Load())
}

// other is the transport beside the one that Exchange uses; nil if there is none.
func (d *diagnosis) other() Exchange {
	if d.Failing.ByTCP {
		return d.Failing.UDP
	}
	return d.Failing.TCP
}

// overTheOther asks the question over the other transport, where over its own it was
// not answered and others were.
func (d *diagnosis) overTheOther(ctx context.Context) (Finding, bool) {
	m, err := d.other()(ctx, question(d.Question, false, d.DNSSECOK))
	if err != nil {
		return Finding{}, false
	}
	d.told(asked{}, answer{reply: m})
	if d.Failing.ByTCP {
		d.saw(false, "over UDP the question is answered")
		d.first = m
		return Finding{}, false
	}
	// Once more over UDP, beside the control that was answered.
	again, err := d.Failing.UDP(ctx, question(d.Question, false, d.DNSSECOK))
	switch {
	case err != nil && answered(m):
		return d.convict("path_answer_lost", "over UDP there was no reply to it twice, and one to another question")
	case err != nil:
		d.first = m
		return Finding{}, false
	case answered(again) && !again.Truncated:
		return d.loses("the same question was answered over UDP once and once not")
	}
	d.first = again
	return Finding{}, false
}

func (d *diagnosis) loses(what string) (Finding, bool) {
	return d.convict("path_loses_packets", what+"; "+d.counts())
}

// later runs ask and does not wait for it.
func later(ask func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- ask() }()
	return done
}

// control asks the failing upstream a control question over x and forgets what was
// answered before: only what comes now shows that it lives.
func (d *diagnosis) control(ctx context.Context, x Exchange, q control.Question) <-chan error {
	return later(func() error {
		_, err := d.controls.Fresh(ctx, d.Failing.Name, control.Ask(x), q, d.Now)
		return err
	})
}

// living asks a control question. Where no reply comes at once, the other transport
// is tried beside it, with what the upstream has to ask nobody for. alive is nil if
// that was not done.
func (d *diagnosis) living(ctx context.Context) (root error, alive <-chan error) {
	asked := d.control(ctx, d.Failing.Exchange, control.RootServers)
	select {
	case err := <-asked:
		return err, nil
	case <-time.After(headstart):
	}
	if other := d.other(); other != nil {
		alive = d.control(ctx, other, control.Own)
	}
	return <-asked, alive
}

// dead looks for life where a control question has got no reply.
func (d *diagnosis) dead(ctx context.Context, lost error, alive <-chan error) (Finding, bool) {
	d.silent = true
	d.saw(false, "%s does not answer a control question either: %s", d.Failing.Name, phrase(lost))
	if d.other() == nil {
		if _, err := d.Failing.Exchange(ctx, d.query(true)); err == nil {
			return d.loses("of two questions the second was answered")
		}
		return d.because("", "the upstream does not answer a control question either")
	}
	if alive == nil {
		alive = d.control(ctx, d.other(), control.Own)
	}
	if err := <-alive; err != nil {
		return d.because("", "the upstream does not answer a control question either, over UDP and TCP")
	}
	// It lives, as the other transport shows. Over its own it is asked for what it
	// has to ask nobody for.
	first, second := d.control(ctx, d.Failing.Exchange, control.Own), d.control(ctx, d.Failing.Exchange, control.Own)
	if e1, e2 := <-first, <-second; e1 == nil || e2 == nil {
		return d.withoutWay(ctx)
	}
	if d.Failing.ByTCP {
		return d.convict("path_tcp_closed", "three questions over TCP got no reply, and one over UDP did")
	}
	return d.convict("path_udp_lost", "three questions over UDP got no reply, and one over TCP did")
}

// withoutWay is for an upstream that answers what it has itself, and gave no reply
// to a question for which it may have to ask others. Silence does not show why.
func (d *diagnosis) withoutWay(ctx context.Context) (Finding, bool) {
	if err := <-d.control(ctx, d.Failing.Exchange, control.RootServers); err == nil {
		return d.loses("a control question was answered once and once not")
	}
	d.saw(false, "%s answers what it has itself at once, and nothing for which it asks others", d.Failing.Name)
	return d.because("Look at the upstream's own way to the Internet and at its upstreams, before any zone.",
		"it answers at once without recursion, and nothing else, not even for the root (%s): its own way out may be down", d.counts())
}

// certificates holds the certificates of all upstreams against this server's clock:
// one that is not valid yet, or all of several that have expired, speak against it.
func (d *diagnosis) certificates(ctx context.Context) (string, bool) {
	notYet, expired := 0, 0
	when := d.Now()
	look := func(err error) bool {
		var invalid x509.CertificateInvalidError
		if !errors.As(err, &invalid) || invalid.Reason != x509.Expired || invalid.Cert == nil {
			return false
		}
		if when.Before(invalid.Cert.NotBefore) {
			notYet++
		} else {
			expired++
		}
		return true
	}
	if !look(d.lost) {
		return "", false
	}
	for _, r := range d.Others {
		if _, err := r.Exchange(ctx, d.query(false)); !look(err) {
			return "", false
		}
	}
	all := 1 + len(d.Others)
	by := when.UTC().Format(time.DateOnly)
	switch {
	case notYet == all:
		return fmt.Sprintf("no upstream's certificate (%d of %d) is valid yet by this server's clock, which says %s", notYet, all, by), true
	case expired == all && all > 1:
		return fmt.Sprintf("the certificates of all %d upstreams have expired by this server's clock, which says %s", all, by), true
	}
	return "", false
}

// phrase keeps of an error what may be shown.
func phrase(err error) string {
	var verification *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case timedOut(err):
		return "no reply"
	case errors.As(err, &verification):
		return "its certificate does not hold"
	case errors.As(err, &op) && op.Op == "dial":
		return "it cannot be connected to"
	}
	return "the exchange failed"
}

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// question is what is put to a resolver.
func question(q dns.Question, cd, do bool) *dns.Msg {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = true
	m.CheckingDisabled = cd
	m.Question = []dns.Question{q}
	m.SetEdns0(udpSize, do)
	return m
}
