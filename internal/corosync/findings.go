package corosync

import (
	"fmt"
	"time"
)

// Finding is something about the times in effect that an administrator may want to change.
type Finding struct {
	// Name is the setting that it is about.
	Name string `json:"name"`
	// Text is what is worth knowing about it.
	Text string `json:"text"`
}

// knetTick is how often knet's thread wakes to send pings and check for pongs (libknet 1.25,
// KNET_THREADS_TIMERES).
const knetTick = 200 * time.Millisecond

// pingMargin is the spare time that a pong needs. Measured (docs/timing.md): with none, links go
// down whenever a processor is busy; with 25 ms and more none did in ten minutes.
const pingMargin = 25 * time.Millisecond

// pingEvery is how often pings really leave: at the first tick after the interval.
func (e Effective) pingEvery() time.Duration {
	return (e.PingInterval + knetTick - 1) / knetTick * knetTick
}

// Findings lists what the times in effect cost, or risk.
func (e Effective) Findings() []Finding {
	var all []Finding
	if e.PingTimeout > 0 && e.PingTimeout < e.pingEvery()+pingMargin {
		all = append(all, Finding{"knet_ping_timeout", fmt.Sprintf(
			"a link is given up after %s, and knet's pings leave only every %s: links go down, "+
				"and with them members, whenever a processor is busy; give knet_ping_interval "+
				"and knet_ping_timeout values of their own",
			e.PingTimeout, e.pingEvery())})
	}
	if e.Nodes > 2 && e.Consensus < whole(1.2*float64(e.Token)) {
		all = append(all, Finding{
			"consensus",
			fmt.Sprintf(
				"%s is less than 1.2 times the token of %s: with three nodes and more, living "+
					"nodes may be left out (corosync.conf(5))",
				e.Consensus, e.Token),
		})
	}
	if lan := LAN.In(e.Nodes); e.Lost() > 2*lan.Lost() {
		all = append(all, Finding{
			"token",
			fmt.Sprintf(
				"on a LAN, %s and a consensus of %s have kept a membership whole with every core "+
					"busy: %s instead of %s until a failed node is out (hawser timing --for lan)",
				lan.Token, lan.Consensus, lan.Lost(), e.Lost()),
		})
	}
	return all
}

// Written lists the findings about how the configuration is written, which the resulting times do
// not show.
func (c Config) Written() []Finding {
	var all []Finding
	e := c.In(c.Nodes)
	if added := e.Token - c.with(0).In(c.Nodes).Token; added > 0 {
		all = append(all, Finding{
			"token_coefficient",
			fmt.Sprintf(
				"with %d nodes the token is %s longer, and consensus 1.2 times as much; the "+
					"value 0 turns that off",
				c.Nodes, added),
		})
	}
	if (c.PingInterval > 0) != (c.PingTimeout > 0) {
		all = append(all, Finding{
			"knet_ping_interval",
			"only one of knet_ping_interval and knet_ping_timeout is given, the other is derived " +
				"from the token: give both or none (corosync.conf(5))",
		})
	}
	return all
}

func (t Timing) with(coefficient time.Duration) Timing {
	t.Coefficient = coefficient
	return t
}
