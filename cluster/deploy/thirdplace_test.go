package deploy

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// TestThirdPlace: what decides between sites is named, and what is missing for it.
func TestThirdPlace(t *testing.T) {
	const sites = "sites: {main: {nodes: [lb-1, lb-2]}, reserve: {nodes: [lb-3, lb-4]}}\nhaproxy: {}\n"
	four := []string{"lb-1", "lb-2", "lb-3", "lb-4"}
	connected := corosync.DeviceState{Configured: true, Model: "net", Host: "qnetd", Connected: true, Votes: true}
	for name, tc := range map[string]struct {
		file    string
		members []string
		device  corosync.DeviceState
		err     error
		want    string
	}{
		"two sites alike":      {file: sites, members: four, want: "without a third place, a cut stops both sites"},
		"a site with most":     {file: sites, members: four[:3], want: "main has most of the nodes"},
		"two nodes":            {file: "sites: {a: {nodes: [lb-1]}, b: {nodes: [lb-2]}}\nhaproxy: {}\n", members: four[:2]},
		"three sites":          {file: sites + "# \n", members: append([]string{"lb-5"}, four...)},
		"a device":             {file: sites, members: four, device: connected},
		"the device":           {file: sites + "quorum: {device: qnetd}\n", members: four, device: connected},
		"no device":            {file: sites + "quorum: {device: qnetd}\n", members: four, want: "hawser quorum device add qnetd"},
		"another device":       {file: "quorum: {device: other}\nhaproxy: {}\n", members: four, device: connected, want: "that of the cluster is on qnetd"},
		"not connected":        {file: "quorum: {device: qnetd}\nhaproxy: {}\n", members: four, device: corosync.DeviceState{Configured: true, Host: "qnetd"}, want: "this node is not connected"},
		"a node":               {file: "quorum: {device: lb-2}\nhaproxy: {}\n", members: four, want: "which is a node of this cluster"},
		"in other letters":     {file: "quorum: {device: QNETD}\nhaproxy: {}\n", members: four, device: connected},
		"one site":             {file: "haproxy: {}\n", members: four},
		"Corosync not running": {file: sites, members: four, err: corosync.ErrNotRunning},
		"not known":            {file: sites, members: four, err: errors.New("no answer"), want: "was not checked: no answer"},
	} {
		d := Deployer{Device: func(context.Context) (corosync.DeviceState, error) { return tc.device, tc.err }}
		got := d.thirdPlace(t.Context(), parse(t, tc.file), tc.members)
		if tc.want == "" {
			require.Empty(t, got, name)
			continue
		}
		require.Len(t, got, 1, name)
		require.Contains(t, got[0], tc.want, name)
	}
}
