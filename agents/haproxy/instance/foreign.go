package instance

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/hawser-ha/hawser/agents/haproxy/strangers"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// anybody searches for processes outside the instance.
func (in *Instance) anybody() strangers.Search {
	find := sync.OnceValues(in.Find)
	return strangers.Search{
		Ours: func(pid int) bool {
			fam, err := find()
			return err != nil || fam.Has(pid) // what is not known is no stranger
		},
		Keepers: func() ([]int, error) {
			fam, err := in.Keepers()
			pids := fam.PIDs()
			if IsKeeper(os.Args) { // bringing HAProxy back
				pids = append(pids, os.Getpid())
			}
			return pids, err
		},
		Services: clusterUnits,
	}
}

// otherHAProxies searches for HAProxies: with any other program a bind fails.
func (in *Instance) otherHAProxies() strangers.Search {
	search := in.anybody()
	search.Only = in.finder().IsHAProxy
	return search
}

// RefuseStrangers returns an error if another HAProxy listens on one of the addresses and gets
// connections that are for the instance.
func (in *Instance) RefuseStrangers(at []client.Reach) error {
	found, err := in.otherHAProxies().Find(at, nil)
	return errors.Join(err, strangers.Refuse(found))
}

// refuseBeside is RefuseStrangers for a family that runs. It warns of another HAProxy that listens
// on all addresses beside a certain one of the family.
func (in *Instance) refuseBeside(ctx context.Context, fam Family) error {
	at, own, err := strangers.Bound(fam.PIDs())
	if err != nil {
		return err
	}
	found, err := in.otherHAProxies().Find(at, own)
	if err = errors.Join(err, strangers.Refuse(found)); err != nil {
		return err
	}
	if len(found) > 0 {
		ocf.CallFrom(ctx).Warnf("another HAProxy listens on %s: %s; it gets what is sent to "+
			"addresses of this node that HAProxy's configuration does not bind", found[0].Addr,
			found[0])
	}
	return nil
}

// WillBind returns where a HAProxy with the configuration is sure to listen.
func WillBind(sources []client.Source, env []string) []client.Reach {
	return client.Reaches(client.Bindings(sources, procfs.Getenv(env)))
}

// cannotBind is what HAProxy says of an address that it cannot have.
const cannotBind = "cannot bind socket"

// NameHolder completes the error of a failed start with the process that holds the address which
// HAProxy could not bind: "… for [192.0.2.1:80]".
func (in *Instance) NameHolder(complaint error) error {
	_, rest, ok := strings.Cut(complaint.Error(), cannotBind)
	if !ok {
		return complaint
	}
	_, rest, _ = strings.Cut(rest, "[")
	text, _, _ := strings.Cut(rest, "]")
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return complaint
	}
	// at [::], whoever holds the port in either family is in the way
	both := addr.Addr() == netip.IPv6Unspecified()
	found, err := in.anybody().Find([]client.Reach{{Addr: addr, Both: both}}, nil)
	if err != nil || len(found) == 0 {
		return complaint
	}
	return fmt.Errorf("%w: %s is held by %s", complaint, found[0].Addr, found[0])
}
