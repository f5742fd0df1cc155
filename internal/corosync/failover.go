package corosync

import "time"

// Failover is how the time from the death of a node until another one serves its address is spent,
// in milliseconds: `hawser timing --json`.
type Failover struct {
	Source      string         `json:"source"`
	Nodes       int            `json:"nodes"`
	Token       float64        `json:"token_ms"`
	Retransmit  float64        `json:"token_retransmit_ms"`
	Consensus   float64        `json:"consensus_ms"`
	Join        float64        `json:"join_ms"`
	PingEvery   float64        `json:"knet_ping_interval_ms,omitempty"`
	PingTimeout float64        `json:"knet_ping_timeout_ms,omitempty"`
	Steps       []FailoverStep `json:"steps"`
	NodeLost    float64        `json:"node_lost_ms"`
	Findings    []Finding      `json:"findings"`
	Section     string         `json:"totem_section,omitempty"`
}

// FailoverStep is a part of that time.
type FailoverStep struct {
	Name string  `json:"step"`
	MS   float64 `json:"ms"`
	// Setting says which setting changes it, "" if none of Corosync's does.
	Setting string `json:"setting,omitempty"`
	Text    string `json:"text"`
}

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
		{Name: "token", MS: r.Token, Setting: "token, token_coefficient",
			Text: "at most this long until the other nodes miss the token that the failed one " +
				"should have passed on"},
		{Name: "consensus", MS: r.Consensus, Setting: "consensus",
			Text: "until they give up waiting for the failed node to rejoin, and form a " +
				"membership without it"},
		{Name: "Pacemaker", MS: inMS(pacemakerDecides), Setting: "",
			Text: "about this long to hear of it, plan and order the start; fencing, if " +
				"configured, comes first"},
		{Name: "controller", MS: inMS(controllerLost), Setting: "transition-delay",
			Text: "only if the failed node was the cluster's controller (DC): 0.1 s to elect " +
				"another, and usually one second in which the new one waits for its own updates " +
				"of the CIB; Pacemaker's property transition-delay=50ms avoids that second, at " +
				"the cost of 50 ms in every recovery"},
		{Name: "address", MS: inMS(addressStarts), Setting: "",
			Text: "about this long until the address is there and announced to the neighbours on " +
				"a LAN; in a cloud, as long as the provider's API takes"},
	}
	for _, s := range r.Steps {
		r.NodeLost += s.MS
	}
	return r
}
