package main

import (
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// unknownPlace says what is wrong with a resource that runs, as far as Pacemaker knows, on a node that does not answer: until the node is
// fenced Pacemaker only repeats what it last knew, and starts the resource nowhere else.
func unknownPlace(status *crm.Status, r crm.ResourceStatus) (reason string, st state) {
	if r.Node == "" || !offline(status, r.Node) {
		return "", stateOK
	}
	st = stateFailed
	for _, other := range status.Resources {
		if instanceOf(other.ID) == instanceOf(r.ID) && other.Active && other.Node != "" && !offline(status, other.Node) {
			st = stateDegraded // another instance serves
		}
	}
	return r.Node + " is offline, and until it has been fenced Pacemaker does not know what runs there", st
}

func offline(status *crm.Status, node string) bool {
	for _, n := range status.Nodes {
		if n.Name == node {
			return !n.Online
		}
	}
	return false
}

// infinity is Pacemaker's score of something that must be, or must not be.
const infinity = contract.InfinityScore

// banOf is the constraint that keeps a resource, or the clone that it stands in, off a node.
func banOf(status *crm.Status, node string, ids ...string) (crm.Ban, bool) {
	for _, b := range status.Bans {
		for _, id := range ids {
			if b.Node == node && b.Resource == id && b.Score <= -infinity {
				return b, true
			}
		}
	}
	return crm.Ban{}, false
}

// keptOff completes the line of a HAProxy that a constraint keeps off the node. That is as somebody wanted it, except where the constraint
// is what a command like `crm resource move` left behind.
func (h *haproxyReport) keptOff(b crm.Ban) {
	h.Is, h.State = "kept off", stateOK
	h.Reason = "the constraint " + b.ID + " keeps it off this node"
	if strings.HasPrefix(b.ID, contract.BanPrefix) {
		h.State = stateDegraded
		h.Reason += ": `crm resource clear " + b.Resource + "` ends that"
	}
}

// nodeHere is the name that the cluster has for this machine: its host name, or that without the domain.
func nodeHere(status *crm.Status, host string) string {
	for _, n := range status.Nodes {
		if n.Name == host {
			return host
		}
	}
	for _, n := range status.Nodes {
		if strings.EqualFold(shortName(n.Name), shortName(host)) {
			return n.Name
		}
	}
	return host
}

func shortName(host string) string {
	short, _, _ := strings.Cut(host, ".")
	return short
}

// missSockets says of an agent's HAProxy that should run on this node, and whose socket is not there to be asked, that it was not asked.
func (r *statusReport) missSockets(status *crm.Status, here, runDir string) {
	ours := map[string]bool{}
	for _, res := range status.Resources {
		if res.Active && res.Role != "Starting" && res.Role != "Stopping" && res.Node == here && strings.HasPrefix(res.Agent, "ocf:"+contract.Provider+":") {
			ours[instanceOf(res.ID)] = true
		}
	}
	for i := range r.HAProxy {
		if h := &r.HAProxy[i]; h.Node == here && ours[h.Resource] && h.Socket == nil {
			h.Socket = &sourceReport{Error: "there is no " + contract.FilesOf(runDir, h.Resource).StatsSocket()}
			h.State = worst(h.State, stateDegraded)
			r.State = worst(r.State, h.State)
		}
	}
}
