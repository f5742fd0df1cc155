package totem

import "time"

// LAN is for nodes on one Ethernet that keep Corosync's real-time priority: the shortest times that kept the membership whole while
// every core was busy (docs/timing.md). The coefficient is off, because a failover should not take longer for a third node.
var LAN = Timing{Token: time.Second}
