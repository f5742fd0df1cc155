// Package strangers finds processes that listen where a HAProxy does, and are not part of it.
//
// HAProxy binds with SO_REUSEPORT, so that two of them on one address do not notice each other: the
// kernel distributes the connections among them. So other listeners are looked up in the kernel's
// table.
//
// It imports haproxy and leaves of internal; there is only this file.
package strangers

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// Stranger is a process that listens and does not belong to the HAProxy.
type Stranger struct {
	PID  int
	Addr netip.AddrPort
	// Takes is set if it gets connections that are for the HAProxy.
	Takes bool
	// Service is the systemd service that it belongs to, "" if none.
	Service string

	inode uint64
}

// String names the process so that an operator can find and end it.
func (s Stranger) String() string {
	name := procfs.Default.Executable(s.PID)
	if name == "" {
		name = "a process"
	}
	text := fmt.Sprintf("%s (pid %d", name, s.PID)
	if s.Service != "" {
		return text + fmt.Sprintf(", systemd unit %s: systemctl disable --now %s)", s.Service,
			s.Service)
	}
	return text + ")"
}

// Search is whom to look for.
type Search struct {
	// Ours reports whether a process belongs to the HAProxy.
	Ours func(pid int) bool
	// Keepers returns processes that hold sockets for the HAProxy.
	Keepers func() ([]int, error)
	// Only, unless it is nil, reports whether an executable is of those that are looked for.
	Only func(exe string) bool
	// Services are those whose processes may be anybody's: an agent may have started them.
	Services []string
}

// rival is a socket of another process on one of the HAProxy's addresses.
type rival struct {
	addr  netip.AddrPort
	takes bool
}

// yields reports whether a socket gets no connection that is for another one: the kernel gives all
// those for a certain address to the socket of that address, and none to one of all addresses.
func yields(theirs, ours client.Reach) bool {
	return theirs.Addr.Addr().IsUnspecified() && !ours.Addr.Addr().IsUnspecified()
}

// rivals returns the sockets that listen on one of the addresses, but for those of own.
func rivals(at []client.Reach, own map[uint64]bool) (map[uint64]rival, error) {
	listeners, err := client.Listeners()
	if err != nil {
		return nil, err
	}
	byPort := map[uint16][]client.Reach{} // there may be thousands of either
	for _, reach := range at {
		byPort[reach.Addr.Port()] = append(byPort[reach.Addr.Port()], reach)
	}
	found := map[uint64]rival{}
	for _, l := range listeners {
		for _, reach := range byPort[l.Addr.Port()] {
			if !own[l.Inode] && client.Overlap(l.Reach, reach) {
				takes := found[l.Inode].takes || !yields(l.Reach, reach)
				found[l.Inode] = rival{l.Addr, takes}
			}
		}
	}
	return found, nil
}

// Find returns the processes that listen on one of the addresses. own are sockets that are known to
// be the HAProxy's: where there are no others, no process has to be looked at.
func (s Search) Find(at []client.Reach, own map[uint64]bool) ([]Stranger, error) {
	wanted, err := rivals(at, own)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return nil, err
	}
	// a keeper's program is called haproxy too, and what it holds is for this HAProxy
	keepers, err := s.Keepers()
	if err != nil {
		return nil, err
	}
	var found []Stranger
	for _, pid := range pids {
		if slices.Contains(keepers, pid) {
			continue
		}
		inodes, err := procfs.Default.SocketInodes(pid)
		if err != nil {
			continue // gone meanwhile
		}
		for inode := range inodes {
			r, listens := wanted[inode]
			if !listens {
				continue
			}
			if s.Ours(pid) {
				delete(wanted, inode)
				continue
			}
			if s.Only == nil || s.Only(procfs.Default.Executable(pid)) {
				found = append(found, Stranger{pid, r.addr, r.takes, s.serviceOf(pid), inode})
			}
		}
	}
	// A socket that is shared with a process of the HAProxy was inherited from it.
	return slices.DeleteFunc(found, func(other Stranger) bool {
		_, ok := wanted[other.inode]
		return !ok
	}), nil
}

// serviceOf returns the systemd service that a process belongs to, by its control group.
func (s Search) serviceOf(pid int) string {
	service := procfs.Default.Service(pid)
	if slices.Contains(s.Services, service) {
		return ""
	}
	return service
}

// Refuse returns an error if one of them gets connections that are for the HAProxy.
func Refuse(found []Stranger) error {
	for _, other := range found {
		if other.Takes {
			return fmt.Errorf("another HAProxy listens on %s: %s", other.Addr, other)
		}
	}
	return nil
}

// Bound returns where processes listen, and by which sockets.
func Bound(pids []int) (at []client.Reach, own map[uint64]bool, err error) {
	listeners, err := client.Listeners()
	if err != nil {
		return nil, nil, err
	}
	open := map[uint64]bool{}
	for _, pid := range pids {
		if inodes, err := procfs.Default.SocketInodes(pid); err == nil {
			maps.Copy(open, inodes)
		}
	}
	own = map[uint64]bool{}
	for _, l := range listeners {
		if open[l.Inode] {
			at, own[l.Inode] = append(at, l.Reach), true
		}
	}
	return at, own, nil
}
