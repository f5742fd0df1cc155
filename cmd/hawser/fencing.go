package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/ocf"
)

func fencingEnabled(cib *crm.CIB) bool {
	value, ok := cib.Property(stonithEnabled)
	if !ok {
		return true
	}
	switch strings.ToLower(value) { // crm_str_to_boolean() of Pacemaker
	case "false", "off", "no", "n", "0":
		return false
	}
	return true
}

// watchdog says whether Pacemaker takes the nodes' watchdogs (sbd without a disk) for a fencing device, and whether lost nodes are really
// left to them: unpack_config() of Pacemaker asks for the first before it starts anything, and for the second when it has to fence.
func watchdog(cib *crm.CIB) (there, used bool) {
	have, _ := cib.Property("have-watchdog")
	wait, _ := cib.Property(watchdogTimeout)
	there = strings.EqualFold(have, "true")
	return there, there && strings.Trim(wait, "0 smin") != ""
}

// watchdogDevice stands for the nodes' watchdogs among the ids of fencing devices. Pacemaker calls them so too.
const watchdogDevice = "watchdog"

// startsNothing says whether Pacemaker starts nothing for want of fencing. It counts a device that is stopped as one.
func startsNothing(cib *crm.CIB) bool {
	there, _ := watchdog(cib)
	return fencingEnabled(cib) && !there && len(cib.FencingDevices()) == 0
}

// fencingDevices lists what can fence a node: the ids of resources that are not stopped on purpose, and the watchdogs.
func fencingDevices(cib *crm.CIB) []string {
	var ids []string
	for _, d := range cib.FencingDevices() {
		if d.StoppedBy == "" {
			ids = append(ids, d.ID)
		}
	}
	if _, used := watchdog(cib); used {
		ids = append(ids, watchdogDevice)
	}
	return ids
}

// stoppedDevices tells of devices that are configured and cannot fence.
func stoppedDevices(cib *crm.CIB) []string {
	var out []string
	for _, d := range cib.FencingDevices() {
		switch d.StoppedBy {
		case "":
		case d.ID:
			out = append(out, d.ID+" has the target role Stopped")
		default:
			out = append(out, fmt.Sprintf("%s has the target role Stopped by %s", d.ID, d.StoppedBy))
		}
	}
	return out
}

// quorum is what is known of how this cluster counts.
type quorum struct {
	corosync.Quorum
	known bool
}

// checkFencing refuses a plan after which Pacemaker would start nothing, or that lacks the fencing which the file demands. Otherwise it
// returns what an administrator should know about it.
func checkFencing(c *config.File, p crm.Plan, q quorum) (warning string, err error) {
	cib := p.New
	devices := fencingDevices(cib)
	stopped := stoppedDevices(cib)
	enabled := fencingEnabled(cib)
	way := c.Fencing.Way
	switch {
	case way == config.FencingDroplet:
		return checkDroplets(c, cib, q)
	case way == config.FencingSBD:
		return checkWatchdogs(c, cib, q)
	case way == config.FencingOn && len(devices) == 0 && len(stopped) > 0:
		return "", usagef("%s: the file says `fencing: on`, but no fencing device can be used: %s (`crm resource start …`)", c.Path, strings.Join(stopped, "; "))
	case way == config.FencingOn && len(devices) == 0:
		return "", usagef("%s: the file says `fencing: on`, but the cluster has no fencing device: configure one (`crm configure primitive fence stonith:…`), "+
			"or have hawser do it: `fencing: sbd` or `fencing: {droplet: …}`, see docs/fencing.md", c.Path)
	case startsNothing(cib):
		return "", usagef("%s: the cluster has no fencing: Pacemaker starts nothing while stonith-enabled is true and no stonith resource is configured. Without fencing:\n%s\n"+
			"Let the file say what is to fence: `fencing: sbd`, `fencing: {droplet: …}`, or on for a device of yours (`crm configure primitive fence stonith:…`); "+
			"or accept a cluster without, and what is said above: write `fencing: off` into the file (docs/fencing.md)", c.Path, "  "+strings.Join(risks(c, cib, q), "\n  "))
	case enabled && len(devices) == 0 && len(stopped) > 0:
		return "fencing is on, but " + strings.Join(stopped, "; ") + ": a lost node cannot be fenced, and what ran there starts nowhere else", nil
	case enabled && len(devices) == 0:
		return "fencing is on and left to the nodes' watchdogs, but stonith-watchdog-timeout is not set: a lost node cannot be fenced, and what ran there starts nowhere else", nil
	case way == config.FencingOff && enabled:
		return fmt.Sprintf("the file says `fencing: off`, but the cluster has the fencing device %s: it stays in use", strings.Join(devices, ", ")), nil
	case way == config.FencingOn && len(notFenced(cib)) > 0:
		return fmt.Sprintf("no fencing device is there for %s (pcmk_host_list, pcmk_host_map): a node that is lost and cannot be fenced keeps what it ran from starting elsewhere",
			strings.Join(notFenced(cib), ", ")), nil
	case way == config.FencingOn && races(cib, q):
		return "two nodes that lose sight of each other may both be fenced: give one of them a start (`hawser configure property priority-fencing-delay=15s` and a priority for the address, " +
			"`crm resource meta FloatIP set priority 1`; or pcmk_delay_base on the device that fences one of them)", nil
	case !enabled:
		return "without fencing nobody makes sure that a lost node is down:\n" + strings.Join(risks(c, cib, q), "\n"), nil
	}
	return "", nil
}

