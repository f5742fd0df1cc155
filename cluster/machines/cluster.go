package machines

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Cluster is what was found on all nodes of a cluster.
type Cluster struct {
	// Name is totem.cluster_name, "" if there is none.
	Name string
	// Here is this node. Nodes are all, in the nodelist's order.
	Here  string
	Nodes []Node
	// Base is the corosync.conf of the highest config_version, which a change starts from, BaseText
	// how it is written, and BaseOf a node that has it.
	Base             *corosync.Document
	BaseText, BaseOf string
}

// Find asks this machine, and then every node of its corosync.conf.
func (r Reach) Find(ctx context.Context) (Cluster, error) {
	self, nodes, err := r.Self(ctx)
	if err != nil {
		return Cluster{}, err
	}
	return find(ctx, r.Shell(self.Name), self.Conf, nodes, self.Name)
}

// find asks all nodes. text is the corosync.conf of this node, and here its name in there.
func find(ctx context.Context, on Shell, text string, nodes []corosync.Member, here string) (
	Cluster, error,
) {
	names := make([]string, len(nodes))
	for i, m := range nodes {
		names[i] = m.Label()
	}
	c := Cluster{Here: here, Nodes: Nodes(ctx, on, names)}
	if ctx.Err() != nil {
		return c, outcome.Untouched(ctx, ctx.Err())
	}
	for i, m := range nodes {
		c.Nodes[i].Expect(m)
	}
	base, err := corosync.ParseDocument(text)
	if err != nil {
		return c, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	c.Base, c.BaseText, c.BaseOf = base, text, here
	for _, n := range c.Nodes {
		if n.Err != nil || n.Conf == "" || n.ConfErr != nil {
			continue
		}
		d, err := corosync.ParseDocument(n.Conf)
		if err == nil && d.Version() > c.Base.Version() {
			c.Base, c.BaseText, c.BaseOf = d, n.Conf, n.Name
		}
	}
	c.Name = c.Base.Keys()["totem.cluster_name"]
	return c, nil
}

// Self asks this machine alone, and returns the nodes of its corosync.conf.
func (r Reach) Self(ctx context.Context) (Node, []corosync.Member, error) {
	here := r.Here
	self := AskNode(ctx, r.Shell(here), here)
	switch {
	case self.Err != nil:
		return self, nil, outcome.Untouched(ctx, self.Err)
	case self.Conf == "":
		return self, nil, outcome.Errorf(outcome.Unavailable, "there is no %s here: run this on a node of "+
			"the cluster; nothing was changed", corosync.ConfFile)
	case self.ConfErr != nil:
		return self, nil, outcome.Usagef("%s: %w; nothing was changed", corosync.ConfFile, self.ConfErr)
	}
	nodes := self.Written.Members()
	for _, m := range nodes {
		if m.Label() == here || m.Label() == self.Hostname {
			self.Name = m.Label()
			return self, nodes, nil
		}
	}
	for _, m := range nodes {
		if slices.ContainsFunc(m.Addresses, func(a string) bool {
			return slices.Contains(self.Addresses, a)
		}) {
			self.Name = m.Label()
			return self, nodes, nil
		}
	}
	return self, nil, outcome.Usagef("this machine, %s, is none of the nodes of its %s; nothing was changed",
		here, corosync.ConfFile)
}

// Assumed is a cluster of which only the file of this node is known, as it is when all is well: for
// steps that somebody carries out himself.
func Assumed(self Node, nodes []corosync.Member) (Cluster, error) {
	base, err := corosync.ParseDocument(self.Conf)
	if err != nil {
		return Cluster{}, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	c := Cluster{
		Name: base.Keys()["totem.cluster_name"], Here: self.Name, Base: base, BaseText: self.Conf,
		BaseOf: self.Name,
	}
	for _, m := range nodes {
		n := Node{Name: m.Label(), Running: corosync.Keys{}, Assumed: true}
		if m.Label() == self.Name {
			n.KeySum, n.HasP12 = self.KeySum, true
		}
		c.Nodes = append(c.Nodes, n)
	}
	return c, nil
}

// Expect makes an error of a machine that is another one: it must have an address of the node.
func (n *Node) Expect(m corosync.Member) {
	if n.Err != nil || len(n.Addresses) == 0 {
		return
	}
	var wanted []string
	for _, a := range m.Addresses {
		ip, err := netip.ParseAddr(a)
		if err != nil {
			return // a name, which this machine may resolve to another address
		}
		if slices.Contains(n.Addresses, ip.String()) {
			return
		}
		wanted = append(wanted, ip.String())
	}
	n.Err = fmt.Errorf("the machine that answers as %s calls itself %s and does not have the address "+
		"%s of the nodelist: it is another machine", n.Name, n.Hostname, strings.Join(wanted, " or "))
}

// Node returns the node of a name, nil if there is none.
func (c *Cluster) Node(name string) *Node {
	for i := range c.Nodes {
		if c.Nodes[i].Name == name {
			return &c.Nodes[i]
		}
	}
	return nil
}

// Without is the cluster without a node.
func (c *Cluster) Without(name string) Cluster {
	less := *c
	less.Nodes = slices.DeleteFunc(slices.Clone(c.Nodes),
		func(n Node) bool { return n.Name == name })
	return less
}

// Names are those of all nodes.
func (c *Cluster) Names() []string {
	var names []string
	for _, n := range c.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// Answering is nil if all nodes were asked, and else an error with what can be done.
func (c *Cluster) Answering() error {
	var wrong []string
	for _, n := range c.Nodes {
		if err := n.Unknown(); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return outcome.Errorf(outcome.Unavailable, "%s\nevery node needs the same corosync.conf. Fix that, or "+
		"say with --ssh how hawser reaches a node, or with --print see what to type yourself; a node "+
		"that is gone for good is removed with `hawser corosync remove NODE`; nothing was changed",
		strings.Join(wrong, "\n"))
}

// Joined lists the nodes that this node's Corosync sees, itself too.
func (c *Cluster) Joined() []string {
	var all []string
	here := c.Node(c.Here)
	if here == nil || here.Running == nil {
		return nil
	}
	for _, m := range here.Running.Members() {
		if here.Running["runtime.members."+m.ID+".status"] == "joined" {
			all = append(all, m.Label())
		}
	}
	return all
}

// Quorate is nil if this node has quorum, and else an error.
func (c *Cluster) Quorate() error {
	here := c.Node(c.Here)
	switch {
	case here == nil || here.Running == nil:
		return outcome.Errorf(outcome.Unavailable, "Corosync does not answer on this node: "+
			"`systemctl start corosync pacemaker`; nothing was changed")
	case !here.Votes.Quorate:
		return outcome.Errorf(outcome.Unavailable, "this node has no quorum: it sees %s. A change of "+
			"the votes is not for one part of a cluster; bring the others back first; nothing was "+
			"changed", strings.Join(c.Joined(), ", "))
	}
	return nil
}

// Keeps is nil if the nodes that are there make a quorum by themselves, with what a change makes of
// the votes, and else an error. by says what changes the votes; device are votes of a quorum device
// that stay meanwhile.
func (c *Cluster) Keeps(by string, after corosync.Tally, device int, without ...string) error {
	present := device
	var missing []string
	joined := c.Joined()
	for _, name := range sortedNames(after.Each) {
		switch {
		case slices.Contains(without, name):
		case slices.Contains(joined, name):
			present += after.Each[name]
		default:
			missing = append(missing, name)
		}
	}
	if present >= after.Needed {
		return nil
	}
	text := fmt.Sprintf("%s would lose the quorum: it takes %d of %d votes then, and there are %d",
		by, after.Needed, after.Expected, present)
	if len(missing) > 0 {
		text += " without " + strings.Join(missing, ", ")
	}
	return outcome.Errorf(outcome.Unavailable, "%s. Pacemaker would stop everything. Bring the missing "+
		"nodes back first; nothing was changed", text)
}

func sortedNames(each map[string]int) []string {
	var all []string
	for name := range each {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Alike is nil if the files of all nodes say the same but for what ours changes, and else an error:
// what is different on one node would be written to all, or lost.
func (c *Cluster) Alike(ours func(key string) bool) error {
	for _, n := range c.Nodes {
		if n.Err != nil {
			continue
		}
		if n.Conf == "" {
			return outcome.Usagef("%s has no %s: copy it from another node; nothing was changed", n.Name,
				corosync.ConfFile)
		}
		differences, err := corosync.Compare(n.Conf, c.Base.Text())
		if err != nil {
			return outcome.Usagef("%s of %s: %w; nothing was changed", corosync.ConfFile, n.Name, err)
		}
		for _, d := range differences {
			if !ours(d.Key) {
				return outcome.Usagef("%s is not the same on %s and %s: %s. Make it the same on every "+
					"node first, and reload it; nothing was changed", corosync.ConfFile, n.Name, c.BaseOf, d)
			}
		}
	}
	return nil
}

// Next is the version that a changed file gets: after all that there are.
func (c *Cluster) Next() uint64 {
	var highest uint64
	for _, n := range c.Nodes {
		if d, err := corosync.ParseDocument(n.Conf); n.Err == nil && err == nil {
			highest = max(highest, d.Version())
		}
	}
	return max(highest, c.Base.Version()) + 1
}

// WriteConf are the steps that give every one of the nodes the file, where it has another one.
func (c *Cluster) WriteConf(text string, nodes ...string) []Step {
	var steps []Step
	for _, n := range c.Nodes {
		if !slices.Contains(nodes, n.Name) || n.Conf == text {
			continue
		}
		steps = append(steps, ConfStep(n, text))
	}
	return steps
}

// ConfStep writes a node's corosync.conf.
func ConfStep(node Node, text string) Step {
	return Step{
		On: node.Name, Does: "write corosync.conf (the one before is kept as corosync.conf.old)",
		Input: &Text{Name: "corosync.conf", Bytes: []byte(text)},
		Into:  corosync.ConfFile, Mode: "0644", Kept: true, Was: node.Conf,
		Fix: "nothing is in force yet: run the command again when the node answers",
	}
}

// Reload are the steps that have every running Corosync take over the file, and wait until it has:
// proof is a command line that succeeds then.
func (c *Cluster) Reload(proof string, nodes ...string) []Step {
	steps := []Step{{
		On: c.Here, Does: "have Corosync take it over, on every node at once",
		Line: "corosync-cfgtool -R",
		Fix: "the old configuration is in force. `journalctl --boot --unit corosync -n 20` says why; " +
			"fix it and run the command again, or put corosync.conf.old back on every node",
	}}
	for _, name := range nodes {
		if n := c.Node(name); n != nil && !n.Member() {
			continue
		}
		steps = append(steps, Step{
			On: name, Does: "wait until Corosync has taken it over", Line: proof, Until: true,
			Fix: "`journalctl --boot --unit corosync -n 20` on " + name + " says why Corosync there goes " +
				"on with what it had; then run the command again",
		})
	}
	return steps
}

// Changed returns the file with a change and a config_version of its own, or as it is written if
// the change changes nothing.
func (c *Cluster) Changed(change func(*corosync.Document)) (text string, keys corosync.Keys, err error) {
	d, err := corosync.ParseDocument(c.BaseText)
	if err != nil {
		return "", nil, err
	}
	change(d)
	differences, err := corosync.Compare(c.BaseText, d.Text())
	if err != nil {
		return "", nil, err
	}
	if len(differences) == 0 {
		return c.BaseText, c.Base.Keys(), nil
	}
	d.SetVersion(c.Next())
	return d.Text(), d.Keys(), nil
}
