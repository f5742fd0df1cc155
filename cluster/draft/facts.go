package draft

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/haproxy"
)

// Facts are what is known of a machine and its cluster. What is not known is the zero value.
type Facts struct {
	Node       string // the name of this machine, in the cluster if there is one
	Cluster    Cluster
	Interfaces []Interface // those that are up
	HAProxy    HAProxy
	Droplet    Droplet
	// NotSeen says what could not be looked at, and why, in sentences.
	NotSeen []string
}

// Cluster is what is known of the cluster.
type Cluster struct {
	Members []Member
	// Known says that its configuration was read: what is not in the following is not there.
	Known bool
	Setup Setup
	// IDs are the ids of what is in its configuration.
	IDs []string
	// Holders are the resources that hold addresses.
	Holders map[netip.Addr]string
	Fencing Fencing
	// Device is the host of its quorum device, "" if it has none.
	Device string
}

// Member is a node of the cluster.
type Member struct {
	Name  string
	Links []netip.Addr // at which Corosync reaches it
}

// Maker is who has made what a cluster runs.
type Maker string

// Who may have made it.
const (
	Nobody  Maker = "none"    // it has no HAProxy
	Hawser  Maker = "hawser"  // hawser, from a hawser.yaml
	ByHand  Maker = "by-hand" // somebody with crm, pcs or `hawser configure`
	Unknown Maker = "unknown" // there is no cluster, or it could not be asked
)

// Setup is what a cluster runs already.
type Setup struct {
	Maker Maker
	// HAProxies are those of the cluster, each with its agent.
	HAProxies []string
	// From is the file, and where it is, of which hawser made it; "" if that is not known.
	From string
}

// Next is the command that is right for the cluster as it is.
func (s Setup) Next() string {
	switch s.Maker {
	case Hawser:
		return "hawser plan"
	case ByHand:
		return "hawser adopt --dry-run"
	}
	return "hawser check"
}

// sentence says what the cluster runs already, and which command is right then.
func (s Setup) sentence() []string {
	switch s.Maker {
	case Hawser:
		from := "which one is not noted in the cluster"
		if s.From != "" {
			from = "last from " + s.From
		}
		return []string{fmt.Sprintf("The cluster has a set-up that hawser made from a hawser.yaml, %s. "+
			"Change that file and apply it again: this draft knows nothing of what it says, and would "+
			"take it back.", from)}
	case ByHand:
		one := "The cluster runs " + strings.Join(s.HAProxies, " and ") + " already"
		return []string{one + ", made by hand. `hawser adopt` takes such a set-up into a hawser.yaml " +
			"(`hawser adopt --dry-run` shows it and changes nothing), and `hawser import crm` prints " +
			"that file with what to do, step by step. This draft is for a cluster without one."}
	}
	return nil
}

// Fencing is what makes sure that unreachable nodes are down.
type Fencing struct {
	// Off says that the cluster's configuration switches fencing off.
	Off bool
	// Devices are the fence devices that nothing keeps stopped, each with its agent.
	Devices []string
	// SBD says that SBD runs on this node, Timeout its SBD_WATCHDOG_TIMEOUT, and Disks its disks.
	SBD     bool
	Timeout time.Duration
	Disks   string
	// Watchdogs says that unreachable nodes are left to their watchdogs.
	Watchdogs bool
}

// Interface is a network interface of this machine, its addresses in the kernel's order.
type Interface struct {
	Name     string
	Loopback bool
	Prefixes []netip.Prefix
}

// HAProxy is what is known of HAProxy's configuration on this machine.
type HAProxy struct {
	// File is the file or directory that was looked for.
	File string
	// Sources are its files, nil if it is not there or could not be read.
	Sources []haproxy.Source
	// Complaint is what HAProxy says against it, "" if it takes it or was not asked.
	Complaint string
}

// Droplet is what DigitalOcean's metadata service says.
type Droplet struct {
	ID string // "" if this machine is none
	// Anchor is its anchor address, Reserved those that lead here now.
	Anchor   netip.Addr
	Reserved []netip.Addr
}