// notFenced are the nodes that nothing fences, in a cluster that has fencing.
func notFenced(cib *crm.CIB) []string {
	if _, used := watchdog(cib); used || !fencingEnabled(cib) {
		return nil
	}
	return cib.Unfenced(members(cib))
}

// races says whether two nodes would fence each other at the same moment.
func races(cib *crm.CIB, q quorum) bool {
	if delay, _ := cib.Property(priorityDelay); len(members(cib)) != 2 || q.known && q.Device || strings.Trim(delay, "0smin") != "" {
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

// split says what the parts of a divided cluster do by themselves.
type split int

const (
	minorityStops split = iota // who has no majority stops its resources
	allServe                   // every part takes everything
	minorityKeeps              // no-quorum-policy=freeze: who has no majority keeps what it has
)

func (q quorum) split(cib *crm.CIB) (s split, why string) {
	policy, _ := cib.Property(noQuorumPolicy)
	switch {
	case policy == "ignore":
		return allServe, "no-quorum-policy=ignore lets each part of a divided cluster take everything"
	case q.known && q.TwoNode && len(members(cib)) == 2:
		return allServe, "two_node in corosync.conf lets each of two nodes that lose sight of each other take everything"
	case !q.known && len(members(cib)) == 2:
		return allServe, "with two_node in corosync.conf, each of two nodes that lose sight of each other takes everything"
	case policy == "freeze":
		return minorityKeeps, "no-quorum-policy=freeze lets a node that is cut off keep what it runs"
	}
	return minorityStops, "a node that is cut off stops its resources once it has noticed that it lost quorum"
}

// risks says for each address of the file what can become of it without fencing.
func risks(c *config.File, cib *crm.CIB, q quorum) []string {
	s, why := q.split(cib)
	var out []string
	for _, ip := range c.Addresses {
		who := fmt.Sprintf("%s (%s, %s)", ip.IP, ip.Name, ip.Provider)
		switch {
		case ip.Provider != config.LAN && s == allServe:
			out = append(out, who+" cannot be held twice: the cloud gives it to one droplet at a time; but "+why+", so both order it for themselves and it may go back and forth")
		case ip.Provider != config.LAN:
			out = append(out, who+" cannot be held twice: the cloud gives it to one droplet at a time; but a node that hangs is not restarted by anybody, and one that wakes up again serves until it notices")
		case s == allServe:
			out = append(out, who+" can be held by two nodes at once if they lose sight of each other: "+why+", for as long as the split lasts")
		case s == minorityKeeps:
			out = append(out, who+" can be held by two nodes at once if its node is cut off: "+why+", and the others take it too")
		default:
			out = append(out, who+" can be held by two nodes at once if its node hangs or is cut off while another takes it: "+why+", and a node that hangs notices when it wakes up")
		}
	}
	if len(out) == 0 {
		out = append(out, "the file has no address that could be held twice; what else the cluster runs may be started twice: "+why)
	}
	return out
}

// protection says in one line what stands between this configuration and an address that is held twice.
func protection(cib *crm.CIB, q quorum) string {
	devices := fencingDevices(cib)
	s, why := q.split(cib)
	switch {
	case startsNothing(cib):
		return "nothing, and Pacemaker starts nothing"
	case fencingEnabled(cib) && len(devices) == 1 && devices[0] == watchdogDevice:
		wait, _ := cib.Property(watchdogTimeout)
		if d, err := ocf.ParseDuration(wait); err == nil && d > 0 {
			wait = d.Round(time.Second).String()
		} else {
			wait = "twice SBD_WATCHDOG_TIMEOUT"
		}
		return "SBD: the watchdog resets a node that hangs or has no quorum; its resources start elsewhere " + wait + " after it was lost"
	case fencingEnabled(cib) && len(devices) > 0:
		return strings.Join(devices, ", ") + ": a lost node is fenced before its resources start elsewhere"
	case fencingEnabled(cib):
		return "nothing can fence: what a lost node ran starts nowhere else"
	case s == minorityStops:
		return "quorum alone: " + why + "; nobody stops one that hangs"
	}
	return "nothing: " + why
}
