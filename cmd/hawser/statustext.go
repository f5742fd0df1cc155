package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/internal/words"
)

var stateColour = map[status.State]string{status.OK: green, status.Degraded: yellow, status.Failed: red, status.Unavailable: red}

// showStatus prints the report for people.
func (s *terminal) showStatus(r *status.Report) {
	s.showCluster(r)
	s.showHAProxies(r)
	s.showIPs(r)
	if len(r.Others) > 0 {
		s.printf("\n%s\n", s.paint(bold, "Other resources"))
		t := s.table()
		for _, o := range r.Others {
			t.row(o.Resource, o.Agent, s.paint(stateColour[o.State], o.Is), onNode(o.Node), o.Reason)
		}
		t.flush()
	}
	if len(r.Failures) > 0 {
		s.printf("\n%s\n", s.paint(bold, "Failed actions"))
		for _, f := range r.Failures {
			line := fmt.Sprintf("%s of %s on %s: %s", f.Task, f.Resource, f.Node, s.paint(red, f.Meaning))
			if f.Status != "" && f.Status != "complete" && !strings.EqualFold(f.Status, f.Meaning) {
				line += " (" + f.Status + ")"
			}
			if f.Reason != "" {
				line += ": " + f.Reason
			}
			s.printf("  %s%s\n", line, sinceText(", at ", f.Time, r.Now))
		}
		s.printf("  (`crm_resource --cleanup` clears them)\n")
	}
}

func (s *terminal) showCluster(r *status.Report) {
	p := r.Pacemaker
	s.printf("%s\n", s.paint(bold, "Cluster"))
	t := s.table()
	if !p.Available {
		t.row("Pacemaker", s.paint(red, "unavailable"), p.Error)
		t.flush()
		return
	}
	t.row("Pacemaker", p.Version, "DC "+words.OrNone(p.DC))
	if p.Quorum {
		t.row("Quorum", s.paint(green, "yes"))
	} else {
		t.row("Quorum", s.paint(red, "no"), "this partition has no quorum: nothing is started or moved")
	}
	switch {
	case p.Unfenced:
		t.row("Fencing", s.paint(red, "on"), "but no fencing device is configured: Pacemaker will not start any resource")
	case p.Fencing && len(p.Fencers) == 0:
		t.row("Fencing", s.paint(yellow, "on"), "but no usable fence device: resources of a failed node are not recovered")
	case p.Fencing:
		for i, f := range p.Fencers {
			name := ""
			if i == 0 {
				name = "Fencing"
			}
			t.row(name, s.paint(stateColour[f.State], f.String()), f.Reason)
		}
	default:
		t.row("Fencing", s.paint(yellow, "off"), "nothing guarantees that an unreachable node is down")
	}
	if len(p.NotFenced) > 0 {
		t.row("", s.paint(yellow, "not of "+strings.Join(p.NotFenced, ", ")), "no device names it: when it is lost, what ran there starts nowhere else; `hawser doctor` says what mends it")
	}
	if p.Maintenance {
		t.row("Maintenance", s.paint(yellow, "on"), "Pacemaker starts and stops nothing")
	}
	if !r.Configuration.Available {
		t.row("CIB", s.paint(red, "unavailable"), r.Configuration.Error)
	}
	t.flush()
	s.printf("\n%s\n", s.paint(bold, "Nodes"))
	t = s.table()
	for _, n := range p.Nodes {
		dc := ""
		if n.DC {
			dc = "DC"
		}
		t.row(n.Name, s.paint(stateColour[n.State], strings.Join(n.Is, ", ")), dc)
	}
	t.flush()
}

