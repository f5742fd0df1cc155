package node

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
)

// fenceDropletCheck compares the droplet that a fence device has for this node with the one that
// this machine is. A replaced droplet has a new id, and nothing queries the old one until it has to
// be switched off.
func (n Node) fenceDropletCheck() doctor.Check {
	return doctor.Check{
		Name: "fence-droplet", Short: "a fence device that has another droplet's id for this node",
		Worst: doctor.Error, Timeout: 10 * time.Second,
		Why: "when this node fails, fencing fails, or switches another machine off and takes " +
			"this one for dead",
		Remedy: "droplets: {NODE: ID} in hawser.yaml, then hawser apply",
		Run: n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			var found []doctor.Finding
			for _, m := range d.HostMaps {
				has := m.Droplets[strings.ToLower(n.Name)]
				if _, err := strconv.Atoi(has); err != nil {
					continue // a name, which only the API knows; or another way to find the droplet
				}
				is, err := n.Droplet(ctx, m.MetadataURL)
				if err != nil {
					return found, fmt.Errorf(
						"whether this is the droplet %s, which %s has for %s: %w", has, m.Resource,
						n.Name, err)
				}
				if is != has {
					f := n.found(doctor.Error, m.Resource,
						fmt.Sprintf("%s has the droplet %s for %s, and this is the droplet %s",
							m.Resource, has, n.Name, is),
						"when this node fails, fencing fails, or switches another machine "+
							"off and takes this one for dead")
					f.Todo = []string{
						"write `droplets: {" + n.Name + ": " + is + "}` into hawser.yaml, then `hawser " +
							"apply`; without such a file, set pcmk_host_map of " + m.Resource,
					}
					found = append(found, f)
				}
			}
			return found, nil
		}),
	}
}
