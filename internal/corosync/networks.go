package corosync

import "time"

// LAN is for nodes on one Ethernet: the shortest times that kept the membership whole while every
// core was busy, with a margin (docs/timing.md). The coefficient is off, because a failover should
// not take longer for each node more. knet's pings have times of their own, as its thread cannot
// keep those that would follow from so short a token; they say when a link is dead where there are
// several, and nothing about a lost node.
var LAN = Timing{
	Token: 300 * time.Millisecond, PingInterval: 250 * time.Millisecond, PingTimeout: time.Second,
}

// Cloud is for virtual machines in a provider's network, where the host may pause a machine for
// some seconds to move it, and where the provider's API takes longer over an address than this
// takes over a node: Corosync's own token, which does not grow with the cluster, and more tries
// within it.
var Cloud = Timing{Token: 3 * time.Second, Retransmits: 10}
