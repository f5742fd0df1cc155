package fencing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/sbd"
	"github.com/hawser-ha/hawser/internal/words"
	"github.com/hawser-ha/hawser/param"
)

// checkWatchdogs refuses SBD without a disk in a cluster where it would not fence anything: it
// resets a node that has no quorum, and of two nodes without a third vote either both have quorum
// or the survivor has none either.
func checkWatchdogs(c *config.File, cib *crm.CIB, q Quorum) (warning string, err error) {
	nodes := cib.Members()
	at := c.Fencing.At.Line
	switch {
	case len(nodes) >= 3 || q.Device:
	case q.Known || len(nodes) < 2:
		return "", outcome.Usagef(
			"%s:%d: fencing by SBD needs three votes, and this cluster has %s and no quorum "+
				"device: SBD resets the node that has no quorum, and of two nodes that lose sight "+
				"of each other either both have it (two_node) and both keep running, or neither "+
				"has and "+
				"both are reset. Add a third node, or a quorum device (package corosync-qdevice "+
				"here, corosync-qnetd on a third machine), "+
				"or fence by a device: `fencing: {droplet: …}` or on", c.Path, at,
			words.Count(len(nodes), "node"))
	default:
		warning = "whether this cluster of two has a quorum device could not be asked: without " +
			"one, SBD fences no node"
	}
	policy, _ := cib.Property(crm.NoQuorumPolicy)
	if policy == "freeze" {
		warning = strings.TrimPrefix(
			warning+
				"\nno-quorum-policy=freeze: a node without quorum keeps its addresses until its "+
				"watchdog resets it; with stop it lets go of them at once",
			"\n")
	}
	return warning, nil
}

// sbdGroup is the process group of Corosync that each node's SBD joins (sbd-cluster.c of SBD:
// crm_system_name).
const sbdGroup = "sbd:cluster"

// checkSBD checks that SBD protects every node, before stonith-watchdog-timeout is written. If a
// node's SBD does not run, or its timeout is longer than the option, Pacemaker shuts itself down on
// that node as soon as it reads the option (pcmk__valid_sbd_timeout() of Pacemaker 2.1.5), and if
// the option is less than twice the watchdog's timeout, an address starts elsewhere before its node
// is reset.
func checkSBD(c *config.File, cib *crm.CIB, f Facts) (warning string, err error) {
	if c.Fencing.Way != config.FencingSBD {
		return "", nil
	}
	if !f.Live {
		return "whether SBD runs on every node was not checked: the configuration in use is not " +
			"that of this machine's cluster. Where it does not, Pacemaker shuts itself down with " +
			"stonith-watchdog-timeout", nil
	}
	line := c.Fencing.At.Line
	const how = "\non every node: `apt install sbd`, SBD_WATCHDOG_DEV and SBD_WATCHDOG_TIMEOUT " +
		"in /etc/default/sbd, `systemctl enable sbd`, then restart the cluster there, one node " +
		"after the other: " +
		"`systemctl restart corosync pacemaker` (/usr/share/doc/hawser/fencing.md); nothing was changed"
	here, status := f.SBD, f.Status
	switch {
	case f.SBDErr != nil:
		return "", outcome.Errorf(outcome.Failed,
			"%s:%d: checking whether SBD runs on this node: %w; nothing was changed", c.Path, line,
			f.SBDErr)
	case !here.Running:
		return "", outcome.Usagef(
			"%s:%d: fencing by SBD: sbd.service does not run on this node (%s); with "+
				"stonith-watchdog-timeout Pacemaker would shut itself down on this node%s",
			c.Path, line, f.Node, how)
	case f.StatusErr != nil:
		return "", f.StatusErr
	case f.GroupErr != nil:
		return "", outcome.Errorf(outcome.Unavailable,
			"%s:%d: asking Corosync on which nodes SBD runs: %w; nothing was changed", c.Path, line,
			f.GroupErr)
	}
	var without, offline []string
	for _, n := range status.Nodes {
		switch id, err := strconv.Atoi(n.ID); {
		case n.Remote():
		case !n.Online:
			offline = append(offline, n.Name)
		case err != nil || !slices.Contains(f.Group, id):
			without = append(without, n.Name)
		}
	}
	if len(without) > 0 {
		return "", outcome.Usagef(
			"%s:%d: fencing by SBD: SBD does not run on %s (it is not in Corosync's process "+
				"group %s there: `corosync-cpgtool`); with stonith-watchdog-timeout Pacemaker "+
				"would shut itself down there%s",
			c.Path, line, strings.Join(without, ", "), sbdGroup, how)
	}
	if there, _ := cib.Watchdogs(); !there {
		have, _ := cib.Property(crm.HaveWatchdog)
		return "", outcome.Usagef(
			"%s:%d: fencing by SBD: Pacemaker does not know of it (have-watchdog is %s), because "+
				"the node that decides, %s, was started without SBD: restart the cluster there "+
				"(`systemctl restart corosync pacemaker`); nothing was changed",
			c.Path, line, words.OrNone(have), words.OrNone(status.DC))
	}
	if warning, err = fitsWatchdog(c, here); len(offline) > 0 && err == nil {
		warning = strings.TrimPrefix(
			fmt.Sprintf(
				"%s\nwhether SBD runs on %s cannot be seen, since it is offline: where it does "+
					"not, Pacemaker shuts itself down at its next start there (`systemctl enable "+
					"sbd` first)",
				warning, strings.Join(offline, ", ")), "\n")
	}
	return warning, err
}

// fitsWatchdog compares the file with this node's watchdog timeout. The other nodes' timeouts are
// in their /etc/default/sbd and cannot be read from here.
func fitsWatchdog(c *config.File, here sbd.Daemon) (warning string, err error) {
	want, line := c.Fencing.Watchdog, c.Fencing.At.Line
	switch {
	case here.Timeout == 0:
		warning = fmt.Sprintf(
			"SBD_WATCHDOG_TIMEOUT is not in /etc/default/sbd; it must be at most %d on every node",
			want/time.Second)
	case here.Timeout > want:
		return "", outcome.Usagef(
			"%s:%d: fencing.sbd.watchdog_timeout is %s, but SBD_WATCHDOG_TIMEOUT is %d s on this "+
				"node (%s): a failed node's address would be started elsewhere before its "+
				"watchdog "+
				"has reset it. "+
				"Write `fencing: {sbd: {watchdog_timeout: %ds}}`, or %d in /etc/default/sbd of "+
				"every node and restart the cluster there; nothing was changed",
			c.Path, line, param.FormatDuration(want), here.Timeout/time.Second, here.SaidBy,
			here.Timeout/time.Second, want/time.Second)
	case here.Timeout < want:
		warning = fmt.Sprintf(
			"SBD_WATCHDOG_TIMEOUT is %d s on this node (%s): `watchdog_timeout: %ds` would take "+
				"%s off each failover, if every node has it",
			here.Timeout/time.Second, here.SaidBy, here.Timeout/time.Second,
			param.FormatDuration(2*(want-here.Timeout)))
	}
	if here.Watchdog == "/dev/null" {
		warning = strings.TrimPrefix(
			warning+
				"\nSBD_WATCHDOG_DEV is /dev/null: SBD runs without a watchdog, and nothing "+
				"resets a node that hangs",
			"\n")
	}
	return warning, nil
}
