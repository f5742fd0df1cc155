package ownaddress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// OfInterfaces returns the addresses of this node's interfaces. Those of the loopback network are
// left out: nobody else reaches them.
func OfInterfaces() ([]netip.Addr, error) {
	have, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("cannot list the addresses of this node's interfaces: %w", err)
	}
	var addrs []netip.Addr
	for _, a := range have {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && !prefix.Addr().IsLoopback() {
			addrs = append(addrs, prefix.Addr())
		}
	}
	return addrs, nil
}

// check returns an error unless an address is one of this node's: the metadata service is asked
// in clear text, and HAProxy would listen on every address where its answer was 0.0.0.0.
func (s Service) check(addr netip.Addr) error {
	switch {
	case addr.IsUnspecified():
		return fmt.Errorf("%s means every address", addr)
	case addr.Zone() != "":
		return fmt.Errorf("%s has a zone", addr)
	}
	own, err := s.Own()
	if err == nil && !slices.Contains(own, addr) {
		err = fmt.Errorf("no interface of this node has %s", addr)
	}
	return err
}
