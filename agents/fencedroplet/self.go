package fencedroplet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/metadata"
)

// selfTime is how long a fence waits for the metadata service. Usually the id is known without it:
// each monitor of the device notes it.
const selfTime = 2 * time.Second

// notSelf refuses the droplet that this runs on: a wrong host map must not make the fencing node
// switch itself off.
//
// Its id comes from a note of this boot, the metadata service, or the firmware. If none of them
// knows, the addresses that the API has for the target decide: if one of them is on this machine,
// it is this machine; if none is, it is another one. Only if the API names no address either is the
// answer unknown, and then the fence is refused. So fencing works while the metadata service is
// down.
func (a *agent) notSelf(ctx context.Context, c *fence.Call, d droplet) error {
	self, err := a.self(ctx)
	if err == nil {
		if self == fmt.Sprint(d.id) {
			return fmt.Errorf("refused: %s is the droplet that this runs on: is the host map "+
				"right, pcmk_host_map=NODE:ID?", d)
		}
		return nil
	}
	local, lerr := a.addresses()
	if lerr != nil || len(d.addresses) == 0 {
		return fmt.Errorf("refused: it is not known whether %s is the droplet that this runs on: "+
			"%w", d, err)
	}
	for _, l := range local {
		if network, ok := l.(*net.IPNet); ok {
			ip, _ := netip.AddrFromSlice(network.IP) // no droplet has the zero Addr
			if slices.Contains(d.addresses, ip.Unmap()) {
				return fmt.Errorf("refused: %s has the address %s, which is this machine's: is "+
					"the host map right, pcmk_host_map=NODE:ID?", d, ip.Unmap())
			}
		}
	}
	c.Infof("%v; none of the addresses of %s is on this machine, so it is another one", err, d)
	return nil
}

// self returns the id of this droplet.
func (a *agent) self(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, selfTime)
	defer cancel()
	return a.identity(metadata.New(a.metadata)).Droplet(ctx)
}