func (s *terminal) showHAProxies(r *status.Report) {
	s.printf("\n%s\n", s.paint(bold, "HAProxy"))
	if len(r.HAProxy) == 0 {
		switch {
		case !r.Pacemaker.Available:
			s.printf("  unknown: Pacemaker is unavailable, and no HAProxy of an agent runs on this node\n")
		default:
			s.printf("  none is configured: see `hawser --help`\n")
		}
		return
	}
	t := s.table()
	for _, h := range r.HAProxy {
		servers, sessions := "", ""
		if h.Servers != nil {
			servers = words.Count(h.Servers.Up, "server") + " up"
			if h.Servers.Down > 0 {
				servers += s.paint(red, fmt.Sprintf(", %d down", h.Servers.Down))
			}
			if h.Servers.Draining > 0 {
				servers += fmt.Sprintf(", %d draining", h.Servers.Draining)
			}
		}
		if h.Process != nil {
			sessions = words.Count(h.Process.Sessions, "session")
			if h.Process.OldWorkers > 0 {
				sessions += ", " + draining(h.Process.OldWorkers, h.Process.OldSessions)
			}
		} else if c := h.Configuration; c != nil && c.OldWorkers > 0 {
			sessions = draining(c.OldWorkers, c.OldConnections)
		}
		reason := h.Reason
		if h.Socket != nil && !h.Socket.Available {
			reason = strings.TrimPrefix(reason+"; stats socket unavailable: "+h.Socket.Error, "; ")
		}
		if c := h.Crash; c != nil && r.Now.Sub(c.Time) < crashShown && h.Reason == "" {
			reason = strings.TrimPrefix(fmt.Sprintf("%s; crashed %s, back after %.2f s", reason, sinceText("at ", &c.Time, r.Now), c.TookSeconds), "; ")
			if c.Count > 1 {
				reason += fmt.Sprintf(", %d crashes since its start", c.Count)
			}
		}
		t.row(h.Node, h.Resource, s.paint(stateColour[h.State], h.Is), sinceText("since ", h.Since, r.Now), servers, sessions, h.Configuration.String(), reason)
	}
	t.flush()
	s.showDrift(r)
}

// showDrift says in words what the table's hashes mean.
func (s *terminal) showDrift(r *status.Report) {
	for _, d := range r.Drift {
		var parts []string
		for _, c := range d.Served {
			parts = append(parts, fmt.Sprintf("%s on %s", c.Configuration, strings.Join(c.Nodes, ", ")))
		}
		s.printf("  %s %s\n", s.paint(yellow, d.Resource+" serves different configurations:"), strings.Join(parts, "; "))
	}
	for _, h := range r.HAProxy {
		if h.Configuration.Drifted() {
			s.printf("  The files are not what is served on some nodes: `hawser reload` has them loaded\n")
			return
		}
	}
}

// crashShown is how long after it a crash is told.
const crashShown = 24 * time.Hour

func (s *terminal) showIPs(r *status.Report) {
	s.printf("\n%s\n", s.paint(bold, "Floating IPs"))
	if len(r.FloatingIPs) == 0 {
		switch {
		case !r.Pacemaker.Available:
			s.printf("  unknown: Pacemaker is unavailable\n")
		default:
			s.printf("  none is configured\n")
		}
		return
	}
	t := s.table()
	for _, ip := range r.FloatingIPs {
		is := ip.Is
		if ip.Node != "" && is == "running" {
			is = "on " + ip.Node
		} else if ip.Node != "" {
			is += " on " + ip.Node
		}
		t.row(ip.Resource, ip.IP, s.paint(stateColour[ip.State], is), sinceText("since ", ip.Since, r.Now), ip.Reason)
	}
	t.flush()
}

func onNode(node string) string {
	if node == "" {
		return ""
	}
	return "on " + node
}

// sinceText is a time of day and how long ago that was.
func sinceText(word string, t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	layout := "15:04:05"
	ago := now.Sub(*t)
	if ago > 20*time.Hour || ago < -time.Minute {
		layout = "2006-01-02 15:04:05"
	}
	return fmt.Sprintf("%s%s (%s)", word, t.Local().Format(layout), rough(ago))
}

// rough is a length of time in its two largest units.
func rough(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	day := 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// table aligns columns, whatever colours their cells have.
type table struct {
	out  *terminal
	rows [][]string
}

func (s *terminal) table() *table { return &table{out: s} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) flush() {
	var widths []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], visible(c))
		}
	}
	for _, r := range t.rows {
		line := "  "
		for i, c := range r {
			if widths[i] > 0 {
				line += c + strings.Repeat(" ", widths[i]-visible(c)+2)
			}
		}
		t.out.printf("%s\n", strings.TrimRight(line, " "))
	}
}

// visible is the width of a text without its colours.
func visible(text string) int {
	width := 0
	for text != "" {
		before, rest, found := strings.Cut(text, "\x1b[")
		width += utf8.RuneCountInString(before)
		if !found {
			break
		}
		_, text, _ = strings.Cut(rest, "m")
	}
	return width
}
