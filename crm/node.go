package crm

import (
	"slices"
	"strings"
)

// Infinity is Pacemaker's score of what must be, and InfinityWord how a configuration says it; its
// negative is the score of what must not be.
const (
	Infinity     = 1_000_000
	InfinityWord = "INFINITY"
)

// SameHost compares host names without their domains.
func SameHost(a, b string) bool {
	a, _, _ = strings.Cut(a, ".")
	b, _, _ = strings.Cut(b, ".")
	return strings.EqualFold(a, b)
}

// NodeOf is the name that the cluster has for a machine: its host name, or that without the domain;
// the host name if the cluster has no such node.
func (s *Status) NodeOf(host string) string {
	for _, n := range s.Nodes {
		if n.Name == host {
			return host
		}
	}
	for _, n := range s.Nodes {
		if SameHost(n.Name, host) {
			return n.Name
		}
	}
	return host
}

// Node is the node of that name.
func (s *Status) Node(name string) (NodeStatus, bool) {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return NodeStatus{}, false
}

// Offline says whether the node is known and not online.
func (s *Status) Offline(node string) bool {
	n, ok := s.Node(node)
	return ok && !n.Online
}

// Attribute is the value of a node attribute on a node.
func (s *Status) Attribute(node, name string) (string, bool) {
	n, _ := s.Node(node)
	value, ok := n.Attributes[name]
	return value, ok
}

// BanOf is the constraint that keeps one of the resources off a node.
func (s *Status) BanOf(node string, ids ...string) (Ban, bool) {
	for _, b := range s.Bans {
		if b.Node == node && b.Score <= -Infinity && slices.Contains(ids, b.Resource) {
			return b, true
		}
	}
	return Ban{}, false
}

// What begins the ids of the constraints that commands leave behind: `crm_resource --ban` and what
// crmsh makes of it, `crm_resource --move`, and a ban of older versions of Pacemaker.
const (
	BanPrefix     = "cli-ban-"
	PreferPrefix  = "cli-prefer-"
	StandbyPrefix = "cli-standby-"
)

// ByCommand says whether a command such as `crm resource ban` or `crm resource move` left the
// constraint behind.
func (b Ban) ByCommand() bool { return strings.HasPrefix(b.ID, BanPrefix) }

// InstanceOn is the instance of a resource that is active on a node.
func (s *Status) InstanceOn(resource, node string) (ResourceStatus, bool) {
	for _, r := range s.Resources {
		if ResourceOf(r.ID) == resource && r.Active && slices.Contains(r.Nodes, node) {
			return r, true
		}
	}
	return ResourceStatus{}, false
}

// Leaving says why a node runs nothing, or soon will run nothing.
func (n NodeStatus) Leaving() (why string, leaving bool) {
	switch {
	case !n.Online:
		return "the node is offline", true
	case n.Unclean:
		return "the node is unreachable and has not been fenced", true
	case n.Shutdown:
		return "the node is shutting down", true
	case n.Standby:
		return "the node is in standby", true
	}
	return "", false
}

// IsFencing says whether the resource is a fencing device.
func (r ResourceStatus) IsFencing() bool { return strings.HasPrefix(r.Agent, "stonith:") }

// In says whether the resource is one of the ids, or inside one.
func (r ResourceStatus) In(ids []string) bool {
	return slices.Contains(ids, ResourceOf(r.ID)) || slices.Contains(ids, r.Parent)
}

// Members lists the nodes that run Corosync, sorted by name. Pacemaker's remote nodes are not among
// them.
func (c *CIB) Members() []string {
	var out []string
	for _, o := range c.objects() {
		if n, ok := o.(*Node); ok && (n.Type == "" || n.Type == "member") {
			out = append(out, n.Uname)
		}
	}
	slices.Sort(out)
	return out
}
