package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/crm"
)

// checkDroplets refuses a file by which a node of the cluster could not be fenced.
func (c *config) checkDroplets(cib *crm.CIB, q quorum) (warning string, err error) {
	p := &c.fencing.droplet
	nodes := members(cib)
	var warnings []string
	if p.droplets != nil {
		mapped := map[string]position{}
		for _, n := range p.droplets {
			mapped[n.node] = n.at
		}
		faults := &faultList{file: c.file}
		for _, node := range nodes {
			if _, ok := mapped[node]; !ok {
				faults.add(p.dropletsAt, "fencing.droplet.droplets does not say which droplet the node %s is, so it could not be fenced: add `%s: ID`, with the ID that `curl -s http://169.254.169.254/metadata/v1/id` prints there", node, node)
			}
		}
		if err := faults.err(); err != nil {
			return "", err
		}
		for _, n := range p.droplets {
			if !slices.Contains(nodes, n.node) {
				warnings = append(warnings, fmt.Sprintf("%s:%d: fencing.droplet.droplets names %s, which is no node of the cluster (its nodes: %s)", c.file, n.at.line, n.node, strings.Join(nodes, ", ")))
			}
		}
	}
	if policy, _ := cib.Property(noQuorumPolicy); policy == "ignore" {
		warnings = append(warnings, "no-quorum-policy=ignore: every part of a divided cluster fences the others, also a single node all the rest. With fencing it is needed nowhere: two nodes have two_node in corosync.conf")
	}
	if len(nodes) == 2 && p.delay == "" && (!q.known || !q.Device) {
		warnings = append(warnings, "delay: 0: two nodes that lose sight of each other may both be switched off")
	}
	return strings.Join(warnings, "\n"), nil
}

// tryDevice has the fence agent on this node do what it will have to do: ask the cloud for each node's droplet, and looks whether that is the
// node's. It is called before the device is written, so that a wrong token or id is found now and not when a node is lost.
func (s *system) tryDevice(ctx context.Context, c *config, p crm.Plan) error {
	changed := slices.ContainsFunc(p.Changes, func(change crm.Change) bool { return change.New != nil && change.New.ID() == fenceID })
	if c.fencing.way != fencingDroplet || !changed || !s.running || s.remote {
		return nil
	}
	d := &c.fencing.droplet
	nodes := members(p.New)
	if err := s.tryAgent(ctx, c, d.agentOptions(), "monitor", ""); err != nil {
		return err
	}
	for _, node := range nodes {
		if err := s.tryAgent(ctx, c, append(d.agentOptions(), crm.Attr{Name: "nodename", Value: node}, crm.Attr{Name: "plug", Value: d.plug(node)}), "status", node); err != nil {
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

func (s *system) tryAgent(ctx context.Context, c *config, options crm.Attrs, action, node string) error {
	answer, err := s.fenceAgent(ctx, append(crm.Attrs{{Name: "action", Value: action}}, options...))
	about := "can reach the cloud"
	at := c.fencing.droplet.tokenFileAt
	if node != "" {
		about = "finds the droplet of the node " + node
		if c.fencing.droplet.droplets != nil {
			at = c.fencing.droplet.dropletsAt
		}
	}
	switch {
	case err != nil:
		return usagef("%s:%d: trying whether %s %s: %w; nothing was changed", c.file, at.line, fenceAgentPath, about, err)
	case answer.code == 0, action == "status" && answer.code == fenceStatusOff && answer.said == fenceSaysOff:
		return nil
	}
	return usagef("%s:%d: fencing would not work: `%s` was asked whether it %s (action %s) and failed with exit code %d: %s; nothing was changed",
		c.file, at.line, fenceAgentPath, about, action, answer.code, orNone(answer.said))
}
