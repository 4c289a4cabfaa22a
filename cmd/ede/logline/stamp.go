package logline

import (
	"bytes"
	"time"
)

// stamp reads the time that a sink has put in front of a message:
//
//	2026-11-20T14:02:11.123456789Z            kubectl logs --timestamps, CRI
//	2026-11-20T14:02:11+0100 host coredns[9]: journalctl -o short-iso
//	Nov 20 14:02:11 host coredns[9]:          journalctl, syslog
//	2026/11/20 14:02:11                       Go's log package
//
// It is zero if there is none, or one that no log of today can have.
func (p *Parser) stamp(prefix []byte) time.Time {
	switch {
	case len(prefix) < len(time.Stamp):
		return time.Time{}
	case prefix[0] >= 'A':
		return p.plausible(p.syslog(prefix))
	case len(prefix) > 19 && (prefix[10] == 'T'):
		token, _, _ := bytes.Cut(prefix, space)
		return p.plausible(p.instant(token))
	case len(prefix) >= 19 && prefix[10] == ' ':
		return p.plausible(p.goLog(prefix))
	}
	return time.Time{}
}

// wholeSecond is what times of one second have in common.
const wholeSecond = len("2026-11-20T14:02:11")

// instant is rfc3339, which most lines spare: they are of the second of the line before.
func (p *Parser) instant(b []byte) time.Time {
	end := len(b) - 1
	if end <= wholeSecond || b[wholeSecond] != '.' || b[end] != 'Z' {
		return rfc3339(b)
	}
	if string(b[:wholeSecond]) == string(p.second[:]) {
		if fraction, digits := fractionOf(b[wholeSecond+1 : end]); digits > 0 && digits == end-wholeSecond-1 && digits <= 9 {
			return p.began.Add(fraction)
		}
	}
	t := rfc3339(b)
	if !t.IsZero() {
		copy(p.second[:], b)
		p.began = t.Truncate(time.Second)
	}
	return t
}

// rfc3339 also takes an offset without colon, as journald writes it.
func rfc3339(b []byte) (t time.Time) {
	if n := len(b); n > 5 && n < 40 && (b[n-5] == '+' || b[n-5] == '-') {
		var fixed [40]byte
		out := append(fixed[:0], b[:n-2]...)
		out = append(append(out, ':'), b[n-2:]...)
		b = out
	}
	if t.UnmarshalText(b) != nil {
		return time.Time{}
	}
	return t
}

// syslog has no year: the latest one that is not in the future is taken. One
// day of grace covers a reference taken in another time zone.
func (p *Parser) syslog(b []byte) time.Time {
	month := monthOf(b[:3])
	day, ok1 := twoDigits(b[4:])
	clock, ok2 := clockOf(b[7:])
	if month == 0 || b[3] != ' ' || b[6] != ' ' || !ok1 || !ok2 {
		return time.Time{}
	}
	ref := p.reference()
	at := func(year int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, p.location()).Add(clock)
	}
	if t := at(ref.Year()); !t.After(ref.Add(24 * time.Hour)) {
		return t
	}
	return at(ref.Year() - 1)
}

func (p *Parser) goLog(b []byte) time.Time {
	century, ok1 := twoDigits(b)
	year, ok2 := twoDigits(b[2:])
	month, ok3 := twoDigits(b[5:])
	day, ok4 := twoDigits(b[8:])
	clock, ok5 := clockOf(b[11:])
	if !(ok1 && ok2 && ok3 && ok4 && ok5) || month < 1 || month > 12 {
		return time.Time{}
	}
	return time.Date(century*100+year, time.Month(month), day, 0, 0, 0, 0, p.location()).Add(clock)
}

// clockOf reads 14:02:11 and what fraction of a second may follow.
func clockOf(b []byte) (time.Duration, bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, false
	}
	h, ok1 := twoDigits(b)
	m, ok2 := twoDigits(b[3:])
	s, ok3 := twoDigits(b[6:])
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	if len(b) > 8 && b[8] == '.' {
		fraction, _ := fractionOf(b[9:])
		d += fraction
	}
	return d, ok1 && ok2 && ok3 && h < 24 && m < 60 && s < 61
}

// fractionOf reads the digits that b begins with as a part of a second.
func fractionOf(b []byte) (d time.Duration, digits int) {
	for unit := time.Second / 10; digits < len(b) && '0' <= b[digits] && b[digits] <= '9'; digits++ {
		d += time.Duration(b[digits]-'0') * unit
		unit /= 10
	}
	return d, digits
}

// twoDigits reads 07 and, for syslog's days, " 7".
func twoDigits(b []byte) (int, bool) {
	if b[0] == ' ' {
		return int(b[1] - '0'), '0' <= b[1] && b[1] <= '9'
	}
	ok := '0' <= b[0] && b[0] <= '9' && '0' <= b[1] && b[1] <= '9'
	return int(b[0]-'0')*10 + int(b[1]-'0'), ok
}

func monthOf(b []byte) time.Month {
	i := bytes.Index([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), b)
	if i < 0 || i%3 != 0 {
		return 0
	}
	return time.Month(i/3 + 1)
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// plausible drops times that would stretch every timeline to uselessness.
func (p *Parser) plausible(t time.Time) time.Time {
	if p.now(); t.Before(epoch) || t.After(p.latest) {
		return time.Time{}
	}
	return t
}

// anyTime reads the time of a JSON member: RFC 3339, as nearly all write it; date
// and time without zone, as ClickHouse does; or what has passed since 1970 in
// seconds, milliseconds, microseconds (journald) or nanoseconds, told by its size.
func (p *Parser) anyTime(b []byte) time.Time {
	if t := p.instant(b); !t.IsZero() {
		return t
	}
	if len(b) >= 19 && b[10] == ' ' {
		return p.goLog(b)
	}
	var n int64
	if len(b) < 10 || len(b) > 19 {
		return time.Time{}
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return time.Time{}
		}
		n = n*10 + int64(c-'0')
	}
	switch {
	case len(b) < 12:
		return time.Unix(n, 0)
	case len(b) < 15:
		return time.UnixMilli(n)
	case len(b) < 18:
		return time.UnixMicro(n)
	}
	return time.Unix(0, n)
}
