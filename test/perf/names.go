package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
)

// names are what a load asks for, type A.
type names struct {
	// prefix stands before the number of each, "h" if it is empty.
	prefix string
	hosts  int
	// failing is how many of a hundred are in example.net and not example.org.
	failing int
}

func (n names) name(i int) string {
	prefix, domain := n.prefix, "example.org"
	if prefix == "" {
		prefix = "h"
	}
	// 37 is prime to 100: the failing ones are spread.
	if i*37%100 < n.failing {
		domain = "example.net"
	}
	return fmt.Sprintf("%s%d.%s", prefix, i, domain)
}

// file writes n for dnsperf into dir and returns its path.
func (n names) file(dir string) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("names-%s-%d-%d", n.prefix, n.hosts, n.failing))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range n.hosts {
		fmt.Fprintf(w, "%s A\n", n.name(i))
	}
	return path, w.Flush()
}

// writeZone writes the zone of all contests: a thousand names, and those with
// many addresses.
func writeZone(dir string) error {
	f, err := os.Create(filepath.Join(dir, "zone"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "example.org. 3600 IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300")
	fmt.Fprintln(w, "example.org. 3600 IN NS ns.example.org.\nns.example.org. 3600 IN A 192.0.2.53")
	for i := range few.hosts {
		fmt.Fprintf(w, "%s. 3600 IN A 192.0.2.1\n", few.name(i))
	}
	for _, c := range sizes() {
		var n int
		fmt.Sscanf(c.name, "%d", &n)
		for i := range n {
			fmt.Fprintf(w, "%s. 3600 IN A 192.0.2.%d\n", c.ask.names.name(0), i+1)
		}
	}
	return w.Flush()
}
