package exchange

import (
	"context"
	"errors"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"

	"github.com/miekg/dns"
)

// ErrNoReply says that a handler wrote nothing.
var ErrNoReply = errors.New("no reply")

// AskHandler sends m through h, the plugin grpc with one upstream, and returns its reply:
// the plugin does not export its clients. The error is that of the plugin, ErrNoReply,
// or ErrQuestion.
func AskHandler(ctx context.Context, h plugin.Handler, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return limited(ctx, func() (*dns.Msg, error) {
		w := nonwriter.New(Client)
		_, err := h.ServeDNS(ctx, w, m.Copy())
		switch {
		case err != nil:
			return nil, err
		case w.Msg == nil:
			return nil, ErrNoReply
		case w.Msg.Rcode == dns.RcodeFormatError && len(w.Msg.Answer) == 0:
			// What grpc says of a reply to another question.
			return nil, ErrQuestion
		}
		return w.Msg, nil
	})
}
