package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/words"
)

// Style is how a part of the text is shown on a terminal that has colours.
type Style int

// Styles.
const (
	Title Style = iota
	Good
	Doubtful
	Bad
)

// styleOf is the style of a state.
func styleOf(s State) Style {
	switch s {
	case OK:
		return Good
	case Degraded:
		return Doubtful
	}
	return Bad
}

// Text is the report for people. paint returns a text in a style, or as it is where there are no
// colours.
func (r *Report) Text(paint func(Style, string) string) string {
	s := &text{paint: paint}
	s.showStatus(words.Cleaned(r))
	return s.String()
}

// text is what is being written.
type text struct {
	strings.Builder
	paint func(Style, string) string
}

func (s *text) printf(format string, a ...any) { fmt.Fprintf(s, format, a...) }

func (s *text) showStatus(r *Report) {
	for _, line := range words.Wrap(r.Verdict(), checkColumns) {
		s.printf("%s\n", s.paint(styleOf(r.State), line))
	}
	s.printf("\n")
	s.showCluster(r)
	s.showHAProxies(r)
	s.showChecks(r)
	s.showIPs(r)
	if len(r.Others) > 0 {
		s.printf("\n%s\n", s.paint(Title, "Other resources"))
		t := new(words.Table)
		for _, o := range r.Others {
			t.Row(o.Resource, o.Agent, s.paint(styleOf(o.State), string(o.Is)), onNode(o.Node),
				o.Reason)
		}
		s.table(t)
	}
	s.showFailures(r)
}

// table writes a table in the width of a terminal.
func (s *text) table(t *words.Table) { s.printf("%s", t.Fit(checkColumns, reasonIndent)) }

// showFailures shows what failed.
func (s *text) showFailures(r *Report) {
	if len(r.Failures) == 0 {
		return
	}
	s.printf("\n%s\n", s.paint(Title, "Failed actions"))
	for _, f := range r.Failures {
		meaning, reason := f.Meaning, f.Reason
		if f.Task == "asyncmon" && reason == contract.SimulatedFailure && r.isAddress(f.Resource) {
			// hawser-watch, by `crm_resource --fail`, which carries no reason
			meaning = "it was gone from its interface, or that was down"
			reason = "`journalctl -t hawser-floatip` on " + f.Node + " says why"
		}
		line := fmt.Sprintf("%s of %s on %s: %s", f.Task, f.Resource, f.Node, meaning)
		if f.Status != "" && f.Status != "complete" && !strings.EqualFold(f.Status, f.Meaning) {
			line += " (" + f.Status + ")"
		}
		if reason != "" {
			line += ": " + reason
		}
		line += words.Since(", at ", f.Time, r.Now)
		lead := "  "
		for _, part := range words.Wrap(line, checkColumns-reasonIndent) {
			s.printf("%s%s\n", lead, strings.Replace(part, meaning, s.paint(Bad, meaning), 1))
			lead = strings.Repeat(" ", reasonIndent)
		}
	}
	s.printf("  (`hawser cleanup` clears them)\n")
}

// isAddress says whether the resource is one of the floating IPs.
func (r *Report) isAddress(resource string) bool {
	return slices.ContainsFunc(r.FloatingIPs, func(ip FloatingIP) bool {
		return ip.Resource == resource
	})
}

// showChecks shows where each check holds.
func (s *text) showChecks(r *Report) {
	if len(r.Checks) == 0 {
		return
	}
	s.printf("\n%s\n", s.paint(Title, "Checks"))
	t := new(words.Table)
	var reasons []string // of the table's lines
	for _, c := range r.Checks {
		var well []string
		for _, n := range c.Nodes {
			if n.Is == CheckHolds {
				well = append(well, n.Node)
			}
		}
		name := c.Name
		if len(well) > 0 {
			t.Row(name, s.paint(Good, "holds"), "on "+strings.Join(well, ", "))
			reasons = append(reasons, "")
			name = ""
		}
		for _, n := range c.Nodes {
			if n.Is != CheckHolds {
				t.Row(name, s.paint(Doubtful, "fails"), "on "+n.Node, words.Since("since ", n.Since, r.Now))
				reasons = append(reasons, n.Reason)
				name = ""
			}
		}
	}
	for i, line := range strings.Split(strings.TrimSuffix(t.String(), "\n"), "\n") {
		s.printf("%s\n", words.Lines(line, checkColumns, reasonIndent))
		if reasons[i] == "" {
			continue
		}
		for _, line := range words.Wrap(reasons[i], checkColumns-reasonIndent) {
			s.printf("%*s%s\n", reasonIndent, "", line)
		}
	}
}

// checkColumns is how wide a terminal is taken to be, reasonIndent where the reason of a check that fails
// begins.
const checkColumns, reasonIndent = words.Screen, 6

