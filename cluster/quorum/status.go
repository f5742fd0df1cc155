package quorum

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// The states of a device.
const (
	// None means: there is no device, and nothing of one.
	None = "none"
	// Working means: every node has it, hears from it, and counts its vote.
	Working = "working"
	// HalfMade means: a change was begun and has not been finished.
	HalfMade = "half-made"
	// Disconnected means: all is set up, and a node does not hear from it.
	Disconnected = "disconnected"
	// Unknown means: not every node could be asked, and those that were are as they should be.
	Unknown = "unknown"
)

// Status is `hawser quorum status --json`.
type Status struct {
	// State is none, working, half-made, disconnected or unknown.
	State string `json:"state"`
	// Cluster is the cluster's name, by which corosync-qnetd knows it.
	Cluster string `json:"cluster"`
	// Host is where corosync-qnetd is; missing if there is no device.
	Host string `json:"host,omitempty"`
	// Algorithm is ffsplit or lms; missing if there is no device.
	Algorithm string `json:"algorithm,omitempty"`
	// Quorate says whether the node that was asked first has quorum.
	Quorate bool `json:"quorate"`
	// Expected is how many votes there are, by this node's Corosync.
	Expected int `json:"expected_votes"`
	// Total is how many of them are there.
	Total int `json:"total_votes"`
	// Needed is how many make a quorum.
	Needed int `json:"needed_votes"`
	// DeviceVotes are the device's among them.
	DeviceVotes int `json:"device_votes"`
	// Nodes are the cluster's.
	Nodes []NodeStatus `json:"nodes"`
	// Problems are what is not as it should be, each with what to do.
	Problems []string `json:"problems"`
}

// NodeStatus is how the device is on a node.
type NodeStatus struct {
	// Name is the node's.
	Name string `json:"name"`
	// Error says why the node could not be asked; then the rest is not known. Missing if it was.
	Error string `json:"error,omitempty"`
	// Configured says whether its corosync.conf has the device.
	Configured bool `json:"configured"`
	// InForce says whether its Corosync has taken that over.
	InForce bool `json:"in_force"`
	// Certificates says whether it has its certificates.
	Certificates bool `json:"certificates"`
	// Running says whether corosync-qdevice runs, Enabled whether it starts at boot.
	Running bool `json:"running"`
	// Enabled says whether corosync-qdevice starts at boot.
	Enabled bool `json:"enabled"`
	// Connected says whether it hears from corosync-qnetd.
	Connected bool `json:"connected"`
	// Counted says whether its Corosync counts the device's vote for it.
	Counted bool `json:"counted"`
}

// how is how the device is.
func how(c machines.Cluster) Status {
	keys := c.Base.Keys()
	d := corosync.DeviceOf(keys, corosync.Votes{})
	s := Status{
		Cluster: c.Name, Host: d.Host, Algorithm: d.Algorithm, Nodes: []NodeStatus{},
		Problems: []string{},
	}
	if here := c.Node(c.Here); here != nil && here.Running != nil {
		v := here.Votes
		s.Quorate, s.Expected, s.Total, s.Needed = v.Quorate, v.Expected, v.Total, v.Needed
		s.DeviceVotes = v.DeviceVotes
	}
	needsTLS := keys["quorum.device.net.tls"] != "off"
	anything := d.Configured
	for _, n := range c.Nodes {
		st := nodeStatus(n, c.Name)
		s.Nodes = append(s.Nodes, st)
		anything = anything || st.Configured || st.InForce || st.Running || n.CA != nil
	}
	switch {
	case !anything:
		s.State = None
	case d.Configured:
		s.judge(c, d, needsTLS)
	default:
		s.leftovers()
	}
	for _, n := range s.Nodes {
		if n.Error != "" {
			if s.State == None || s.State == Working {
				s.State = Unknown
			}
			s.Problems = append(s.Problems, n.Name+" could not be asked: "+n.Error)
		}
	}
	return s
}

func nodeStatus(n machines.Node, cluster string) NodeStatus {
	st := NodeStatus{Name: n.Name}
	if err := n.Unknown(); err != nil {
		st.Error = err.Error()
		return st
	}
	st.Configured = n.Written["quorum.device.model"] != ""
	st.InForce = n.Running["quorum.device.model"] != ""
	st.Certificates = complete(n, cluster)
	st.Running, st.Enabled = n.Active(unit) || n.QDevice != nil, n.Enabled(unit)
	st.Connected = n.QDevice != nil && n.QDevice.Connected()
	st.Counted = corosync.DeviceOf(n.Running, n.Votes).Votes
	return st
}

