package haproxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
)

// A HAProxy that cannot bind at a reload first has the old worker let go of all its listening sockets and tries for 2 s; meanwhile new
// connections are refused (seen with 2.6.12, 2.8.0, 3.0.0 and 3.2.0). 2.8.0 even ends then. So the addresses are tried here before
// HAProxy is asked.

// checkBindable is an error where the configuration has an address that HAProxy does not have yet and could not bind.
func (a *agent) checkBindable(f files, sources []client.Source, env []string) error {
	bindings := client.Bindings(sources, getenv(env))
	fam, err := a.find(f)
	if err != nil {
		return err
	}
	have, err := bound(fam)
	if err != nil {
		return err
	}
	for _, b := range bindings {
		if slices.Contains(have, b.Addr) {
			continue
		}
		err := tryBind(b)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			continue // anything else is for HAProxy to find out
		}
		err = fmt.Errorf("cannot bind %s (%s): %w", b.Addr, b.Place, err)
		if found, lookErr := a.strangers(f, []netip.AddrPort{b.Addr}, false); lookErr == nil && len(found) > 0 {
			return fmt.Errorf("%w: %s is held by %s", err, found[0].addr, found[0])
		}
		return err
	}
	return nil
}

// tryBind binds an address as HAProxy does, without listening on it, and lets it go again.
func tryBind(b client.Binding) error {
	family, addr := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(b.Addr.Port())})
	if b.Addr.Addr().Is4() {
		addr.(*unix.SockaddrInet4).Addr = b.Addr.Addr().As4()
	} else {
		family, addr = unix.AF_INET6, &unix.SockaddrInet6{Port: int(b.Addr.Port()), Addr: b.Addr.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	for _, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return err
		}
	}
	if family == unix.AF_INET6 && (b.V6Only || b.V4V6) {
		only := 0
		if b.V6Only {
			only = 1
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	return unix.Bind(fd, addr)
}
