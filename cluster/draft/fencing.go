package draft

import (
	"fmt"
	"strings"
	"time"
)

// fencing writes what fences where that is there, and else the choices: none is made silently.
func (w *writer) fencing() {
	f := w.facts.Cluster.Fencing
	w.line("")
	w.say("", "Fencing: what makes sure that an unreachable node is down. Without it an address may be on "+
		"two nodes when they lose sight of each other (fencing.md).")
	diskless := f.SBD && f.Disks == ""
	switch {
	case !f.Off && len(f.Devices) > 0:
		w.say("", "The cluster has %s.", strings.Join(f.Devices, ", "))
		w.line("fencing: on")
		return
	case !f.Off && f.Watchdogs && diskless && whole(f.Timeout):
		w.say("", "SBD runs on this node without a disk, and the cluster leaves unreachable nodes to "+
			"their watchdogs.")
		w.line("fencing: {sbd: {watchdog_timeout: %s}}", seconds(f.Timeout))
		return
	}
	w.say("", "%s. Decide for one of these:", w.whatFences())
	w.say("", "- the nodes' watchdogs (SBD without a disk), for three nodes or two and a quorum device:")
	timeout := 5 * time.Second
	if f.SBD && whole(f.Timeout) {
		timeout = f.Timeout
	}
	w.keys("", fmt.Sprintf("fencing: {sbd: {watchdog_timeout: %s}}", seconds(timeout)))
	w.say("", "- DigitalOcean's API, which switches droplets off:")
	w.keys("", "fencing: {droplet: {token_file: /etc/hawser/fence-token}}")
	w.say("", "- devices that you configure yourself, such as IPMI or a hypervisor:")
	w.keys("", "fencing: on")
	w.say("", "- none: `hawser plan` says what that risks:")
	w.keys("", "fencing: off")
}

// whatFences says what there is and does not suffice.
func (w *writer) whatFences() string {
	f := w.facts.Cluster.Fencing
	switch {
	case !w.facts.Cluster.Known:
		return "Whether the cluster has any is not known"
	case f.Off && len(f.Devices) > 0:
		return "The cluster has " + strings.Join(f.Devices, ", ") + ", and switches fencing off " +
			"(stonith-enabled=false)"
	case f.Off:
		return "The cluster has none now (stonith-enabled=false)"
	case f.SBD && f.Disks != "":
		return "SBD runs on this node with the disk " + f.Disks + ", and the cluster has no device that " +
			"fences with it"
	case f.SBD:
		return "SBD runs on this node, and the cluster does not use it (stonith-watchdog-timeout)"
	}
	return "The cluster has no fence device"
}

// whole says whether hawser.yaml can say the time.
func whole(d time.Duration) bool { return d >= time.Second && d%time.Second == 0 }

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d/time.Second)) }
