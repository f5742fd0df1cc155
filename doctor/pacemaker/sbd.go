package pacemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// readSBDs finds out about sbd on every node that is online: on this one by its files, on the
// others by what they reported. Its error says what cannot be known.
func (v *view) readSBDs(ctx context.Context) (sbdNodes, error) {
	all := sbdNodes{of: map[string]sbd.Daemon{}}
	here, hereErr := sbd.Here(v.Files)
	if hereErr == nil {
		all.of[v.Node] = here
	}
	if v.Reported == nil {
		return all, hereErr
	}
	reported, err := v.Reported(ctx)
	if reported == nil && err == nil {
		return all, hereErr // a file has no nodes to ask
	}
	if err != nil {
		hereErr = errors.Join(hereErr, fmt.Errorf("what the other nodes reported about sbd: "+
			"%w", err))
	}
	for _, n := range v.status.Nodes {
		if !n.Online || n.Remote() || crm.SameHost(n.Name, v.Node) {
			continue
		}
		if heard := doctor.ReportedSBD(reported[n.Name]); heard != nil {
			all.of[n.Name] = *heard
		} else {
			all.silent = append(all.silent, n.Name)
		}
	}
	return all, hereErr
}

// checkSBD compares Pacemaker's stonith-watchdog-timeout with sbd on the nodes, as controld's
// check_sbd_timeout() does on each when it starts and when the option changes, and the nodes with
// each other, which Pacemaker does not.
func checkSBD(ctx context.Context, v *view) ([]doctor.Finding, error) {
	nodes, err := v.readSBDs(ctx)
	wait, word, ok := v.cib.WatchdogTimeout()
	if !ok {
		return []doctor.Finding{
			{
				Severity: doctor.Error, Subject: crm.WatchdogTimeout,
				What: fmt.Sprintf("stonith-watchdog-timeout is %q, which is not a time", word),
				Why:  "Pacemaker cannot tell how long to wait for a failed node's watchdog",
				Fix:  nodes.relyOnWatchdogs(),
			},
		}, err
	}
	if wait == 0 && len(nodes.of) > 0 && len(nodes.where(idle)) == len(nodes.of) {
		return nil, nil // another check reports the nodes without a report
	}
	var found []doctor.Finding
	for _, f := range []*doctor.Finding{
		nodes.judgeWait(wait, word), nodes.judgeDifference(), v.judgeDisk(nodes),
		nodes.judgeSilence(),
	} {
		if f != nil {
			found = append(found, *f)
		}
	}
	return append(found, nodes.judgeWords()...), err
}

// judgeWait compares the time that Pacemaker waits for a failed node's watchdog with the watchdogs.
func (s sbdNodes) judgeWait(wait time.Duration, word string) *doctor.Finding {
	f := &doctor.Finding{Severity: doctor.Error, Subject: crm.WatchdogTimeout}
	off := s.where(idle)
	if wait != 0 && len(off) > 0 {
		f.What = "stonith-watchdog-timeout is " + word + ", and no sbd runs on " +
			strings.Join(off, ", ")
		f.Why = "the other nodes would count on a watchdog that is not running: Pacemaker's " +
			"controller shuts itself down at its next start when it finds that"
		for _, name := range off {
			f.Fix = append(f.Fix, doctor.StartSBD(name)...)
		}
		f.Todo = []string{
			"if another fence device is used instead: `" + unset(crm.WatchdogTimeout) + "`",
		}
		return f
	}
	shortest, longest, slow := s.watchdogs()
	if longest == 0 {
		return nil
	}
	f.Fix = s.relyOnWatchdogs()
	fires := fmt.Sprintf("the watchdog of %s fires after %v (SBD_WATCHDOG_TIMEOUT)", slow, longest)
	const early = "Pacemaker would take a failed node for dead before its watchdog has fired, " +
		"and another node would take its address"
	switch {
	case wait == 0:
		f.What = "sbd runs on " + strings.Join(s.where(diskless), ", ") +
			" without a disk, and stonith-watchdog-timeout is not set"
		f.Why = "a failed node's watchdog fires, but Pacemaker does not count on that: its " +
			"resources are not recovered"
	case wait < 0 && 2*shortest <= longest:
		f.What, f.Why = fmt.Sprintf(
			"stonith-watchdog-timeout is %s, so that a node waits for twice its own "+
				"SBD_WATCHDOG_TIMEOUT, on one of them %v: %s",
			word, 2*shortest, fires), early
	case wait < 0 && shortest != longest:
		f.Severity = doctor.Warning
		f.What = fmt.Sprintf(
			"stonith-watchdog-timeout is %s, so that a node waits for twice its own "+
				"SBD_WATCHDOG_TIMEOUT, on one of them %v: less than twice that of %s (%v)",
			word, 2*shortest, slow, longest)
		f.Why = "that leaves little time for sbd itself to notice that the node has lost the " +
			"cluster"
	case wait > 0 && wait <= longest:
		f.What, f.Why = fmt.Sprintf("stonith-watchdog-timeout is %s, and %s", word, fires), early+
			"; where Pacemaker notices, it shuts itself down"
	case wait > 0 && wait < 2*longest:
		f.Severity = doctor.Warning
		f.What = fmt.Sprintf(
			"stonith-watchdog-timeout is %s, less than twice SBD_WATCHDOG_TIMEOUT (%v on %s)", word,
			longest, slow)
		f.Why = "that leaves little time for sbd itself to notice that the node has lost the " +
			"cluster"
	default:
		return nil
	}
	return f
}

