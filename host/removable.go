package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// executor is the daemon of Pacemaker that runs agents.
const executor = "pacemaker-execd"

// Removable is an error unless the agents can be removed from this node: while a resource runs
// here, Pacemaker needs its agent. It is also an error if that cannot be found out.
func (h *Host) Removable(ctx context.Context) (warning string, err error) {
	status, err := h.Cluster.Status(ctx)
	if errors.Is(err, crm.ErrNotInstalled) ||
		errors.Is(err, crm.ErrNotRunning) && len(h.processes(executor)) == 0 {
		if keepers := h.processes(contract.KeeperProcess); len(keepers) > 0 {
			warning = fmt.Sprintf(
				"Pacemaker does not run and has left HAProxy running on this node, whose keeper "+
					"is process %s: nobody will stop it", strings.Join(keepers, " and "))
		}
		return warning, nil
	}
	if err != nil {
		return "", outcome.Errorf(outcome.Failed,
			"cannot find out which resources hawser's agents run on this node: %w\n"+
				"wait until `crm_mon -1` answers, or stop Pacemaker on this node first: "+
				"systemctl stop pacemaker",
			err)
	}
	_, known := status.Node(h.Node)
	var used, unmanaged []string
	for _, r := range status.Resources {
		// If the cluster has another name for this node, it may be any of its nodes.
		here := !known || r.Node == h.Node || slices.Contains(r.Nodes, h.Node)
		if !r.Active || !here || !h.isOurs(r.Agent) {
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
		return "", nil
	}
	where := "node " + h.Node
	if !known {
		where = fmt.Sprintf("the cluster, which has no node called %s,", h.Node)
	}
	text := fmt.Sprintf(
		"in use on %s: %s. Without its agent a resource can be neither monitored nor stopped, "+
			"and Pacemaker takes it for failed\n", where, strings.Join(used, ", "))
	if len(unmanaged) > 0 {
		text += fmt.Sprintf(
			"Pacemaker does not manage %s now, and would not stop it: end the maintenance first\n",
			strings.Join(unmanaged, ", "))
	}
	return "", outcome.Errorf(outcome.Failed,
		"%sto move it away first: hawser standby $(crm_node -n) --yes\n"+
			"to take it out of the cluster, on all nodes: hawser destroy",
		text)
}

// processes returns root's processes of a name that are not in a container.
func (h *Host) processes(name string) (pids []string) {
	fs := procfs.FS(h.Proc)
	own, _ := os.Readlink(filepath.Join(h.Proc, "self", "ns", "pid"))
	for _, pid := range fs.RootsNamed(name) {
		if fs.PIDNamespace(pid) == own {
			pids = append(pids, fmt.Sprint(pid))
		}
	}
	return pids
}

// isOurs reports whether the agent is one of hawser's, under its own name or by a link with the
// name of a shell agent.
func (h *Host) isOurs(agent string) bool {
	words := strings.Split(agent, ":")
	if len(words) != 3 || words[0] != "ocf" {
		return agent == contract.FenceDropletAgent
	}
	if words[1] == contract.Provider {
		return true
	}
	target, err := os.Readlink(filepath.Join(h.Agents, words[1], words[2]))
	return err == nil && filepath.Base(filepath.Dir(target)) == contract.Provider
}
