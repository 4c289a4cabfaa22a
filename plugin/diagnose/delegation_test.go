package diagnose_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// Who is named for what the zone's own servers did, where the upstream fails the name with
// and without CD: the zone for what its servers say, and for silence only if several
// networks keep it; nobody for what a filter near here or a missing route may have done.
func TestTheZoneIsNamedForWhatItsServersDidAlone(t *testing.T) {
	const near, far = "127.0.53.9", "127.0.54.9"
	kernel := func(errno syscall.Errno) error {
		return &net.OpError{Op: "write", Net: "udp", Err: os.NewSyscallError("sendto", errno)}
	}
	for _, tc := range []struct {
		name   string
		second string // a second server of the zone
		err    error  // of each question to these servers; nil: they answer
		refuse bool
		cause  string
		owner  cause.Owner
		zone   string // what is seen of the zone, "" for nothing
		text   string
	}{
		{"they answer", "", nil, false, "", "", "the zone: its name servers give no reason for the failure", "the upstream fails with and without"},
		{"they refuse", "", nil, true, "lame_delegation", cause.Zone, "", "REFUSED"},
		{"closed in one network", "", kernel(syscall.ECONNREFUSED), false, "authority_unreachable", cause.Nobody, "", "from here, no name server of "},
		{"silent in one network", "", os.ErrDeadlineExceeded, false, "authority_unreachable", cause.Nobody, "", "from here, no name server of "},
		{"closed in two networks", far, kernel(syscall.ECONNREFUSED), false, "authority_unreachable", cause.Zone, "", "no name server of "},
		{"silent in two networks", far, os.ErrDeadlineExceeded, false, "authority_unreachable", cause.Zone, "", "no name server of "},
		{"no route", far, kernel(syscall.EHOSTUNREACH), false, "", "", "the zone, not ruled out: there is no route from here to the name servers of dead.edetest.", "there is no route from here to the name servers of dead.edetest."},
		{"a filter of this host", far, kernel(syscall.EPERM), false, "", "", "the zone, not ruled out: this host lets nothing out", "this host lets nothing out to the name servers of dead.edetest."},
		{"a special-purpose address", "", nil, false, "", "", "the zone, not ruled out: no name server of dead.edetest. has a public address, and none was asked", "no name server of dead.edetest. has a public address, and none was asked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := bed.Case{Name: "dead", Before: bed.Both(bed.Unsigned, bed.At(near))}
				if tc.second != "" {
					c.AtParent = func(parent, z *bed.Zone) { parent.AddServer(z, "ns2", tc.second) }
				}
				b := bed.New(t, now, c)
				exchange, direct := b.Exchange(), b.Direct(700*time.Millisecond)
				// The zone's own names fail; what is above it, its DS among that, is answered.
				up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
					if q := m.Question[0]; dns.IsSubDomain("dead.edetest.", q.Name) && q.Qtype != dns.TypeDS {
						return servfail(m)
					}
					return exchange(ctx, m.Question[0])
				}}
				e := engine(b)
				e.Delegation = &delegation.Prober{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.53.0/24"), netip.MustParsePrefix("127.0.54.0/24")}}
				if strings.HasPrefix(tc.name, "a special") {
					e.Delegation.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.53.0/29")}
				}
				e.Delegation.Direct = func(ctx context.Context, at netip.AddrPort, m *dns.Msg) (*dns.Msg, error) {
					switch ours := at.Addr().String() == near || at.Addr().String() == far; {
					case ours && tc.refuse:
						return new(dns.Msg).SetRcode(m, dns.RcodeRefused), nil
					case ours && tc.err != nil:
						return nil, tc.err
					}
					return direct(ctx, at, m)
				}
				e.Delegation.TCP = func(context.Context, netip.AddrPort, *dns.Msg) (*dns.Msg, error) {
					return nil, kernel(syscall.ECONNREFUSED)
				}
				f := e.Diagnose(context.Background(), failing(question("dead.edetest."), up))
				owner := cause.Owner("")
				if f.Outcome == diagnose.Explained {
					owner = f.Verdict.Owner
				}
				want := tc.cause
				if want == "" {
					want = "undecided"
				}
				if causeOf(f) != want || owner != tc.owner || !strings.Contains(f.Text, tc.text) {
					t.Errorf("got %s of %q, %q, want %s of %q, %q", causeOf(f), owner, f.Text, want, tc.owner, tc.text)
				}
				of := slices.DeleteFunc(slices.Clone(f.Seen), func(s string) bool { return !strings.HasPrefix(s, "the zone") })
				if tc.zone != "" && (len(of) == 0 || !strings.HasPrefix(of[0], tc.zone)) || tc.zone == "" && len(of) > 0 {
					t.Errorf("of the zone was seen %q, want %q", of, tc.zone)
				}
				time.Sleep(5 * time.Second)
			})
		})
	}
}
