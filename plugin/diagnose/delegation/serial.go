package delegation

import "fmt"

// behind tells by how much serial a lags behind b in RFC 1982 arithmetic. It is
// 0 if a is equal to or ahead of b; ok is false where the RFC leaves the order
// undefined, at a distance of exactly 2^31.
func behind(a, b uint32) (lag uint32, ok bool) {
	d := b - a
	switch {
	case d == 1<<31:
		return 0, false
	case d < 1<<31:
		return d, true
	}
	return 0, true
}

// compareSerials sets Behind of the servers that gave a serial, and says in a
// note by how much they differ; the note is empty if they agree.
func compareSerials(servers []ServerResult) (brief, full string) {
	newest, ok := newestSerial(servers)
	if !ok {
		return "", ""
	}
	var b, l list
	for i := range servers {
		s := &servers[i]
		if !s.HasSerial {
			continue
		}
		s.Behind, _ = behind(s.Serial, newest)
		what := fmt.Sprintf(" has %d", s.Serial)
		if s.Behind > 0 {
			what += fmt.Sprintf(" (%d behind)", s.Behind)
		}
		b.add(s.label(false) + what)
		l.add(s.label(true) + what)
	}
	return "SOA serials differ: " + b.String(), "SOA serials differ: " + l.String()
}

// newestSerial returns the serial that none is ahead of; ok is false if all
// agree, or fewer than two are known.
func newestSerial(servers []ServerResult) (newest uint32, ok bool) {
	first := true
	for _, s := range servers {
		if !s.HasSerial {
			continue
		}
		if first {
			newest, first = s.Serial, false
			continue
		}
		if s.Serial == newest {
			continue
		}
		ok = true
		if lag, _ := behind(newest, s.Serial); lag > 0 {
			newest = s.Serial
		}
	}
	return newest, ok
}
