package fencing

import (
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/param"
)

// Quorum is what is known about how this cluster counts votes.
type Quorum struct {
	corosync.Quorum
	Known bool
}

// split says what the parts of a divided cluster do by themselves.
type split int

const (
	minorityStops split = iota // a part without a majority stops its resources
	allServe                   // every part takes everything
	minorityKeeps              // no-quorum-policy=freeze: a part without a majority keeps what it has
)

func (q Quorum) split(cib *crm.CIB) (s split, why string) {
	policy, _ := cib.Property(crm.NoQuorumPolicy)
	switch {
	case policy == "ignore":
		return allServe, "no-quorum-policy=ignore lets each part of a divided cluster take " +
			"everything"
	case q.Known && q.TwoNode && len(cib.Members()) == 2:
		return allServe, "two_node in corosync.conf lets each of two nodes that lose sight of " +
			"each other take everything"
	case !q.Known && len(cib.Members()) == 2:
		return allServe, "with two_node in corosync.conf, each of two nodes that lose sight of " +
			"each other takes everything"
	case policy == "freeze":
		return minorityKeeps, "no-quorum-policy=freeze lets a node that is cut off keep what it " +
			"runs"
	}
	return minorityStops, "a node that is cut off stops its resources once it has noticed that " +
		"it lost quorum"
}

// risks says for each address of the file what can happen to it without fencing.
func risks(c *config.File, cib *crm.CIB, q Quorum) []string {
	s, why := q.split(cib)
	var out []string
	for _, ip := range c.Addresses {
		who := fmt.Sprintf("%s (%s, %s)", ip.IP, ip.Name, ip.Provider)
		switch {
		case ip.Provider != contract.LAN && s == allServe:
			out = append(out,
				who+" cannot be held twice: the cloud gives it to one droplet at a time; but "+why+
					", so both keep claiming it and it may flap between them")
		case ip.Provider != contract.LAN:
			out = append(out,
				who+
					" cannot be held twice: the cloud gives it to one droplet at a time; but "+
					"nothing restarts a hung node, and one that wakes up again serves until it "+
					"notices")
		case s == allServe:
			out = append(out,
				who+" can be held by two nodes at once if they lose sight of each other: "+why+
					", for as long as the split lasts")
		case s == minorityKeeps:
			out = append(out,
				who+" can be held by two nodes at once if its node is cut off: "+why+
					", and the others take it too")
		default:
			out = append(out,
				who+
					" can be held by two nodes at once if its node hangs or is cut off while "+
					"another takes it: "+why+", and a node that hangs notices when it wakes up")
		}
	}
	if len(out) == 0 {
		out = append(out,
			"the file has no address that could be held twice; what else the cluster runs may be "+
				"started twice: "+why)
	}
	return out
}

// Protection says in one line what keeps an address from being held by two nodes with this
// configuration.
func Protection(cib *crm.CIB, q Quorum) string {
	devices := Devices(cib)
	s, why := q.split(cib)
	switch {
	case StartsNothing(cib):
		return "nothing, and Pacemaker starts nothing"
	case cib.FencingEnabled() && len(devices) == 1 && devices[0] == WatchdogDevice:
		wait, _ := cib.Property(crm.WatchdogTimeout)
		if d, err := param.ParseDuration(wait); err == nil && d > 0 {
			wait = d.Round(time.Second).String()
		} else {
			wait = "twice SBD_WATCHDOG_TIMEOUT"
		}
		return "SBD: the watchdog resets a node that hangs or has no quorum; its resources start " +
			"elsewhere " + wait + " after it was lost"
	case cib.FencingEnabled() && len(devices) > 0:
		return strings.Join(devices, ", ") +
			": a failed node is fenced before its resources start elsewhere"
	case cib.FencingEnabled():
		return "no usable fence device: resources of a failed node are not recovered"
	case s == minorityStops:
		return "quorum only: " + why + "; a hung node is not stopped"
	}
	return "nothing: " + why
}
