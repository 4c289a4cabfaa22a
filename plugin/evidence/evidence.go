// Package evidence holds the facts about one failed query: what was seen, and
// nothing of what it means. plugin/observe fills it, plugin/cause reads it:
// who sees and who judges share facts and no code.
package evidence

import (
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Evidence is everything that is known about one failed run of a plugin chain
// at the moment when the chain has returned. The zero value of a field means
// "not seen", never "seen to be false".
//
// What holds depends on Shape:
//
//	Returned         Reply, if it is set, is of a message that did not leave: cache
//	                 got it and threw it away
//	Written          Reply.Written
//	WrittenError     Reply.Written, and Failure is what the error says
//	WrittenReturned  Reply may be empty: what was written first may be no failure
//	Panicked         Panic, and what was seen until then
//
// In every shape UpstreamAnswered, CacheHit and Changed exclude the fields that would
// contradict them. The package test/invariant has these as rules, and the tests of
// plugin/observe check all that is gathered by them.
type Evidence struct {
	// Rcode is what the client is going to get: SERVFAIL or REFUSED.
	Rcode int
	// Shape is the way in which the failure left the chain.
	Shape Shape
	// Failure is what the returned error says; its Kind is NoError when the
	// chain returned none.
	Failure Failure
	// Panic is the recovered value in print, when Shape is Panicked, and PanicAt the
	// place where it happened, "plugin/firewall firewall.go:123": the package, then the
	// file and the line.
	Panic, PanicAt string
	// Changed is what a plugin made of the answer on its way up. Rcode is what it made;
	// all else is of the answer before that.
	Changed Changed
	// AboveCache is true if a plugin above cache turned an answer from cache into the
	// failure. cache will not answer with that failure.
	AboveCache bool
	// Earlier is a failure after which At asked another server. Earlier.At is empty if
	// there was none.
	Earlier Earlier

	// Scope is where a finding about the upstreams holds. It is filled where
	// there is diagnosis, and its block for internal lookups.
	Scope Scope

	// Question is what the client asked, Asked what the innermost plugin saw
	// after rewrite and autopath.
	Question, Asked dns.Question
	// Name is the question's in lower case, with its closing dot.
	Name string
	// Opcode of the query.
	Opcode int
	// CheckingDisabled and DNSSECOK are the CD and DO bits of the query.
	CheckingDisabled, DNSSECOK bool
	// NoEDNS is true if the query to the upstream had no OPT record, since the client's
	// had none. The reply then cannot have a reason.
	NoEDNS bool

	// AskedAD is the AD bit of the query as the upstream was asked. Some resolvers
	// validate only if it is set. AskedRD is its RD bit.
	AskedAD, AskedRD bool
	// NoRD is true if the upstream was asked without the RD bit, and RDCleared if it was a
	// plugin of this server that cleared it.
	NoRD, RDCleared bool
	// Signed is true if the client's query had a TSIG or a SIG(0).
	Signed bool

	// Path holds the plugins entered below ede, outermost first. The last one
	// is At, the innermost plugin that failed.
	Path []string
	At   string
	// Returned is true when At returned the failing rcode, as opposed to having
	// written the failing message. A plugin above it may have written one then.
	Returned bool

	// CacheHit is true when cache was entered and nothing below it was: proof
	// that the failure came from cache.
	CacheHit bool
	// CacheQuestion is the question that cache saw, lower-cased; it is what the
	// failure is remembered under. Name is empty when no cache was entered.
	CacheQuestion dns.Question
	// Background is true for cache's own prefetch and stale refresh.
	Background bool

	// Reply is what is known of the failing message, when one was written.
	Reply Reply
	// Options are the EDEs found on the failing message, or on the upstream's
	// message below cache when cache stripped them.
	Options []option.Option

	// Upstream is the address of the upstream that was asked last,
	// "192.0.2.53:53", and Upstreams the state of all of its forward.
	Upstream  string
	Upstreams []Upstream
	// UpstreamAnswered is true when a message of the upstream is the failure,
	// as opposed to an exchange that gave nothing.
	UpstreamAnswered bool
	// Untried is true when the query's context ended before an upstream was
	// asked.
	Untried bool
	// UpstreamElapsed is the time spent in forward or grpc.
	UpstreamElapsed time.Duration
	// LastGood is when the same forward last brought a usable answer.
	LastGood time.Time
	// LastAnswer is when it last brought any answer of Upstream.
	LastAnswer time.Time
	// Loops is true if a query to Upstream certainly comes back to this server block.
	Loops bool

	// Zone is the state of the local zone that the question falls into.
	Zone Zone
	// Overheard is what At logged about its data.
	Overheard Overheard
	// Template is what the template plugin would do with the question.
	Template Template
	// Nested is the evidence of an internal lookup that failed inside this run.
	Nested *Evidence

	// Time is when the query failed, Elapsed how long after its arrival at ede.
	Time    time.Time
	Elapsed time.Duration
}

// Shape is one of the ways in which a failure leaves a plugin chain.
type Shape uint8

const (
	// Returned: the rcode was returned and nothing written.
	Returned Shape = iota
	// Written: a message was written and rcode 0 returned, no error.
	Written
	// WrittenError: a message was written, then an error returned with rcode 0.
	WrittenError
	// WrittenReturned: a message was written and a failing rcode returned as
	// well; the server core would send a second answer.
	WrittenReturned
	// Panicked: a plugin panicked.
	Panicked
)

var shapeNames = [...]string{"returned", "written", "written+error", "written+returned", "panicked"}

func (s Shape) String() string { return shapeNames[s] }

// Changed is an answer's rcode that a plugin replaced by another one.
type Changed struct {
	// Plugin is who replaced it, empty if nobody did.
	Plugin string
	// From is what came up to it, To what went on. From may be no failure.
	From, To int
}

// Earlier is a failure after which a plugin asked somebody else.
type Earlier struct {
	At      string
	Rcode   int
	Failure Failure
}

// Reply is what classification may look at in a failing message.
type Reply struct {
	Written            bool
	Authoritative      bool
	RecursionAvailable bool
	// Truncated is true when the reply had to be cut: forward drops OPT, and
	// with it the upstream's reason, from one that does not fit.
	Truncated bool
	// Signed is true when the reply had a TSIG record: the query had a good one.
	Signed bool
	// Received is true when the message came over the wire as it stands: it is
	// another server's, whatever plugin asked for it. See option.Received.
	Received bool
	// Alias is true when the answer section holds a CNAME or DNAME, so that
	// the failure is that of a target.
	Alias bool
}

// Upstream is one configured upstream of the forward that failed.
type Upstream struct {
	Addr  string
	Fails uint32
	// Down is true when forward's health check has marked it down, and Since
	// the first time at which ede saw that.
	Down  bool
	Since time.Time
	// Asked is true for the upstream that was tried last, Own if the query came to Addr itself.
	Asked, Own bool
}

// Zone is the state of a zone of file, auto or secondary.
type Zone struct {
	Name  string
	State ZoneState
}

// ZoneState says whether a zone can answer.
type ZoneState uint8

const (
	// ZoneUnknown: the failing plugin shows no zones.
	ZoneUnknown ZoneState = iota
	// ZoneAbsent: the name is in none of the plugin's zones.
	ZoneAbsent
	// ZoneNone: the plugin has no zone at all.
	ZoneNone
	// ZoneNotLoaded: the zone is configured and holds no SOA.
	ZoneNotLoaded
	// ZoneExpired: a secondary zone past its SOA expire.
	ZoneExpired
	// ZoneLoaded: the zone holds an SOA and is not expired.
	ZoneLoaded
)

var zoneStateNames = [...]string{"unknown", "absent", "none", "not loaded", "expired", "loaded"}

func (s ZoneState) String() string { return zoneStateNames[s] }

// Template tells apart the two ways in which the template plugin returns a
// bare SERVFAIL.
type Template uint8

const (
	// TemplateUnknown: the Corefile does not tell them apart.
	TemplateUnknown Template = iota
	// TemplateNoMatch: no template of the block has rcode SERVFAIL, so that it can
	// only be that none matches.
	TemplateNoMatch
	// TemplateRcode: every template of the block has rcode SERVFAIL, and none can
	// fail to match.
	TemplateRcode
)

// Scope is one forward of one server block. What is found out through its
// upstreams says nothing about the names that go to others.
type Scope struct {
	// Block is the server block's number.
	Block uint64
	// Zone is the one that the forward is for.
	Zone string
}
