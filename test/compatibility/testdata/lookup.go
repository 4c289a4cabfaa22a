// Lookup asks for the addresses of a name with Go's resolver and the servers of
// /etc/resolv.conf.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	addresses, err := net.LookupHost(os.Args[1] + ".")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(addresses)
}
