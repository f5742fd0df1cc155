package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// removableTime is how long Pacemaker may take to say what runs here: a removal waits for it.
const removableTime = 20 * time.Second

// removableCommand is for the package's own script, which asks before the agents go.
func removableCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:   "removable",
		Usage:  "tell whether the agents can be taken off this node",
		Hidden: true,
		Description: "The package asks this before it is removed. While a resource runs here, Pacemaker needs its agent: without it the next\n" +
			"monitor fails, and the resource can be neither stopped nor moved. Exits with 0 if they can be taken off, else with 1.",
		Before: noArguments,
		Action: func(c *cli.Context) error {
			ctx, cancel := context.WithTimeout(c.Context, removableTime)
			defer cancel()
			return sys.removable(ctx)
		},
	}
}

// removable is nil where nothing on this node needs the agents. That it could not be found out is an error too.
func (s *system) removable(ctx context.Context) error {
	status, err := s.Cluster.Status(ctx)
	if errors.Is(err, crm.ErrNotInstalled) || errors.Is(err, crm.ErrNotRunning) && len(s.processes(executor)) == 0 {
		if keepers := s.processes("hawser-keeper"); len(keepers) > 0 {
			s.warn("Pacemaker does not run and has left HAProxy running on this node, whose keeper is process %s: nobody will stop it",
				strings.Join(keepers, " and "))
		}
		return nil
	}
	if err != nil {
		return exitf(outcome.Failed, "cannot find out which resources hawser's agents run on this node: %w\n"+
			"wait until `crm_mon -1` answers, or stop Pacemaker on this node first: systemctl stop pacemaker", err)
	}
	known := slices.ContainsFunc(status.Nodes, func(n crm.NodeStatus) bool { return n.Name == s.Node })
	var used, unmanaged []string
	for _, r := range status.Resources {
		// Where the cluster has another name for this node, it may be any.
		here := !known || r.Node == s.Node || slices.Contains(r.Nodes, s.Node)
		if !r.Active || !here || !s.isOurs(r.Agent) {
			continue
		}
		if name := fmt.Sprintf("%s (%s)", r.ID, r.Agent); !slices.Contains(used, name) {
			used = append(used, name)
		}
		if !r.Managed && !slices.Contains(unmanaged, r.ID) {
			unmanaged = append(unmanaged, r.ID)
		}
	}
	if len(used) == 0 {
		return nil
	}
	where := "node " + s.Node
	if !known {
		where = fmt.Sprintf("the cluster, which has no node called %s,", s.Node)
	}
	text := fmt.Sprintf("in use on %s: %s. Without its agent a resource can be neither watched nor stopped, and Pacemaker takes it for failed\n",
		where, strings.Join(used, ", "))
	if len(unmanaged) > 0 {
		text += fmt.Sprintf("Pacemaker does not manage %s now, and would not stop it: end the maintenance first\n", strings.Join(unmanaged, ", "))
	}
	text += "to move it away first: crm_standby --node $(crm_node -n) --update on && crm_resource --wait\n" +
		"to take it out of the cluster, on all nodes: hawser destroy"
	return exitf(outcome.Failed, "%s", text)
}

// executor is the daemon of Pacemaker that runs agents.
const executor = "pacemaker-execd"

// processes are those of a name that are not in a container.
func (s *system) processes(name string) (pids []string) {
	names, _ := filepath.Glob(filepath.Join(s.Proc, "[0-9]*", "comm"))
	own, _ := os.Readlink(filepath.Join(s.Proc, "self", "ns", "pid"))
	for _, path := range names {
		text, err := os.ReadFile(path)
		dir := filepath.Dir(path)
		if space, _ := os.Readlink(filepath.Join(dir, "ns", "pid")); err == nil && strings.TrimSpace(string(text)) == name && space == own {
			pids = append(pids, filepath.Base(dir))
		}
	}
	return pids
}

// isOurs is whether the agent is one of hawser's, under its own name or by a link of the name of a shell agent.
func (s *system) isOurs(agent string) bool {
	words := strings.Split(agent, ":")
	if len(words) != 3 || words[0] != "ocf" {
		return agent == "stonith:fence_droplet"
	}
	if words[1] == "hawser" {
		return true
	}
	target, err := os.Readlink(filepath.Join(s.Agents, words[1], words[2]))
	return err == nil && filepath.Base(filepath.Dir(target)) == "hawser"
}
