package lab

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// Status is the state of a lab at one moment. For each source that could not be queried there is an
// error.
type Status struct {
	Name  string
	Since time.Time
	Nodes []NodeStatus
	Cuts  [][2]string
	// RingCuts are the pairs between which only Corosync's messages are dropped.
	RingCuts [][2]string `json:",omitempty"`
	// Links are those that are slow, lossy, or cut in one direction.
	Links   []Link   `json:",omitempty"`
	Cluster *Cluster `json:",omitempty"`
	// Floating are the cloud's addresses and the nodes that hold them, "" for none.
	Floating   map[string]string
	Faults     []cloud.Fault
	ActionTime time.Duration
	// ClusterError and CloudError say why Cluster and the cloud's part are missing.
	ClusterError string `json:",omitempty"`
	CloudError   string `json:",omitempty"`
}

// NodeStatus is a node and whether its power is on.
type NodeStatus struct {
	Node
	Running bool
	PID     int `json:",omitempty"` // of its PID 1, as the machine numbers it
}

// Status queries all of them.
func (l *Lab) Status(ctx context.Context) Status {
	s := Status{Name: l.spec.Name, Since: l.spec.Started, Floating: map[string]string{}}
	for _, n := range l.spec.Nodes {
		p, err := l.initOf(n.Name)
		st := NodeStatus{Node: n, Running: err == nil}
		if st.Running {
			st.PID = p.PID
		}
		s.Nodes = append(s.Nodes, st)
	}
	// unreadable: shown as none, as the rest is worth more than nothing
	f, _ := l.faults()
	s.Cuts, s.RingCuts = f.Cuts, f.RingCuts
	for _, link := range f.Links {
		link.Dead = len(link.Flows) > 0 && !link.Relay.alive()
		s.Links = append(s.Links, link.Link)
	}
	if c, err := l.Cluster(ctx, ""); err != nil {
		s.ClusterError = err.Error()
	} else {
		s.Cluster = &c
	}
	state, err := l.Cloud().State(ctx)
	if err != nil {
		s.CloudError = err.Error()
	}
	for _, r := range state.Reserved {
		s.Floating[r.IP.String()] = l.dropletName(r.Droplet)
	}
	s.Faults, s.ActionTime = state.Faults, state.ActionTime
	return s
}
