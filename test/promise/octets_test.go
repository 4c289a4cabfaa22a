package promise_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// section is where a resource record begins, where its fixed part does, and
// where it ends in a packed message.
type section struct{ begin, fixed, end int }

const (
	headerSize = 12
	fixedSize  = 10 // type, class, TTL and length of the data
)

// records finds all records of a message without taking it apart, so that what
// is not looked at stays as it was, name compression included.
func records(wire []byte) ([]section, error) {
	if len(wire) < headerSize {
		return nil, fmt.Errorf("%d octets", len(wire))
	}
	count := func(i int) int { return int(binary.BigEndian.Uint16(wire[4+2*i:])) }
	off, err := headerSize, error(nil)
	for range count(0) {
		if _, off, err = dns.UnpackDomainName(wire, off); err != nil {
			return nil, err
		}
		off += 4
	}
	var all []section
	for range count(1) + count(2) + count(3) {
		s := section{begin: off}
		if _, s.fixed, err = dns.UnpackDomainName(wire, off); err != nil {
			return nil, err
		}
		if s.fixed+fixedSize > len(wire) {
			return nil, fmt.Errorf("a record ends early")
		}
		s.end = s.fixed + fixedSize + int(binary.BigEndian.Uint16(wire[s.fixed+8:]))
		if s.end > len(wire) {
			return nil, fmt.Errorf("data of a record end early")
		}
		all, off = append(all, s), s.end
	}
	return all, nil
}

func (s section) rrtype(wire []byte) uint16 { return binary.BigEndian.Uint16(wire[s.fixed:]) }

// without returns wire without its additional records of a type.
func without(wire []byte, rrtype uint16) []byte {
	all, err := records(wire)
	if err != nil {
		return wire
	}
	kept := slices.Clone(wire)
	for _, s := range slices.Backward(all) {
		if s.rrtype(wire) != rrtype {
			continue
		}
		kept = slices.Delete(kept, s.begin, s.end)
		binary.BigEndian.PutUint16(kept[10:], binary.BigEndian.Uint16(kept[10:])-1)
	}
	return kept
}

// reasonless returns wire without the EDE options of its OPT record.
func reasonless(wire []byte) []byte {
	all, err := records(wire)
	if err != nil {
		return wire
	}
	kept := slices.Clone(wire)
	for _, s := range slices.Backward(all) {
		if s.rrtype(wire) != dns.TypeOPT {
			continue
		}
		data := dropOptions(wire[s.fixed+fixedSize:s.end], dns.EDNS0EDE)
		kept = slices.Replace(kept, s.fixed+fixedSize, s.end, data...)
		binary.BigEndian.PutUint16(kept[s.fixed+8:], uint16(len(data)))
	}
	return kept
}

func dropOptions(data []byte, code uint16) (kept []byte) {
	for len(data) >= 4 {
		end := min(4+int(binary.BigEndian.Uint16(data[2:])), len(data))
		if binary.BigEndian.Uint16(data) != code {
			kept = append(kept, data[:end]...)
		}
		data = data[end:]
	}
	return append(kept, data...)
}

// timeless returns wire without what the clock puts into it: a TTL of 0 in all
// records but OPT, whose TTL is none, and a serial of 0 in SOA records.
func timeless(wire []byte) []byte {
	const numbers = 20 // serial, refresh, retry, expire and minimum end the data
	all, err := records(wire)
	if err != nil {
		return wire
	}
	kept := slices.Clone(wire)
	for _, s := range all {
		switch s.rrtype(wire) {
		case dns.TypeOPT:
			continue
		case dns.TypeSOA:
			if s.end-s.fixed > fixedSize+numbers {
				clear(kept[s.end-numbers : s.end-numbers+4])
			}
		}
		clear(kept[s.fixed+4 : s.fixed+8])
	}
	return kept
}

// withID returns wire with another ID.
func withID(wire []byte, id uint16) []byte {
	kept := slices.Clone(wire)
	binary.BigEndian.PutUint16(kept, id)
	return kept
}

func TestOctetsAreTakenOutAndNothingElse(t *testing.T) {
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	m.Response, m.Compress = true, true
	for _, text := range []string{"www.example.org. 60 IN CNAME a.example.org.", "a.example.org. 60 IN MX 5 www.example.org."} {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	pack := func(m *dns.Msg) []byte {
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return wire
	}
	bare := pack(m)
	m.SetEdns0(1232, true)
	nsid := &dns.EDNS0_NSID{Code: dns.EDNS0NSID, Nsid: "aabb"}
	m.IsEdns0().Option = []dns.EDNS0{nsid}
	plain := pack(m)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 6, ExtraText: "a"}, nsid, &dns.EDNS0_EDE{InfoCode: 7}}
	m.SetTsig("k.example.", dns.HmacSHA256, 300, 1)
	full := pack(m)
	if got := without(reasonless(full), dns.TypeTSIG); string(got) != string(plain) {
		t.Errorf("without EDE and TSIG: %x, want %x", got, plain)
	}
	if got := without(without(full, dns.TypeTSIG), dns.TypeOPT); string(got) != string(bare) {
		t.Errorf("without OPT and TSIG: %x, want %x", got, bare)
	}
	for i := range full {
		_ = reasonless(full[:i]) // what is cut stays as it is
	}
}
