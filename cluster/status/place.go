package status

import (
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// unknownPlace says what is wrong with a resource that runs, as far as Pacemaker knows, on a node
// that does not answer: until the node is fenced Pacemaker only repeats what it last knew, and does
// not start the resource elsewhere.
func unknownPlace(status *crm.Status, r crm.ResourceStatus) (reason string, st State) {
	if r.Node == "" || !status.Offline(r.Node) {
		return "", OK
	}
	st = Failed
	for _, other := range status.Resources {
		if crm.ResourceOf(other.ID) == crm.ResourceOf(r.ID) && other.Active && other.Node != "" &&
			!status.Offline(other.Node) {
			st = Degraded // another instance serves
		}
	}
	return r.Node +
		" is offline, and until it has been fenced Pacemaker does not know what runs there", st
}

// keptOff completes the line of a HAProxy that a constraint keeps off the node. Somebody wanted it
// that way, unless the constraint was left behind by a command like `crm resource move`.
func (h *HAProxy) keptOff(b crm.Ban) {
	h.Is, h.State = KeptOff, OK
	h.Reason = "the constraint " + b.ID + " keeps it off this node"
	if b.ByCommand() {
		h.State = Degraded
		h.Reason += ": `crm resource clear " + b.Resource + "` ends that"
	}
}

// missSockets notes for each of an agent's HAProxies that should run on this node and have no
// socket that they could not be asked.
func (r *Report) missSockets(status *crm.Status, here, runDir string) {
	ours := map[string]bool{}
	for _, res := range status.Resources {
		if res.Active && res.Role != "Starting" && res.Role != "Stopping" && res.Node == here &&
			res.Agent == contract.HAProxyAgent {
			ours[crm.ResourceOf(res.ID)] = true
		}
	}
	for i := range r.HAProxy {
		if h := &r.HAProxy[i]; h.Node == here && ours[h.Resource] && h.Socket == nil {
			h.Socket = &Source{Error: "there is no " + contract.FilesOf(runDir,
				h.Resource).StatsSocket()}
			h.State = worst(h.State, Degraded)
			r.State = worst(r.State, h.State)
		}
	}
}
