package lab

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// Cloud controls the lab's cloud: faults, times and state as with cloud.Client, with droplets named
// after their nodes.
type Cloud struct {
	cloud.Client
	lab *Lab
}

// Holder returns the name of the node that holds the floating address, "" if none does.
func (c *Cloud) Holder(ctx context.Context, ip netip.Addr) (string, error) {
	s, err := c.State(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range s.Reserved {
		if r.IP == ip {
			return c.lab.dropletName(r.Droplet), nil
		}
	}
	return "", fmt.Errorf("lab: the cloud does not have the address %s; it has %v", ip,
		c.lab.spec.FloatingIPs)
}

// MoveTo gives the floating address to the node ("" to nobody) at once, as an operator does in the
// control panel.
func (c *Cloud) MoveTo(ctx context.Context, ip netip.Addr, node string) error {
	id := 0
	if node != "" {
		n, err := c.lab.Node(node)
		if err != nil {
			return err
		}
		if id = n.Droplet; id == 0 {
			return fmt.Errorf("lab: %s is not a droplet; only balancers are", node)
		}
	}
	return c.Move(ctx, ip, id)
}

func (l *Lab) dropletName(id int) string {
	for _, n := range l.spec.Nodes {
		if id != 0 && n.Droplet == id {
			return n.Name
		}
	}
	return ""
}
