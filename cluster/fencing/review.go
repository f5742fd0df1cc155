package fencing

import (
	"context"
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// Facts are what is known about the cluster besides its configuration. Gather collects them.
type Facts struct {
	// Live says whether the configuration is that of this machine's cluster; it may be a file, a
	// shadow, or another machine's.
	Live   bool
	Node   string // this machine's name in the cluster
	Quorum Quorum
	// Status, and why it could not be read; nil and no error if nothing depends on it.
	Status    *crm.Status
	StatusErr error
	// SBD is this node's, Groups the Corosync ids of the nodes on which SBD runs; with why they
	// could not be read.
	SBD      sbd.Daemon
	SBDErr   error
	Group    []int
	GroupErr error
}

// Sources are where facts come from: host has those of this machine.
type Sources struct {
	Cluster crm.Cluster
	Live    bool
	Node    string
	// SBD finds this node's SBD; Group asks Corosync which nodes have a process in a group, Votes
	// how it counts votes.
	SBD   func() (sbd.Daemon, error)
	Group func(ctx context.Context, name string) ([]int, error)
	Votes func(ctx context.Context) (corosync.Quorum, error)
}

// Gather collects what Review needs to judge the file's plan, and nothing else.
func (s Sources) Gather(ctx context.Context, file *config.File, p crm.Plan) Facts {
	f := Facts{Live: s.Live, Node: s.Node}
	if !s.Live {
		return f
	}
	if q, err := s.Votes(ctx); err == nil {
		f.Quorum = Quorum{Quorum: q, Known: true}
	}
	sbd := file.Fencing.Way == config.FencingSBD
	if sbd {
		f.SBD, f.SBDErr = s.SBD()
		f.Group, f.GroupErr = s.Group(ctx, sbdGroup)
	}
	if sbd || takenForDead(p) != "" {
		f.Status, f.StatusErr = s.Cluster.Status(ctx)
	}
	return f
}

// Review refuses a plan after which Pacemaker would start nothing, or that lacks the fencing which
// the file demands, or after which the cluster would take an unfenced node for down. Otherwise it
// returns what an administrator should know about it. It is the only judgement of fencing, and does
// no I/O.
func Review(file *config.File, p crm.Plan, f Facts) (warnings []string, err error) {
	add := func(warning string) {
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	warning, err := judge(file, p, f.Quorum)
	if err != nil {
		return nil, err
	}
	add(warning)
	if err := checkUnfenced(file, p, f); err != nil {
		return nil, err
	}
	if warning, err = checkSBD(file, p.Base, f); err != nil {
		return nil, err
	}
	add(warning)
	return warnings, nil
}

// judge refuses a plan after which Pacemaker would start nothing, or that lacks the fencing which
// the file demands. Otherwise it returns what an administrator should know about it.
func judge(c *config.File, p crm.Plan, q Quorum) (warning string, err error) {
	cib := p.New
	devices := Devices(cib)
	stopped := stoppedDevices(cib)
	enabled := cib.FencingEnabled()
	way := c.Fencing.Way
	switch {
	case way == config.FencingDroplet:
		return checkDroplets(c, cib, q)
	case way == config.FencingSBD:
		return checkWatchdogs(c, cib, q)
	case way == config.FencingOn && len(devices) == 0 && len(stopped) > 0:
		return "", outcome.Usagef(
			"%s: the file says `fencing: on`, but no fencing device can be used: %s (`crm "+
				"resource start …`)",
			c.Path, strings.Join(stopped, "; "))
	case way == config.FencingOn && len(devices) == 0:
		return "", outcome.Usagef(
			"%s: the file says `fencing: on`, but the cluster has no fencing device: configure "+
				"one (`crm configure primitive fence stonith:…`), "+
				"or have hawser do it: `fencing: sbd` or `fencing: {droplet: …}`, see "+
				"/usr/share/doc/hawser/fencing.md",
			c.Path)
	case StartsNothing(cib):
		return "", outcome.Usagef(
			"%s: the cluster has no fencing: Pacemaker starts nothing while stonith-enabled is "+
				"true and no stonith resource is configured. Without fencing:\n%s\n"+
				"Let the file say what fences: `fencing: sbd`, `fencing: {droplet: …}`, or "+
				"on for a device of yours (`crm configure primitive fence stonith:…`); "+
				"or accept a cluster without fencing, and the risks above: write `fencing: off` "+
				"into the file (/usr/share/doc/hawser/fencing.md)",
			c.Path, "  "+strings.Join(risks(c, cib, q), "\n  "))
	case enabled && len(devices) == 0 && len(stopped) > 0:
		return "fencing is on, but " + strings.Join(stopped, "; ") +
			": a failed node cannot be fenced, and what ran there does not start elsewhere", nil
	case enabled && len(devices) == 0:
		return "fencing is on and left to the nodes' watchdogs, but stonith-watchdog-timeout is " +
			"not set: a failed node cannot be fenced, and what ran there does not start " +
			"elsewhere", nil
	case way == config.FencingOff && enabled:
		return fmt.Sprintf(
			"the file says `fencing: off`, but the cluster has the fencing device %s: it stays "+
				"in use",
			strings.Join(devices, ", ")), nil
	case way == config.FencingOn && len(NotFenced(cib)) > 0:
		return fmt.Sprintf(
			"no fencing device is there for %s (pcmk_host_list, pcmk_host_map): what ran on a "+
				"failed node that cannot be fenced does not start elsewhere",
			strings.Join(NotFenced(cib), ", ")), nil
	case way == config.FencingOn && races(cib, q):
		return "two nodes that lose sight of each other may both be fenced: give one of them a " +
			"start (`hawser configure property priority-fencing-delay=15s` and a priority for " +
			"the address, " +
			"`crm resource meta FloatIP set priority 1`; or pcmk_delay_base on the device that " +
			"fences one of them)", nil
	case !enabled:
		return "fencing is off: nothing guarantees that an unreachable node is down:\n" +
			strings.Join(risks(c, cib, q), "\n"), nil
	}
	return "", nil
}
