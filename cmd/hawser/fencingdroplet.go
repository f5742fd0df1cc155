package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// checkDroplets refuses a file by which a node of the cluster could not be fenced.
func checkDroplets(c *config.File, cib *crm.CIB, q quorum) (warning string, err error) {
	p := &c.Fencing.Droplet
	nodes := members(cib)
	var warnings []string
	if p.Droplets != nil {
		mapped := map[string]config.Position{}
		for _, n := range p.Droplets {
			mapped[n.Node] = n.At
		}
		faults := &config.Faults{Path: c.Path}
		for _, node := range nodes {
			if _, ok := mapped[node]; !ok {
				faults.Add(p.DropletsAt, "fencing.droplet.droplets does not say which droplet the node %s is, so it could not be fenced: add `%s: ID`, with the ID that `curl -s http://169.254.169.254/metadata/v1/id` prints there", node, node)
			}
		}
		if err := faults.Err(); err != nil {
			return "", err
		}
		for _, n := range p.Droplets {
			if !slices.Contains(nodes, n.Node) {
				warnings = append(warnings, fmt.Sprintf("%s:%d: fencing.droplet.droplets names %s, which is no node of the cluster (its nodes: %s)", c.Path, n.At.Line, n.Node, strings.Join(nodes, ", ")))
			}
		}
	}
	if policy, _ := cib.Property(noQuorumPolicy); policy == "ignore" {
		warnings = append(warnings, "no-quorum-policy=ignore: every part of a divided cluster fences the others, also a single node all the rest. With fencing it is needed nowhere: two nodes have two_node in corosync.conf")
	}
	if len(nodes) == 2 && p.Delay == "" && (!q.known || !q.Device) {
		warnings = append(warnings, "delay: 0: two nodes that lose sight of each other may both be switched off")
	}
	return strings.Join(warnings, "\n"), nil
}

// tryDevice has the fence agent on this node do what it will have to do: ask the cloud for each node's droplet, and looks whether that is the
// node's. It is called before the device is written, so that a wrong token or id is found now and not when a node is lost.
func (s *system) tryDevice(ctx context.Context, c *config.File, p crm.Plan) error {
	changed := slices.ContainsFunc(p.Changes, func(change crm.Change) bool { return change.New != nil && change.New.ID() == fenceID })
	if c.Fencing.Way != config.FencingDroplet || !changed || !s.running || s.remote {
		return nil
	}
	d := &c.Fencing.Droplet
	nodes := members(p.New)
	if err := s.tryAgent(ctx, c, agentOptions(d), "monitor", ""); err != nil {
		return err
	}
	for _, node := range nodes {
		if err := s.tryAgent(ctx, c, append(agentOptions(d), crm.Attr{Name: "nodename", Value: node}, crm.Attr{Name: "plug", Value: d.Plug(node)}), "status", node); err != nil {
			return err
		}
	}
	warnings, err := s.matchDroplets(ctx, c, nodes)
	for _, w := range warnings {
		s.warn("%s", w)
	}
	return err
}

// fenceStatusOff is what the action status exits with if the machine is off (FenceAgentAPI: 0 on, 2 off, everything else an error).
const fenceStatusOff = 2

// fenceSaysOff is what it says then. A program that Go's runtime ends without memory has the same exit code.
const fenceSaysOff = "Status: OFF"

func (s *system) tryAgent(ctx context.Context, c *config.File, options crm.Attrs, action, node string) error {
	answer, err := s.fenceAgent(ctx, append(crm.Attrs{{Name: "action", Value: action}}, options...))
	about := "can reach the cloud"
	at := c.Fencing.Droplet.TokenFileAt
	if node != "" {
		about = "finds the droplet of the node " + node
		if c.Fencing.Droplet.Droplets != nil {
			at = c.Fencing.Droplet.DropletsAt
		}
	}
	switch {
	case err != nil:
		return usagef("%s:%d: trying whether %s %s: %w; nothing was changed", c.Path, at.Line, fenceAgentPath, about, err)
	case answer.code == 0, action == "status" && answer.code == fenceStatusOff && answer.said == fenceSaysOff:
		return nil
	}
	return usagef("%s:%d: fencing would not work: `%s` was asked whether it %s (action %s) and failed with exit code %d: %s; nothing was changed",
		c.Path, at.Line, fenceAgentPath, about, action, answer.code, orNone(answer.said))
}
