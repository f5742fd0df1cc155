package instance

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/hawser-ha/hawser/agents/haproxy/strangers"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// A HAProxy that cannot bind an address at a reload first has the old worker close all its
// listening sockets and retries for 2 s; meanwhile new connections are refused (seen with 2.6.12,
// 2.8.0, 3.0.0 and 3.2.0). 2.8.0 even exits. So the addresses are tried here before HAProxy is
// reloaded.

// checkBindable returns an error if the configuration names an address that HAProxy does not have
// yet and could not bind.
func (in *Instance) checkBindable(sources []client.Source, env []string) error {
	bindings := client.Bindings(sources, procfs.Getenv(env))
	fam, err := in.Find()
	if err != nil {
		return err
	}
	at, _, err := strangers.Bound(fam.PIDs())
	if err != nil {
		return err
	}
	have := map[netip.AddrPort]bool{}
	for _, reach := range at {
		have[reach.Addr] = true
	}
	for _, b := range bindings {
		if have[b.Addr] {
			continue
		}
		err := b.Try()
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) &&
			!errors.Is(err, syscall.EADDRNOTAVAIL) {
			continue // HAProxy itself will report anything else
		}
		err = fmt.Errorf("cannot bind %s (%s): %w", b.Addr, b.Place, err)
		found, lookErr := in.anybody().Find(client.Reaches([]client.Binding{b}), nil)
		if lookErr == nil && len(found) > 0 {
			return fmt.Errorf("%w: %s is held by %s", err, found[0].Addr, found[0])
		}
		return err
	}
	return nil
}
