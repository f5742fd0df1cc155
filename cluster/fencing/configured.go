package fencing

import (
	"fmt"

	"github.com/hawser-ha/hawser/crm"
)

// Options lists the options of the cluster that hawser may have set. It writes each as an object of
// its own; destroy restores a value that somebody else had set.
func Options() []string {
	return []string{
		crm.StonithEnabled, crm.WatchdogTimeout, crm.NoQuorumPolicy, crm.PriorityDelay,
	}
}

// WatchdogDevice stands for the nodes' watchdogs among the ids of fencing devices. It is
// Pacemaker's name for them, too.
const WatchdogDevice = "watchdog"

// StartsNothing says whether Pacemaker starts nothing because no fencing is configured. It counts a
// device that is stopped as one.
func StartsNothing(cib *crm.CIB) bool {
	there, _ := cib.Watchdogs()
	return cib.FencingEnabled() && !there && len(cib.FencingDevices()) == 0
}

// Devices lists what can fence a node: the ids of resources that are not stopped on purpose, and
// the watchdogs.
func Devices(cib *crm.CIB) []string {
	var ids []string
	for _, d := range cib.FencingDevices() {
		if d.StoppedBy == "" {
			ids = append(ids, d.ID)
		}
	}
	if _, used := cib.Watchdogs(); used {
		ids = append(ids, WatchdogDevice)
	}
	return ids
}

// stoppedDevices describes the devices that are configured and cannot fence.
func stoppedDevices(cib *crm.CIB) []string {
	var out []string
	for _, d := range cib.FencingDevices() {
		switch d.StoppedBy {
		case "":
		case d.ID:
			out = append(out, d.ID+" has the target role Stopped")
		default:
			out = append(out,
				fmt.Sprintf("%s has the target role Stopped by %s", d.ID, d.StoppedBy))
		}
	}
	return out
}

// NotFenced lists the nodes that no device can fence, in a cluster that has fencing.
func NotFenced(cib *crm.CIB) []string {
	if _, used := cib.Watchdogs(); used || !cib.FencingEnabled() {
		return nil
	}
	return cib.Unfenced(cib.Members())
}

// races says whether two nodes would fence each other at the same moment.
func races(cib *crm.CIB, q Quorum) bool {
	delay, _ := cib.Property(crm.PriorityDelay)
	head, err := crm.ParseInterval(delay)
	delayed := delay != "" && (err != nil || head > 0)
	if len(cib.Members()) != 2 || q.Known && q.Device || delayed {
		return false
	}
	devices := false
	for _, d := range cib.FencingDevices() {
		p, ok := cib.Primitive(d.ID)
		if !ok {
			return false // not known
		}
		for _, name := range []string{"pcmk_delay_base", "pcmk_delay_max", "delay"} {
			if _, ok := p.Params.Get(name); ok {
				return false
			}
		}
		devices = true
	}
	return devices
}
