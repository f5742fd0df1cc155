// Package nic says whether an interface of this machine can carry packets, and hears from the kernel
// when that may have changed.
//
// It is a leaf: agents/floatip watches the interface of its address with it, agents/haproxy those that
// checks name. Open nic.go first.
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

// NoneError means that this node has no interface of the name.
type NoneError struct{ Name, Has string }

// Error names those that it has.
func (e *NoneError) Error() string {
	return fmt.Sprintf("this node has no interface %s (it has %s)", e.Name, e.Has)
}

// Works returns nil if packets can leave by the interface, and otherwise why not.
func Works(name string) error {
	flags, err := flagsOf(name)
	switch {
	case errors.Is(err, unix.ENODEV):
		return &NoneError{name, Names()}
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrUnknown, name, err)
	}
	return Judge(name, flags)
}

// Judge is Works for who knows the interface's flags (netdevice(7)). It has to be up and to have a
// carrier, and must not wait for anything but that, such as 802.1X. A bond has a carrier while one of
// its ports has, a bridge while one of its ports forwards, a VLAN while what it is on has; a tun device
// has one while a program has it open, and lo always.
//
// IFF_RUNNING, and the operational state that it comes from, say the same up to a second later: the
// kernel looks at changes once in a second where they come one after the other, as that of a bond
// comes after that of its port (net/core/link_watch.c).
func Judge(name string, flags uint32) error {
	switch {
	case flags&unix.IFF_UP == 0:
		return fmt.Errorf("%s is down: ip link set %s up", name, name)
	case flags&unix.IFF_LOWER_UP == 0:
		return fmt.Errorf("%s has no carrier: check its cable, switch port or lower interface", name)
	case flags&unix.IFF_DORMANT != 0:
		return fmt.Errorf("%s has a carrier and is dormant: does the switch wait for it to log on "+
			"(802.1X)?", name)
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
