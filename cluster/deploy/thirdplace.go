package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// thirdPlace warns of a quorum device that the file names and the cluster does not have, and of sites
// that nothing decides between when they lose sight of each other.
func (d *Deployer) thirdPlace(ctx context.Context, file *config.File, members []string) []string {
	if d.Device == nil || file.Quorum.Device == "" && len(file.Sites) < 2 {
		return nil
	}
	device, err := d.Device(ctx)
	switch {
	case errors.Is(err, corosync.ErrNotRunning):
		return nil // which others say
	case err != nil:
		return []string{fmt.Sprintf("whether the cluster has a quorum device was not checked: %v", err)}
	}
	var warnings []string
	wanted := file.Quorum.Device
	at := fmt.Sprintf("%s:%d: quorum.device is %s", file.Path, file.Quorum.DeviceAt.Line, wanted)
	switch {
	case wanted == "":
	case slices.Contains(members, wanted):
		return []string{at + ", which is a node of this cluster: the vote is worth something at a third " +
			"place only, on a machine that is none of the nodes"}
	case !device.Configured:
		return []string{at + ", and the cluster has no quorum device: `hawser quorum device add " + wanted +
			"` adds it"}
	case device.Host != "" && !strings.EqualFold(device.Host, wanted):
		warnings = append(warnings, at+", and that of the cluster is on "+device.Host+
			": `hawser quorum status`")
	case !device.Connected:
		warnings = append(warnings, at+", and this node is not connected to it: `hawser quorum status`")
	}
	if !device.Configured {
		warnings = append(warnings, withoutDevice(file, members)...)
	}
	return warnings
}

// withoutDevice says what becomes of the sites of a cluster without a quorum device when they no longer
// see each other. Of two nodes with two_node in corosync.conf both go on, of which fencing warns.
func withoutDevice(file *config.File, members []string) []string {
	if len(members) < 3 {
		return nil
	}
	for _, s := range file.Sites {
		here := 0
		for _, n := range s.Nodes {
			if slices.Contains(members, n.Name) {
				here++
			}
		}
		switch {
		case 2*here == len(members):
			return []string{corosync.WithoutThirdPlace}
		case 2*here > len(members):
			return []string{fmt.Sprintf("%s has most of the nodes, and the cluster no quorum device: when "+
				"that site is lost, or is cut off from the rest, the other nodes have no quorum and stop. "+
				"`hawser quorum device add HOST`, with HOST at a third place, has them go on "+
				"(/usr/share/doc/hawser/quorum.md)", s.Name)}
		}
	}
	return nil
}
