package doctor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// runs says whether a program of that name runs on this node.
func (c *Cluster) runs(name string) bool {
	return len(procfs.FS(filepath.Join("/", c.Files, "proc")).Named(name)) > 0
}

// sbdHere is sbd on this node.
func (c *Cluster) sbdHere() (sbdNode, error) { return readSBD(c.Files, c.runs("sbd")) }

// readSBDs finds out about sbd on every node that runs: of this one by its files, of the others by what they told. Its error says what
// cannot be known.
func (v *clusterView) readSBDs(ctx context.Context) (sbdNodes, error) {
	all := sbdNodes{of: map[string]sbdNode{}}
	here, hereErr := v.sbdHere()
	if hereErr == nil {
		all.of[v.Node] = here
	}
	if v.Told == nil {
		return all, hereErr
	}
	told, err := v.Told(ctx)
	if told == nil && err == nil {
		return all, hereErr // a file has no nodes to ask
	}
	if err != nil {
		hereErr = errors.Join(hereErr, fmt.Errorf("what the other nodes told of sbd: %w", err))
	}
	for _, n := range v.status.Nodes {
		if !n.Online || n.Type == "remote" || sameHost(n.Name, v.Node) {
			continue
		}
		if heard := heardSBD(told[n.Name]); heard != nil {
			all.of[n.Name] = *heard
		} else {
			all.silent = append(all.silent, n.Name)
		}
	}
	return all, hereErr
}

// sameHost compares host names without their domains.
func sameHost(a, b string) bool {
	a, _, _ = strings.Cut(a, ".")
	b, _, _ = strings.Cut(b, ".")
	return strings.EqualFold(a, b)
}

// checkSBD compares Pacemaker's stonith-watchdog-timeout with sbd on the nodes, as controld's check_sbd_timeout() does on each when it
// starts and when the option changes, and the nodes with each other, which Pacemaker does not.
func checkSBD(ctx context.Context, v *clusterView) ([]Finding, error) {
	nodes, err := v.readSBDs(ctx)
	wait, word, ok := watchdogWait(v.cib)
	if !ok {
		return []Finding{{Severity: Error, Subject: "stonith-watchdog-timeout", What: fmt.Sprintf("stonith-watchdog-timeout is %q, which is not a time", word),
			Why: "Pacemaker cannot tell how long to wait for a lost node's watchdog", Fix: nodes.relyOnWatchdogs()}}, err
	}
	if wait == 0 && len(nodes.of) > 0 && len(nodes.where(idle)) == len(nodes.of) {
		return nil, nil // what other nodes did not tell is said elsewhere
	}
	var found []Finding
	for _, f := range []*Finding{nodes.judgeWait(wait, word), nodes.judgeDifference(), v.judgeDisk(nodes), nodes.judgeSilence()} {
		if f != nil {
			found = append(found, *f)
		}
	}
	return append(found, nodes.judgeWords()...), err
}

// judgeWait compares the time that Pacemaker waits for a lost node's watchdog with the watchdogs.
func (s sbdNodes) judgeWait(wait time.Duration, word string) *Finding {
	f := &Finding{Severity: Error, Subject: "stonith-watchdog-timeout"}
	off := s.where(idle)
	if wait != 0 && len(off) > 0 {
		f.What = "stonith-watchdog-timeout is " + word + ", and no sbd runs on " + strings.Join(off, ", ")
		f.Why = "the other nodes would count on a watchdog that nobody feeds or starves: Pacemaker's controller ends itself at its next start when it finds that"
		for _, name := range off {
			f.Fix = append(f.Fix, startSBD(name)...)
		}
		f.Fix = append(f.Fix, "# or, if another fence device is used: "+unset("stonith-watchdog-timeout"))
		return f
	}
	shortest, longest, slow := s.watchdogs()
	if longest == 0 {
		return nil
	}
	f.Fix = s.relyOnWatchdogs()
	fires := fmt.Sprintf("the watchdog of %s fires after %v (SBD_WATCHDOG_TIMEOUT)", slow, longest)
	const early = "Pacemaker would take a lost node for dead before its watchdog has fired, and another node would take its address"
	switch {
	case wait == 0:
		f.What = "sbd runs on " + strings.Join(s.where(diskless), ", ") + " without a disk, and stonith-watchdog-timeout is not set"
		f.Why = "a node's watchdog fires when it is lost, but Pacemaker does not count on that: what ran there starts nowhere else"
	case wait < 0 && 2*shortest <= longest:
		f.What, f.Why = fmt.Sprintf("stonith-watchdog-timeout is %s, so that a node waits for twice its own SBD_WATCHDOG_TIMEOUT, on one of them %v: %s", word, 2*shortest, fires), early
	case wait < 0 && shortest != longest:
		f.Severity = Warning
		f.What = fmt.Sprintf("stonith-watchdog-timeout is %s, so that a node waits for twice its own SBD_WATCHDOG_TIMEOUT, on one of them %v: less than twice that of %s (%v)", word, 2*shortest, slow, longest)
		f.Why = "little is left for the time in which sbd itself notices that the node is lost"
	case wait > 0 && wait <= longest:
		f.What, f.Why = fmt.Sprintf("stonith-watchdog-timeout is %s, and %s", word, fires), early+"; where Pacemaker sees it, it ends itself"
	case wait > 0 && wait < 2*longest:
		f.Severity = Warning
		f.What = fmt.Sprintf("stonith-watchdog-timeout is %s, less than twice SBD_WATCHDOG_TIMEOUT (%v on %s)", word, longest, slow)
		f.Why = "little is left for the time in which sbd itself notices that the node is lost"
	default:
		return nil
	}
	return f
}

