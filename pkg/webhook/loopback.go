package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// LoopbackOnly refuses an address to listen on that others than this machine can reach: the condition of NoProof. It takes
// localhost, 127.0.0.0/8 and ::1, with or without a port; an empty host is every interface and is refused.
func LoopbackOnly(addr string) error {
	if !loopback(addr) {
		return fmt.Errorf("check listen address %q: mode %s is for loopback addresses only (127.0.0.1, ::1, localhost)", addr, NoProof)
	}
	return nil
}

// loopback tells whether host, with or without a port, is this machine by the text alone; nothing is resolved.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
