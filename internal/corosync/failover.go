package corosync

import "time"

// Failover is how the time from the death of a node until another one serves its address is spent,
// in milliseconds: `hawser timing --json`.
type Failover struct {
	// Source is where the times come from: the running Corosync, a file, or `--for`.
	Source string `json:"source"`
	// Nodes is how many nodes they are for.
	Nodes int `json:"nodes"`
	// Token is Corosync's token time with that many nodes.
	Token float64 `json:"token_ms"`
	// Retransmit is after how long a lost token is sent again.
	Retransmit float64 `json:"token_retransmit_ms"`
	// Consensus is how long the nodes wait for a lost one to rejoin.
	Consensus float64 `json:"consensus_ms"`
	// Join is how long they wait for join messages.
	Join float64 `json:"join_ms"`
	// PingEvery is how often a link is tried.
	PingEvery float64 `json:"knet_ping_interval_ms,omitempty"`
	// PingTimeout is after how long without an answer a link is down.
	PingTimeout float64 `json:"knet_ping_timeout_ms,omitempty"`
	// Steps are the parts of the time, in their order.
	Steps []FailoverStep `json:"steps"`
	// NodeLost is their sum: from the death of a node until another serves its address.
	NodeLost float64 `json:"node_lost_ms"`
	// Findings are settings worth a look.
	Findings []Finding `json:"findings"`
	// Section is the totem section for corosync.conf; only with `--for`.
	Section string `json:"totem_section,omitempty"`
}

// FailoverStep is a part of that time.
type FailoverStep struct {
	// Name is the part's.
	Name Step `json:"step"`
	// MS is how long it takes at most, or about.
	MS float64 `json:"ms"`
	// Setting says which settings change it; missing if none of Corosync's does.
	Setting string `json:"setting,omitempty"`
	// Text is what happens in that time.
	Text string `json:"text"`
}

// Step is a part of the time from the death of a node until another serves its address.
type Step string

// The steps, in their order.
const (
	StepToken      Step = "token"      // until the lost node is missed
	StepConsensus  Step = "consensus"  // until the others go on without it
	StepPacemaker  Step = "Pacemaker"  // until it has decided
	StepController Step = "controller" // until another node decides, if the lost one did
	StepAddress    Step = "address"    // until the address is there
)

// What follows the new membership, measured on clusters of two and three on one two-core machine
// (docs/timing.md).
const (
	pacemakerDecides = 50 * time.Millisecond
	controllerLost   = 1100 * time.Millisecond
	addressStarts    = 50 * time.Millisecond
)

// FailoverOf says how the time is spent with the times in effect; source says where those come
// from.
func FailoverOf(source string, e Effective) *Failover {
	inMS := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r := &Failover{
		Source: source, Nodes: e.Nodes, Token: inMS(e.Token), Retransmit: inMS(e.TokenRetransmit),
		Consensus: inMS(e.Consensus), Join: inMS(e.Join),
		PingEvery: inMS(e.PingInterval), PingTimeout: inMS(e.PingTimeout), Findings: []Finding{},
	}
	r.Steps = []FailoverStep{
		{Name: StepToken, MS: r.Token, Setting: "token, token_coefficient",
			Text: "at most this long until the other nodes miss the token that the failed one " +
				"should have passed on"},
		{Name: StepConsensus, MS: r.Consensus, Setting: "consensus",
			Text: "until they give up waiting for the failed node to rejoin, and form a " +
				"membership without it"},
		{Name: StepPacemaker, MS: inMS(pacemakerDecides), Setting: "",
			Text: "about this long to hear of it, plan and order the start; fencing, if " +
				"configured, comes first"},
		{Name: StepController, MS: inMS(controllerLost), Setting: "transition-delay",
			Text: "only if the failed node was the cluster's controller (DC): 0.1 s to elect " +
				"another, and usually one second in which the new one waits for its own updates " +
				"of the CIB; Pacemaker's property transition-delay=50ms avoids that second, at " +
				"the cost of 50 ms in every recovery"},
		{Name: StepAddress, MS: inMS(addressStarts), Setting: "",
			Text: "about this long until the address is there and announced to the neighbours on " +
				"a LAN; in a cloud, as long as the provider's API takes"},
	}
	for _, s := range r.Steps {
		r.NodeLost += s.MS
	}
	return r
}