// judgeDifference finds nodes whose settings are not the same.
func (s sbdNodes) judgeDifference() *doctor.Finding {
	having := map[string][]string{}
	var order []string
	for _, name := range s.where(func(n sbd.Daemon) bool { return n.Running }) {
		fact := doctor.SBDFact(s.of[name])
		if having[fact] == nil {
			order = append(order, fact)
		}
		having[fact] = append(having[fact], name)
	}
	off := s.where(idle)
	if len(order) < 2 && (len(off) == 0 || len(order) == 0) {
		return nil
	}
	var parts []string
	for _, fact := range order {
		parts = append(parts, fact+" on "+strings.Join(having[fact], ", "))
	}
	f := &doctor.Finding{
		Severity: doctor.Warning, Subject: "SBD_WATCHDOG_TIMEOUT",
		Why: "a failed node may still run when the others take its addresses, or they wait " +
			"longer than they must; " +
			"a stonith-watchdog-timeout that suits one node makes Pacemaker shut itself down on " +
			"another",
	}
	if len(order) < 2 {
		f.Subject, f.What = "sbd", "sbd runs on "+strings.Join(having[order[0]], ", ")+
			" and not on "+strings.Join(off, ", ")
		f.Fix = doctor.StartSBD(strings.Join(off, ", "))
		return f
	}
	f.What = "the nodes differ in SBD_WATCHDOG_TIMEOUT: " + strings.Join(parts, "; ")
	f.Fix = []string{
		"grep -H -e ^SBD_WATCHDOG_TIMEOUT -e ^SBD_DEVICE " + strings.Join(sbd.Files(), " ") +
			"    # on each: let them be the same",
		"systemctl restart corosync.service pacemaker.service    # on each that was changed, one " +
			"at a time: sbd reads it when it starts with Corosync, and what runs there moves " +
			"away meanwhile",
	}
	return f
}

// judgeWords finds settings that are not times.
func (s sbdNodes) judgeWords() []doctor.Finding {
	var found []doctor.Finding
	for _, name := range s.where(func(n sbd.Daemon) bool { return diskless(n) && n.Fires() == 0 }) {
		path := cmp.Or(s.of[name].SaidBy, sbd.Files()[0]) // "" is another node's
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Node: name, Subject: path,
			What: fmt.Sprintf("SBD_WATCHDOG_TIMEOUT in %s is %q, which is not a number of seconds",
				path, s.of[name].Word),
			Why: "sbd does not start with it",
			Fix: []string{
				"sed -i 's/^SBD_WATCHDOG_TIMEOUT=.*/SBD_WATCHDOG_TIMEOUT=5/' " + path +
					"    # on " + name + "; the same on every node",
			},
		})
	}
	return found
}

// judgeSilence lists the nodes that have not reported.
func (s sbdNodes) judgeSilence() *doctor.Finding {
	if len(s.silent) == 0 {
		return nil
	}
	names := strings.Join(s.silent, ", ")
	return &doctor.Finding{
		Severity: doctor.Unknown, Subject: "SBD_WATCHDOG_TIMEOUT",
		What: "whether sbd runs on " + names +
			", and with which SBD_WATCHDOG_TIMEOUT: there is no report of it",
		Why: "Pacemaker has to wait for the slowest node's watchdog, which may be that one's",
		Fix: []string{"hawser doctor --tell    # on " + names},
	}
}

// judgeDisk checks that there is the fence device that sbd's disk needs.
func (v *view) judgeDisk(nodes sbdNodes) *doctor.Finding {
	here, ok := nodes.of[v.Node]
	if !ok || !here.Running || here.Disks == "" ||
		slices.ContainsFunc(v.fenceDevices(),
			func(p *crm.Primitive) bool { return strings.Contains(p.Type, "sbd") }) {
		return nil
	}
	return &doctor.Finding{
		Severity: doctor.Error, Node: v.Node, Subject: "sbd",
		What: "sbd has the disk " + here.Disks + ", and no fence device of the cluster uses it",
		Why:  "nothing writes the order to die to that disk when a node fails",
		Fix: []string{
			"crm configure primitive fence-sbd stonith:fence_sbd params devices=" +
				doctor.Quote(strings.ReplaceAll(here.Disks, ";", ",")),
		},
	}
}