func (s *text) showCluster(r *Report) {
	p := r.Pacemaker
	s.printf("%s\n", s.paint(Title, "Cluster"))
	t := new(words.Table)
	if !p.Available {
		t.Row("Pacemaker", s.paint(Bad, "unavailable"), p.Error)
		s.table(t)
		return
	}
	t.Row("Pacemaker", p.Version, "DC "+words.OrNone(p.DC))
	if p.Quorum {
		t.Row("Quorum", s.paint(Good, "yes"))
	} else {
		t.Row("Quorum", s.paint(Bad, "no"), noQuorum(p))
	}
	switch {
	case p.Unfenced:
		t.Row("Fencing", s.paint(Bad, "on"),
			"but no fencing device is configured: Pacemaker will not start any resource")
	case p.Fencing && len(p.Fencers) == 0:
		t.Row("Fencing", s.paint(Doubtful, "on"),
			"but no usable fence device: resources of a failed node are not recovered")
	case p.Fencing:
		for i, f := range p.Fencers {
			name := ""
			if i == 0 {
				name = "Fencing"
			}
			t.Row(name, s.paint(styleOf(f.State), f.String()), f.Reason)
		}
	default:
		t.Row("Fencing", s.paint(Doubtful, "off"),
			"nothing guarantees that an unreachable node is down")
	}
	if len(p.NotFenced) > 0 {
		t.Row("", s.paint(Doubtful, "not of "+strings.Join(p.NotFenced, ", ")),
			"no device names it: when it is lost, what ran there starts nowhere else; `hawser "+
				"doctor` has the fix")
	}
	if p.Maintenance {
		t.Row("Maintenance", s.paint(Doubtful, "on"),
			"nothing is started or stopped: `hawser maintenance off`")
	}
	if a := r.Applied; a != nil {
		t.Row("Applied", "by "+a.User, "from "+
			contract.Applied{Node: a.Node, File: a.File}.Source()+words.Since(" at ", &a.Time, r.Now))
	}
	if !r.Configuration.Available {
		t.Row("CIB", s.paint(Bad, "unavailable"), r.Configuration.Error)
	}
	s.table(t)
	s.printf("\n%s\n", s.paint(Title, "Nodes"))
	t = new(words.Table)
	for _, n := range p.Nodes {
		dc := ""
		if n.DC {
			dc = "DC"
		}
		t.Row(n.Name, s.paint(styleOf(n.State), joined(n.Is)), dc, n.ends())
	}
	s.table(t)
}

// noQuorum says what Pacemaker does in a partition that has no quorum.
func noQuorum(p Pacemaker) string {
	const lost = "this partition has no quorum"
	if p.Maintenance {
		return lost + ": nothing is started or moved"
	}
	then, known := map[string]string{
		"stop":   "Pacemaker stops all resources here",
		"demote": "Pacemaker demotes what is promoted here and stops all other resources",
		"freeze": "what runs here goes on, and nothing is taken over from nodes outside",
		"ignore": "Pacemaker goes on as if it had, and so may the other nodes: an address can be " +
			"held twice",
		"suicide": "Pacemaker has the nodes of this partition fenced, or stops all resources " +
			"here if it never had quorum",
		"fence": "Pacemaker has the nodes of this partition fenced, or stops all resources " +
			"here if it never had quorum or does not know this policy",
	}[p.NoQuorumPolicy]
	if !known {
		return lost
	}
	return fmt.Sprintf("%s: %s (no-quorum-policy is %s)", lost, then, p.NoQuorumPolicy)
}

func (s *text) showHAProxies(r *Report) {
	s.printf("\n%s\n", s.paint(Title, "HAProxy"))
	if len(r.HAProxy) == 0 {
		switch {
		case r.Denied || r.localDenied && !r.Pacemaker.Available:
			s.printf("  not asked: permission denied\n")
		case !r.Pacemaker.Available:
			s.printf("  unknown: Pacemaker is unavailable, and no agent's HAProxy runs on " +
				"this node\n")
		default:
			s.printf("  none is configured: see `hawser --help`\n")
		}
		return
	}
	t := new(words.Table)
	alike := r.alike()
	for _, h := range r.HAProxy {
		servers, sessions := "", ""
		if h.Servers != nil {
			servers = words.Count(h.Servers.Up, "server") + " up"
			if h.Servers.Down > 0 {
				servers += s.paint(Bad, fmt.Sprintf(", %d down", h.Servers.Down))
			}
			if h.Servers.Draining > 0 {
				servers += fmt.Sprintf(", %d draining", h.Servers.Draining)
			}
		}
		if h.Process != nil {
			sessions = words.Count(h.Process.Sessions, "session")
			if h.Process.OldWorkers > 0 {
				sessions += ", " + words.OldWorkers(h.Process.OldWorkers, h.Process.OldSessions,
					h.Configuration.cutIn(r.Now))
			}
		} else if c := h.Configuration; c != nil && c.OldWorkers > 0 {
			sessions = words.OldWorkers(c.OldWorkers, c.OldConnections, c.cutIn(r.Now))
		}
		reason := h.Reason
		if h.Socket != nil && !h.Socket.Available {
			reason = strings.TrimPrefix(reason+"; stats socket unavailable: "+h.Socket.Error, "; ")
		}
		if c := h.Crash; c != nil && r.Now.Sub(c.Time) < crashShown && h.Reason == "" {
			reason = strings.TrimPrefix(
				fmt.Sprintf("%s; crashed %s, back after %.2f s", reason,
					words.Since("at ", &c.Time, r.Now), c.TookSeconds),
				"; ")
			before := h.Since != nil && c.Time.Before(*h.Since)
			switch {
			case before && c.Count > 1:
				reason += fmt.Sprintf(", %d crashes before this start", c.Count)
			case before:
				reason += ", before this start"
			case c.Count > 1:
				reason += fmt.Sprintf(", %d crashes since its start", c.Count)
			}
		}
		if h.Servers != nil && len(h.Servers.DownNames) > 0 {
			const most = 5
			names := h.Servers.DownNames
			if len(names) > most {
				names = append(slices.Clone(names[:most]), fmt.Sprintf("%d more", len(names)-most))
			}
			reason = strings.TrimPrefix(reason+"; down: "+strings.Join(names, ", "), "; ")
		}
		configuration := h.Configuration.String()
		if alike {
			configuration = ""
		}
		t.Row(h.Node, h.Resource, s.paint(styleOf(h.State), string(h.Is)),
			words.Since("since ", h.Since, r.Now), servers, sessions, configuration, reason)
	}
	s.table(t)
	if alike {
		s.showServed(r)
	}
	s.showDrift(r)
}

