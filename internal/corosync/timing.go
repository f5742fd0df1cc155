package corosync

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Timing is the part of corosync.conf's totem section that says when a node is lost. Zero is
// Corosync's default, except for Coefficient, where zero is a value and Default stands for the
// default. See corosync.conf(5).
type Timing struct {
	Token       time.Duration
	Coefficient time.Duration
	Consensus   time.Duration
	Retransmits int // token_retransmits_before_loss_const
	Join        time.Duration
	// PingInterval and PingTimeout are knet's, by which it detects a dead link if there are
	// several.
	PingInterval, PingTimeout time.Duration
	// Warning is the percentage of the token after which Corosync logs that it waits
	// (token_warning).
	Warning int
}

// Default stands for the default where zero is a value.
const Default = -1

// Corosync's own defaults (corosync.conf(5); exec/totemconfig.c of 3.1.7).
const (
	defaultToken       = 3 * time.Second
	defaultCoefficient = 650 * time.Millisecond
	defaultRetransmits = 4
	defaultJoin        = 50 * time.Millisecond
	pongCount          = 2
	// minimum is the shortest timer that Corosync accepts, including the retransmission that it
	// derives from the token.
	minimum = 30 * time.Millisecond
)

// Effective holds the times in effect in a cluster, by the names that corosync-cmapctl has for them
// below runtime.config.totem.
type Effective struct {
	Nodes           int
	Token           time.Duration
	TokenRetransmit time.Duration
	Consensus       time.Duration
	Join            time.Duration
	PingInterval    time.Duration
	PingTimeout     time.Duration
}

// In returns the times in effect in a cluster of that many nodes.
func (t Timing) In(nodes int) Effective {
	e := Effective{
		Nodes: nodes, Token: cmp.Or(t.Token, defaultToken), Join: cmp.Or(t.Join, defaultJoin),
	}
	coefficient := t.Coefficient
	if coefficient < 0 {
		coefficient = defaultCoefficient
	}
	if nodes > 2 {
		e.Token += time.Duration(nodes-2) * coefficient
	}
	// Corosync counts in whole milliseconds: token / (retransmits + 0.2), 1.2 * token
	e.TokenRetransmit = whole(
		float64(e.Token) / (float64(cmp.Or(t.Retransmits, defaultRetransmits)) + 0.2))
	e.Consensus = cmp.Or(t.Consensus, whole(1.2*float64(e.Token)))
	e.PingInterval = cmp.Or(t.PingInterval, whole(float64(e.Token)/(2*pongCount)))
	e.PingTimeout = cmp.Or(t.PingTimeout, whole(float64(e.Token)/pongCount))
	return e
}

func whole(d float64) time.Duration { return time.Duration(d).Truncate(time.Millisecond) }

// Lost is how long it takes from a node's death until the others have formed a membership without
// it. The token may have been seen at any moment of its last round, so it is at most Token until
// the others miss it; each then asks for joins, which the dead node does not answer, and gives it
// up after Consensus.
func (e Effective) Lost() time.Duration { return e.Token + e.Consensus }

// Validate returns what Corosync would refuse about the timing (exec/totemconfig.c,
// totem_config_validate).
func (t Timing) Validate(nodes int) error {
	e := t.In(nodes)
	var refused []error
	if e.TokenRetransmit < minimum {
		retransmits := float64(cmp.Or(t.Retransmits, defaultRetransmits))
		refused = append(refused,
			fmt.Errorf(
				"a token of %s would be retransmitted every %s, and Corosync requires at least "+
					"%s: the "+
					"token has to be at least %s",
				e.Token, e.TokenRetransmit, minimum,
				whole(float64(minimum)*(retransmits+0.2))+time.Millisecond))
	}
	if e.Consensus < e.Join || e.Consensus < minimum {
		refused = append(refused,
			fmt.Errorf(
				"a consensus of %s is shorter than join, %s: members that are alive could not "+
					"answer in time",
				e.Consensus, e.Join))
	}
	return errors.Join(refused...)
}

// Lines returns the timing's lines of a totem section, each with its name in corosync.conf;
// Corosync's defaults are left out.
func (t Timing) Lines() []string {
	var lines []string
	ms := func(name string, d time.Duration) {
		lines = append(lines, fmt.Sprintf("%s: %d", name, d.Milliseconds()))
	}
	if t.Token > 0 {
		ms("token", t.Token)
	}
	if t.Coefficient >= 0 {
		ms("token_coefficient", t.Coefficient)
	}
	if t.Consensus > 0 {
		ms("consensus", t.Consensus)
	}
	if t.Retransmits > 0 {
		lines = append(lines, fmt.Sprintf("token_retransmits_before_loss_const: %d", t.Retransmits))
	}
	if t.Join > 0 {
		ms("join", t.Join)
	}
	if t.Warning > 0 {
		lines = append(lines, fmt.Sprintf("token_warning: %d", t.Warning))
	}
	return lines
}

// InterfaceLines returns those that belong into an interface section of totem.
func (t Timing) InterfaceLines() []string {
	var lines []string
	if t.PingInterval > 0 {
		lines = append(lines, fmt.Sprintf("knet_ping_interval: %d", t.PingInterval.Milliseconds()))
	}
	if t.PingTimeout > 0 {
		lines = append(lines, fmt.Sprintf("knet_ping_timeout: %d", t.PingTimeout.Milliseconds()))
	}
	return lines
}