// judge says what is wrong with a device that is configured.
func (s *Status) judge(c machines.Cluster, d corosync.DeviceState, needsTLS bool) {
	again := fmt.Sprintf("`hawser quorum device add %s --algorithm %s` goes on with what is missing",
		d.Host, d.Algorithm)
	s.State = Working
	half := func(format string, args ...any) {
		s.State = HalfMade
		s.Problems = append(s.Problems, fmt.Sprintf(format, args...)+": "+again)
	}
	missing := func(has func(NodeStatus) bool) string {
		var names []string
		for _, n := range s.Nodes {
			if n.Error == "" && !has(n) {
				names = append(names, n.Name)
			}
		}
		return strings.Join(names, ", ")
	}
	if names := missing(func(n NodeStatus) bool { return n.Configured }); names != "" {
		half("%s does not have the device in its corosync.conf", names)
	}
	if names := missing(func(n NodeStatus) bool { return n.Certificates || !needsTLS }); names != "" {
		half("%s does not have the certificates for it", names)
	}
	stopped := func(name string) bool { n := c.Node(name); return n != nil && !n.Member() }
	if names := missing(func(n NodeStatus) bool { return n.InForce || stopped(n.Name) }); names != "" {
		half("Corosync on %s has not taken it over", names)
	}
	runs := func(n NodeStatus) bool { return n.Running && n.Enabled || stopped(n.Name) }
	if names := missing(runs); names != "" {
		half("corosync-qdevice on %s does not run, or does not start at boot", names)
	}
	if s.State == HalfMade {
		return
	}
	if names := missing(func(n NodeStatus) bool { return n.Connected || stopped(n.Name) }); names != "" {
		s.State = Disconnected
		s.Problems = append(s.Problems, fmt.Sprintf("%s does not hear from %s: `corosync-qdevice-tool -s` "+
			"there says more; corosync-qnetd has to run there, and to be reached at TCP port %d. Until then "+
			"the loss of half of the nodes stops the rest", names, d.Host, corosync.QnetdPort))
	}
	var down []string
	for _, n := range c.Nodes {
		if n.Unknown() == nil && !n.Member() {
			down = append(down, n.Name)
		}
	}
	if len(down) > 0 {
		s.Problems = append(s.Problems, "Corosync does not run on "+strings.Join(down, ", "))
	}
	if d.Algorithm == corosync.FFSplit && len(c.Nodes)%2 != 0 {
		s.Problems = append(s.Problems, fmt.Sprintf("ffsplit is for an even number of nodes, and there are "+
			"%d: add or remove one (`hawser corosync add`, `remove`), or use lms", len(c.Nodes)))
	}
}

// leftovers says what is left of a device that is not configured, or not yet.
func (s *Status) leftovers() {
	s.State = HalfMade
	only := !slices.ContainsFunc(s.Nodes, func(n NodeStatus) bool {
		return n.Configured || n.InForce || n.Running
	})
	if only {
		s.Problems = append(s.Problems, "some nodes have certificates for a device that is not "+
			"configured; nothing uses them. `hawser quorum device add HOST` goes on, `hawser quorum device "+
			"remove` removes them")
		return
	}
	s.Problems = append(s.Problems, "a device that is not configured any more is still running or in force "+
		"on some nodes: `hawser quorum device remove` goes on with its removal")
}

// Text is the status for people.
func (s Status) Text() string {
	var b strings.Builder
	switch {
	case s.State == None:
		fmt.Fprintf(&b, "Cluster %s has no quorum device.\n", s.Cluster)
	case s.Host == "":
		fmt.Fprintf(&b, "Cluster %s has no quorum device, but something is left of one: %s.\n", s.Cluster,
			s.State)
	default:
		fmt.Fprintf(&b, "Cluster %s has a quorum device at %s, with %s: %s.\n", s.Cluster, s.Host,
			s.Algorithm, s.State)
	}
	if s.Expected > 0 {
		quorum := "quorum"
		if !s.Quorate {
			quorum = "NO QUORUM"
		}
		fmt.Fprintf(&b, "%s: %d of %d votes, %d needed; %d of the device.\n", quorum, s.Total, s.Expected,
			s.Needed, s.DeviceVotes)
	}
	b.WriteString("\n")
	width := len("node")
	for _, n := range s.Nodes {
		width = max(width, len(n.Name))
	}
	fmt.Fprintf(&b, "%-*s  conf  in force  certificates  daemon   connected  vote\n", width, "node")
	word := func(yes bool) string {
		if yes {
			return "yes"
		}
		return "no"
	}
	for _, n := range s.Nodes {
		if n.Error != "" {
			fmt.Fprintf(&b, "%-*s  ?     ?         ?             ?        ?          ?\n", width, n.Name)
			continue
		}
		daemon := word(n.Running)
		if n.Running && !n.Enabled {
			daemon = "not at boot"
		}
		fmt.Fprintf(&b, "%-*s  %-4s  %-8s  %-12s  %-7s  %-9s  %s\n", width, n.Name, word(n.Configured),
			word(n.InForce), word(n.Certificates), daemon, word(n.Connected), word(n.Counted))
	}
	return b.String()
}