// showServed says what all nodes serve.
func (s *text) showServed(r *Report) {
	served := map[string]string{}
	for _, h := range r.HAProxy {
		if h.Configuration != nil {
			served[h.Resource] = h.Configuration.Serves
		}
	}
	for _, resource := range slices.Sorted(maps.Keys(served)) {
		of := ""
		if len(served) > 1 {
			of = " of " + resource
		}
		s.printf("  every node%s serves %s\n", of, served[resource])
	}
}

// alike reports whether every node serves the same configuration, which its files are, too.
func (r *Report) alike() bool {
	return len(r.Drift) == 0 && !slices.ContainsFunc(r.HAProxy, func(h HAProxy) bool {
		return h.Configuration != nil && (h.Configuration.Serves == "" || h.Configuration.Disk != "")
	})
}

// showDrift says in words what the table's hashes mean.
func (s *text) showDrift(r *Report) {
	for _, d := range r.Drift {
		var parts []string
		for _, c := range d.Served {
			parts = append(parts,
				fmt.Sprintf("%s on %s", c.Configuration, strings.Join(c.Nodes, ", ")))
		}
		s.below(Doubtful, d.Resource+" serves different configurations: "+strings.Join(parts, "; "))
	}
	var edited, unknown []string
	for _, h := range r.HAProxy {
		switch {
		case !h.Configuration.Drifted():
		case h.Configuration.Serves == "":
			unknown = append(unknown, h.Node)
		default:
			edited = append(edited, h.Node)
		}
	}
	if len(unknown) > 0 {
		s.below(Doubtful, unknownOn+strings.Join(unknown, ", ")+": `hawser reload` there loads its files")
	}
	if len(edited) > 0 {
		s.below(Doubtful, "HAProxy's files were changed and not loaded on "+
			strings.Join(edited, ", ")+": `hawser reload` there loads them, `hawser reload --push FILE` "+
			"brings one to every node")
	}
}

// below writes a sentence below a table.
func (s *text) below(style Style, sentence string) {
	for _, line := range words.Wrap(sentence, checkColumns-2) {
		s.printf("  %s\n", s.paint(style, line))
	}
}

// crashShown is how long after it a crash is told.
const crashShown = 24 * time.Hour

func (s *text) showIPs(r *Report) {
	s.printf("\n%s\n", s.paint(Title, "Floating IPs"))
	if len(r.FloatingIPs) == 0 {
		switch {
		case !r.Pacemaker.Available:
			s.printf("  unknown: Pacemaker is unavailable\n")
		default:
			s.printf("  none is configured\n")
		}
		return
	}
	t := new(words.Table)
	for _, ip := range r.FloatingIPs {
		is := string(ip.Is)
		if ip.Node != "" && ip.Is == Running {
			is = "on " + ip.Node
		} else if ip.Node != "" {
			is += " on " + ip.Node
		}
		reason := cmp.Or(ip.Reason, ip.starts())
		if ip.Unserved != "" {
			reason = strings.TrimPrefix(reason+"; "+ip.Unserved, "; ")
		}
		t.Row(ip.Resource, ip.IP, s.paint(styleOf(ip.State), is),
			words.Since("since ", ip.Since, r.Now), ip.next(), reason)
	}
	s.table(t)
}

// next says who takes the address if its node is lost.
func (ip FloatingIP) next() string {
	switch {
	case ip.Next != "":
		return "next: " + ip.Next
	case ip.NoNext != "":
		return "next: none, " + ip.NoNext
	}
	return ""
}

func onNode(node string) string {
	if node == "" {
		return ""
	}
	return "on " + node
}
