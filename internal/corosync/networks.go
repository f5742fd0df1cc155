package corosync

import "time"

// LAN is for nodes on one Ethernet: the shortest times that kept the membership whole while every
// core was busy, with a margin (docs/timing.md). The coefficient is off, because a failover should
// not take longer with every added node. knet's pings have times of their own, because its thread
// cannot keep those that would follow from so short a token; they decide when one of several links
// is dead, not when a node is lost.
var LAN = Timing{
	Token: 300 * time.Millisecond, PingInterval: 250 * time.Millisecond, PingTimeout: time.Second,
}

// Cloud is for virtual machines in a provider's network, where the host may pause a machine for
// some seconds to migrate it, and where the provider's API takes longer to move an address than
// this takes to give up a node: Corosync's own token, without growth with the cluster, and more
// retransmissions within it.
//
// knet's times are Corosync's defaults for that token. Without them a Corosync that is told to take
// them in place of a LAN's derives them from the token that it had, which knet refuses (3.1.9 says
// so, earlier ones do not).
var Cloud = Timing{Token: 3 * time.Second, Retransmits: 10, PingInterval: 750 * time.Millisecond,
	PingTimeout: 1500 * time.Millisecond}
