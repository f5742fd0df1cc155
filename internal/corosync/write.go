package corosync

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Cluster is what a corosync.conf is written for: nodes on knet, each with one vote.
type Cluster struct {
	Name string
	// Nodes are listed in this order. A node without an ID gets its position in the list, from 1.
	Nodes []Member
	// Cipher and Hash are crypto_cipher and crypto_hash, "none" if empty.
	Cipher, Hash string
	Timing       Timing
	// LogFile is written in addition to the system's log, with times to the millisecond; none if
	// empty.
	LogFile string
	// StartAlone lets one of two nodes act after its start before it has seen the other
	// (wait_for_all: 0). With a device it means nothing.
	StartAlone bool
	// Device votes too; nil if there is none.
	Device *Device
}

// MaxNodes is how many nodes Corosync accepts (exec/totemsrp.h, PROCESSOR_COUNT_MAX).
const MaxNodes = 384

// hostName is a name that crm_node, scp and a person can use for a node.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$`)

// clusterName is the subset of names that no tool has trouble with.
var clusterName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,15}$`)

// Validate returns everything for which Corosync, or Pacemaker on top of it, would refuse the
// cluster.
func (c Cluster) Validate() error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !clusterName.MatchString(c.Name) {
		say("the cluster's name %q: use 1 to 15 letters, digits, dashes and underscores", c.Name)
	}
	if n := len(c.Nodes); n < 1 || n > MaxNodes {
		say("%d nodes: a cluster has 1 to %d", n, MaxNodes)
	}
	seen := map[string]bool{}
	once := func(word string) {
		word = strings.ToLower(word) // Pacemaker takes LB-1 and lb-1 for one node
		if seen[word] {
			say("%s is given twice", word)
		}
		seen[word] = true
	}
	for _, n := range c.Nodes {
		if !hostName.MatchString(n.Name) {
			say("the node's name %q is not a host name", n.Name)
		}
		once(n.Name)
		if len(n.Addresses) < 1 || len(n.Addresses) > mostLinks {
			say("node %s has %d addresses: give one to %d, each a link of its own",
				n.Name, len(n.Addresses), mostLinks)
		} else if first := c.Nodes[0]; len(n.Addresses) != len(first.Addresses) {
			say("node %s does not have as many addresses as %s (%d, not %d): every link has to "+
				"reach every node", n.Name, first.Name, len(n.Addresses), len(first.Addresses))
		}
		for _, a := range n.Addresses {
			ip, err := netip.ParseAddr(a)
			if err != nil || ip.Zone() != "" {
				say("node %s: %q is not an IP address; give the address itself, so that the "+
					"cluster starts without a name server", n.Name, a)
				continue
			}
			if ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() {
				say("node %s: no other node reaches %s", n.Name, ip)
				continue
			}
			once(ip.String())
		}
	}
	if err := c.Timing.Validate(len(c.Nodes)); err != nil {
		wrong = append(wrong, err)
	}
	if c.Device != nil {
		if err := c.Device.Validate(len(c.Nodes)); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// Conf returns the corosync.conf for the cluster. The same cluster gives the same bytes.
func (c Cluster) Conf() string {
	links := 1
	for _, n := range c.Nodes {
		links = max(links, len(n.Addresses))
	}
	totem := Config{Transport: "knet", Links: links, Kept: []Line{
		{Key: "version", Value: "2"},
		{Key: "cluster_name", Value: c.Name},
		{Key: "transport", Value: "knet"},
		{Key: "crypto_cipher", Value: cmp.Or(c.Cipher, "none")},
		{Key: "crypto_hash", Value: cmp.Or(c.Hash, "none")},
	}}
	var b strings.Builder
	b.WriteString(totem.TotemSection(c.Timing))
	for _, section := range []Line{c.logging(), c.quorum(), c.nodelist()} {
		b.WriteByte('\n')
		write(&b, "", section)
	}
	return b.String()
}

func (c Cluster) logging() Line {
	s := Line{Key: "logging", opens: true, Section: []Line{{Key: "to_logfile", Value: "no"}}}
	if c.LogFile != "" {
		s.Section = []Line{
			{Key: "to_logfile", Value: "yes"},
			{Key: "logfile", Value: c.LogFile},
			{Key: "timestamp", Value: "hires"},
		}
	}
	s.Section = append(s.Section,
		Line{Key: "to_stderr", Value: "no"}, Line{Key: "to_syslog", Value: "yes"})
	return s
}

// quorum gives each of two nodes quorum by itself, once it has seen the other after its start:
// wait_for_all follows from two_node (votequorum(5)). It is not written down, because Corosync
// applies a change of a written wait_for_all only at its next start, even when two_node has been
// removed. With a device there is no two_node: the device's vote decides which of the two goes on.
func (c Cluster) quorum() Line {
	s := Line{Key: "quorum", opens: true, Section: []Line{
		{Key: "provider", Value: "corosync_votequorum"},
	}}
	switch {
	case c.Device != nil:
		s.Section = append(s.Section, c.Device.Line())
	case len(c.Nodes) == 2:
		s.Section = append(s.Section, Line{Key: "two_node", Value: "1"})
		if c.StartAlone {
			s.Section = append(s.Section, Line{Key: "wait_for_all", Value: "0"})
		}
	}
	return s
}

func (c Cluster) nodelist() Line {
	s := Line{Key: "nodelist", opens: true}
	for i, n := range c.Nodes {
		node := Line{Key: "node", opens: true, Section: []Line{
			{Key: "name", Value: n.Name},
			{Key: "nodeid", Value: cmp.Or(n.ID, strconv.Itoa(i+1))},
		}}
		for link, a := range n.Addresses {
			node.Section = append(node.Section,
				Line{Key: fmt.Sprintf("ring%d_addr", link), Value: a})
		}
		s.Section = append(s.Section, node)
	}
	return s
}
