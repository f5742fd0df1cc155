package fencing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// checkDroplets refuses a file that would leave a node of the cluster without fencing.
func checkDroplets(c *config.File, cib *crm.CIB, q Quorum) (warning string, err error) {
	p := &c.Fencing.Droplet
	nodes := cib.Members()
	var warnings []string
	if p.Droplets != nil {
		mapped := map[string]config.Position{}
		for _, n := range p.Droplets {
			mapped[n.Node] = n.At
		}
		faults := &config.Faults{Path: c.Path}
		for _, node := range nodes {
			if _, ok := mapped[node]; !ok {
				faults.Add(p.DropletsAt,
					"fencing.droplet.droplets does not say which droplet the node %s is, so it "+
						"could not be fenced: add `%s: ID`, with the ID that `curl -s "+
						contract.DefaultMetadataURL+"/metadata/v1/id` prints there",
					node, node)
			}
		}
		if err := faults.Err(); err != nil {
			return "", err
		}
		for _, n := range p.Droplets {
			if !slices.Contains(nodes, n.Node) {
				warnings = append(warnings,
					fmt.Sprintf(
						"%s:%d: fencing.droplet.droplets names %s, which is not a node of the "+
							"cluster (its nodes: %s)",
						c.Path, n.At.Line, n.Node, strings.Join(nodes, ", ")))
			}
		}
	}
	if policy, _ := cib.Property(crm.NoQuorumPolicy); policy == "ignore" {
		warnings = append(warnings,
			"no-quorum-policy=ignore: every part of a divided cluster fences the others, even a "+
				"single node all the rest. With fencing it is never needed: two nodes have "+
				"two_node in corosync.conf")
	}
	if len(nodes) == 2 && p.Delay == "" && (!q.Known || !q.Device) {
		warnings = append(warnings,
			"delay: 0: two nodes that lose sight of each other may both be switched off")
	}
	return strings.Join(warnings, "\n"), nil
}
