package logline

import (
	"math"
	"strconv"
)

const (
	maxLabel = 64
	// maxName is a name of 255 octets with every octet written \DDD
	// (RFC 1035 section 5.1), and a little.
	maxName = 1024
	maxText = 4096
	// maxInstance is the longest host name (RFC 1123 section 2.1).
	maxInstance = 255
	// maxCount keeps sums over any log one can hold away from overflow; no
	// server fails a billion queries inside one summary.
	maxCount    = 1_000_000_000
	maxSeconds  = 100 * 366 * 24 * 3600
	maxTopNames = 64
)

// A rule says what a field's value may be.
type rule struct {
	max   int
	chars chars // that all of it has to be
	codes bool  // INFO-CODEs
	name  bool  // a domain name: compared without case (RFC 4343)
}

var (
	label = rule{max: maxLabel, chars: ofLabels}
	short = rule{max: maxLabel}
	text  = rule{max: maxText}
	host  = rule{max: maxInstance}
)

var rules = [numFields]rule{
	RCode:    label,
	Cause:    label,
	EDE:      {max: maxLabel, codes: true},
	Lasts:    label,
	Owner:    label,
	At:       short,
	Upstream: {max: maxName},
	Zone:     {max: maxName, name: true},
	Server:   {max: maxName},
	Protocol: label,
	ClientIP: short,
	QName:    {max: maxName, name: true},
	QType:    short,
	Asked:    {max: maxName, name: true},
	Duration: short,
	Cached:   short,
	Sent:     label,
	Count:    short,
	Names:    short,
	Window:   short,
	Top:      {max: maxTopNames * maxName, name: true},
	After:    short,
	Result:   label,
	Text:     text,
	Error:    text,
	Advice:   text,

	CachedSum: short,
	Instance:  host,

	ClientNamespace: host,
	ClientPod:       host,

	Refines: label,
}

// set takes a value whose characters are all of the given kinds.
func (p *Parser) set(r *Record, f Field, val []byte, all chars) error {
	if f >= numFields {
		return nil
	}
	if err := r.take(f, nil, 0); err != nil || len(val) == 0 {
		return err
	}
	rule := &rules[f]
	if len(val) > rule.max || all&rule.chars != rule.chars || rule.codes && !isCodes(val) {
		return BadValue
	}
	if rule.name && all&noCapital == 0 {
		val = p.lower(val)
	}
	r.values[f] = val
	r.Alike += sumOf(f, val)
	return nil
}

// take takes a valid value, which has that sum.
func (r *Record) take(f Field, val []byte, sum uint64) error {
	if f >= numFields {
		return nil
	}
	if r.has(1 << f) {
		return Duplicate
	}
	r.put(f, val)
	r.Alike += sum
	return nil
}

// required lists, by kind, what a line is of no use without.
var required = [...]uint32{
	Query:     1<<RCode | 1<<Cause,
	Summary:   1<<Cause | 1<<Count,
	Drops:     1<<Sent | 1<<Count,
	Recovered: 1 << Cause,
	Diagnosis: 0, // a cause or a result, see finish
	Answer:    1 << EDE,
	Notice:    0,
}

// finish checks what is asked of the kind and reads the numbers.
func (r *Record) finish() error {
	if r.Kind == Summary && string(r.Get(Sent)) == "dropped" {
		r.Kind = Drops
	}
	if r.seen&required[r.Kind] != required[r.Kind] {
		return Missing
	}
	var err error
	switch r.Kind {
	case Query:
		r.Count = 1
		var yes bool
		if yes, err = boolean(r.Get(Cached)); yes {
			r.CachedCount = 1
		}
	case Summary, Drops:
		if r.Count, err = number(r.Get(Count)); err != nil {
			return err
		}
		if r.CachedCount, err = r.cachedOfSummary(); err != nil {
			return err
		}
		if r.CachedCount > r.Count {
			return BadValue
		}
		r.WindowSeconds, err = seconds(r.Get(Window))
	case Recovered:
		if r.Count, err = number(r.Get(Count)); err != nil {
			return err
		}
		r.AfterSeconds, err = seconds(r.Get(After))
	case Diagnosis:
		if !r.has(1<<Cause | 1<<Result) {
			return Missing
		}
	}
	return err
}

// cachedOfSummary reads either key. A store whose columns have defaults gives a
// summary a boolean that it never had.
func (r *Record) cachedOfSummary() (uint64, error) {
	if told := r.Get(CachedSum); told != nil {
		return number(told)
	}
	if old := r.Get(Cached); string(old) != "false" {
		return number(old)
	}
	return 0, nil
}

// boolean reads true and false, and 1 and 0 as databases without a type of their
// own for it write them.
func boolean(b []byte) (bool, error) {
	switch string(b) {
	case "true", "1":
		return true, nil
	case "", "false", "0":
		return false, nil
	}
	return false, BadValue
}

// number reads a count; no digits at all are 0.
func number(b []byte) (uint64, error) {
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, BadNumber
		}
		if n = n*10 + uint64(c-'0'); n > maxCount {
			return 0, BadNumber
		}
	}
	return n, nil
}

func seconds(b []byte) (float64, error) {
	if len(b) == 0 {
		return 0, nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > maxSeconds {
		return 0, BadNumber
	}
	return f, nil
}

// isCodes holds for INFO-CODEs parted by commas, spaces allowed after them.
func isCodes(b []byte) bool {
	n, digits := 0, false
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			if n, digits = n*10+int(c-'0'), true; n > math.MaxUint16 {
				return false
			}
		case c == ',' && digits:
			n, digits = 0, false
		case c != ' ':
			return false
		}
	}
	return digits
}