// judgeDifference finds nodes whose settings are not the same.
func (s sbdNodes) judgeDifference() *Finding {
	having := map[string][]string{}
	var order []string
	for _, name := range s.where(func(n sbdNode) bool { return n.runs }) {
		fact := s.of[name].fact()
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
	f := &Finding{Severity: Warning, Subject: "SBD_WATCHDOG_TIMEOUT", Why: "a lost node may still run when the others take its addresses, or they wait longer than they must; " +
		"a stonith-watchdog-timeout that suits one node makes Pacemaker end itself on another"}
	if len(order) < 2 {
		f.Subject, f.What = "sbd", "sbd runs on "+strings.Join(having[order[0]], ", ")+" and not on "+strings.Join(off, ", ")
		f.Fix = startSBD(strings.Join(off, ", "))
		return f
	}
	f.What = "the nodes differ in SBD_WATCHDOG_TIMEOUT: " + strings.Join(parts, "; ")
	f.Fix = []string{"grep -H -e ^SBD_WATCHDOG_TIMEOUT -e ^SBD_DEVICE " + strings.Join(sbdFiles, " ") + "    # on each: let them be the same",
		"systemctl restart corosync.service pacemaker.service    # on each that was changed, one at a time: sbd reads it when it starts with Corosync, and what runs there moves away meanwhile"}
	return f
}

// judgeWords finds settings that are no times.
func (s sbdNodes) judgeWords() []Finding {
	var found []Finding
	for _, name := range s.where(func(n sbdNode) bool { return diskless(n) && n.watchdog == 0 }) {
		path := s.of[name].path
		if path == "" {
			path = sbdFiles[0] // another node's
		}
		found = append(found, Finding{Severity: Error, Node: name, Subject: path, What: fmt.Sprintf("SBD_WATCHDOG_TIMEOUT in %s is %q, which is not a number of seconds", path, s.of[name].word),
			Why: "sbd does not start with it", Fix: []string{"sed -i 's/^SBD_WATCHDOG_TIMEOUT=.*/SBD_WATCHDOG_TIMEOUT=5/' " + path + "    # on " + name + "; the same on every node"}})
	}
	return found
}

// judgeSilence says of which nodes nothing is known.
func (s sbdNodes) judgeSilence() *Finding {
	if len(s.silent) == 0 {
		return nil
	}
	names := strings.Join(s.silent, ", ")
	return &Finding{Severity: Unknown, Subject: "SBD_WATCHDOG_TIMEOUT", What: "whether sbd runs on " + names + ", and with which SBD_WATCHDOG_TIMEOUT: nothing was told of it",
		Why: "Pacemaker has to wait for the slowest node's watchdog, which may be that one's", Fix: []string{"hawser doctor --tell    # on " + names}}
}

// judgeDisk looks for the fence device that sbd's disk needs.
func (v *clusterView) judgeDisk(nodes sbdNodes) *Finding {
	here, ok := nodes.of[v.Node]
	if !ok || !here.runs || here.disks == "" || slices.ContainsFunc(v.fenceDevices(), func(p *crm.Primitive) bool { return strings.Contains(p.Type, "sbd") }) {
		return nil
	}
	return &Finding{Severity: Error, Node: v.Node, Subject: "sbd", What: "sbd has the disk " + here.disks + ", and no fence device of the cluster uses it",
		Why: "nobody writes the order to die to that disk when a node is lost", Fix: []string{"crm configure primitive fence-sbd stonith:fence_sbd params devices=" + quote(strings.ReplaceAll(here.disks, ";", ","))}}
}
