// Package nic says whether an interface of this machine can carry packets, and hears from the kernel
// when that may have changed.
//
// It is a leaf: agents/floatip watches the interface of its address with it, agents/haproxy those
// that checks name.
package nic

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrUnknown means that the kernel could not be asked.
var ErrUnknown = errors.New("the kernel cannot be asked about this node's interfaces")

// Works returns nil if packets can leave by the interface, and otherwise why not. What counts is what
// the kernel calls running: the interface is up, and its operational state is "up", or "unknown", as
// that of a tun device or of lo is, which have no carrier that anybody could lose (RFC 2863; in the
// kernel, netif_oper_up). A bond has a carrier while one of its ports has, a bridge while one of its
// ports forwards, a VLAN while what it is on has.
func Works(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("%q cannot be the name of an interface: %w", name, err)
	}
	// for one interface, where package net would have all of them listed
	switch err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); {
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("this node has no interface %s (it has %s)", name, Names())
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrUnknown, name, err)
	}
	switch flags := request.Uint16(); {
	case flags&unix.IFF_UP == 0:
		return fmt.Errorf("%s is down: ip link set %s up", name, name)
	case flags&unix.IFF_RUNNING == 0:
		return fmt.Errorf("%s has no carrier: check its cable, switch port or lower interface", name)
	}
	return nil
}

// mostNames is how many interfaces are named: a machine with containers has hundreds.
const mostNames = 20

// Names lists the interfaces of this machine, for people.
func Names() string {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		return "none that can be listed"
	}
	var names []string
	for _, i := range all[:min(len(all), mostNames)] {
		names = append(names, i.Name)
	}
	if more := len(all) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
