package adapt

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hawser-ha/hawser/internal/words"
	"github.com/hawser-ha/hawser/param"
)

// width is that of the file's comments, beside where one stands behind a short line.
const (
	width  = 78
	beside = 40
)

// writer writes a hawser.yaml with its comments.
type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// comment writes sentences, each of its lines behind indent and #.
func (w *writer) comment(indent, text string) {
	for line := range strings.SplitSeq(words.Fill(text, width-len(indent)-2), "\n") {
		w.line("%s", strings.TrimRight(indent+"# "+line, " "))
	}
}

// yaml writes the file.
func (a *adapter) yaml(r *Result) []byte {
	w := &writer{}
	a.head(w, r)
	w.line("")
	w.comment("", "keepalived had no fencing: where the nodes lose sight of each other, each "+
		"takes the "+
		"addresses, and off leaves it so. Better: with a power switch or a hypervisor that the "+
		"cluster has a "+
		"device for, on; with a watchdog on each node and three nodes, or two and a quorum "+
		"device, sbd "+
		"(/usr/share/doc/hawser/fencing.md). Decide before these balancers serve.")
	w.line("fencing: off")
	w.line("")
	a.haproxy(w)
	w.line("")
	w.comment("", "lan is ARP on the local network, as with keepalived. In a cloud, where that "+
		"moves nothing, "+
		"the provider is the cloud's.")
	w.line("floating_ips:")
	for _, b := range a.bundles {
		for n, x := range b.addresses {
			a.oneAddress(w, b, x, n == 0)
		}
	}
	a.groups(w)
	a.table(w, r)
	return []byte(w.String())
}

func (a *adapter) head(w *writer, r *Result) {
	w.comment("", "hawser.yaml, made by `hawser import keepalived` of")
	for _, n := range a.nodes {
		w.line("#   %s: %s", n.Config.Node, printable(n.Path))
	}
	w.line("#")
	w.comment("", "What to do next:")
	step := 0
	next := func(format string, args ...any) {
		step++
		text := words.Fill(fmt.Sprintf(format, args...), width-5)
		w.line("#  %d. %s", step, strings.ReplaceAll(text, "\n", "\n#     "))
	}
	if r.Outcome == WithRemarks {
		next("Read the lines marked ! and x at the end of this file.")
	}
	if nodes := a.corosync(); nodes != "" {
		next("Pacemaker and Corosync on the nodes, by the addresses that keepalived has:\n"+
			"hawser corosync-conf %s", nodes)
	}
	next("`hawser check FILE`, then `hawser plan -f FILE` on a node: it shows what would be written.")
	next("keepalived and hawser must never both have the addresses: stop and disable keepalived " +
		"on every node before `hawser apply -f FILE`, and haproxy.service, which the cluster starts " +
		"then. /usr/share/doc/hawser/tutorials/from-keepalived.md does it under traffic, node by node.")
}

// corosync are options of corosync-conf, if the files say which addresses the nodes have.
func (a *adapter) corosync() string {
	var out []string
	for _, n := range a.nodes {
		for _, i := range n.Config.Instances {
			if i.Source.IsValid() && len(i.Peers) > 0 {
				out = append(out, fmt.Sprintf("--node %s=%s", n.Config.Node, i.Source))
				break
			}
		}
	}
	if len(out) != len(a.nodes) {
		return ""
	}
	return strings.Join(out, " ")
}

func (a *adapter) haproxy(w *writer) {
	if len(a.checks) == 0 {
		w.comment("", "HAProxy runs on every node and is watched there: no check is needed for that.")
		w.line("haproxy: {}")
		return
	}
	w.comment("", "HAProxy runs on every node and is watched there. An address prefers the nodes "+
		"where its "+
		"checks hold; a check that fails on every node moves nothing.")
	w.line("haproxy:")
	w.line("  checks:")
	for _, c := range a.checks {
		for _, why := range c.why {
			w.comment("    ", why)
		}
		w.line("    - name: %s", scalar(c.Name))
		switch {
		case c.URL != "":
			w.line("      url: %s", scalar(c.URL))
			if c.Method != param.DefaultMethod {
				w.line("      method: %s", c.Method)
			}
			if c.Host != "" {
				w.line("      host: %s", scalar(c.Host))
			}
			if text := c.Statuses.String(); text != param.DefaultStatuses().String() {
				w.line("      status: %s", scalar(text))
			}
			if c.Verify {
				w.line("      tls: {verify: on%s}", field(", ca_file: ", c.CAFile))
			}
		case c.TCP != "":
			w.line("      tcp: %s", scalar(c.TCP))
		default:
			w.line("      exec: %s", scalar(param.JoinWords(c.Exec)))
			w.line("      user: %s", scalar(c.User))
		}
		w.line("      every: %s", param.FormatDuration(c.Every))
		w.line("      timeout: %s", param.FormatDuration(c.Timeout))
		w.line("      rise: %d", c.Rise)
		w.line("      fall: %d", c.Fall)
	}
}

func field(name, value string) string {
	if value == "" {
		return ""
	}
	return name + scalar(value)
}

// oneAddress writes an address; where several move together, the first says where they are to be.
func (a *adapter) oneAddress(w *writer, b *bundle, x *address, first bool) {
	if first {
		w.comment("  ", b.title())
	}
	w.line("  - name: %s", scalar(x.name))
	w.line("    ip: %s", scalar(x.ip.String()))
	w.line("    provider: lan")
	if x.nic != "" {
		w.line("    nic: %s", scalar(x.nic))
	}
	w.line("    cidr_netmask: %d%s", x.bits, behind(x.why))
	if others := slices.DeleteFunc(slices.Clone(b.interfaces), func(name string) bool { // its own is watched
		return name == x.nic
	}); len(others) > 0 {
		w.line("    interfaces: [%s]", scalars(others))
	}
	if len(a.checks) > 0 {
		w.line("    needs: [%s]", scalars(b.needs))
	}
	if !first {
		return
	}
	if b.prefer != "" {
		w.line("    prefer: %s", b.prefer)
	}
	for _, why := range b.why {
		w.comment("    ", why)
	}
	w.line("    failback: %t", b.failback)
	if b.failback && b.after > 0 {
		w.line("    failback_after: %ds", b.after)
	}
}

func behind(why []string) string {
	if len(why) == 0 {
		return ""
	}
	return "  # " + strings.Join(why, "; ")
}

func (a *adapter) groups(w *writer) {
	written := false
	for _, b := range a.bundles {
		if b.name == "" {
			continue
		}
		if !written {
			w.line("")
			w.line("groups:  # addresses that move together")
			written = true
		}
		var names []string
		for _, x := range b.addresses {
			names = append(names, x.name)
		}
		w.line("  - name: %s", scalar(b.name))
		w.line("    addresses: [%s]", strings.TrimSpace(strings.ReplaceAll(
			words.Fill(scalars(names), width-17), "\n", "\n                ")))
	}
	if !written && len(a.bundles) > 1 && a.bundles[0].prefer == a.bundles[1].prefer {
		w.line("")
		w.comment("", "Each of these moves on its own, as it did without a vrrp_sync_group. "+
			"Addresses that must "+
			"be on one node, such as an inside and an outside one, are a group:")
		w.line("# groups: [{name: edge, addresses: [%s, %s]}]", a.bundleName(0), a.bundleName(1))
	}
}

// bundleName is the name of an address of a bundle.
func (a *adapter) bundleName(n int) string {
	if len(a.bundles[n].addresses) == 0 {
		return "…"
	}
	return scalar(a.bundles[n].addresses[0].name)
}

// marks are how the table at the end shows verdicts.
func marks() map[Verdict]string {
	return map[Verdict]string{NotNeeded: "-", Converted: "=", Remark: "!", LeftOut: "x"}
}

// table writes what became of each line.
func (a *adapter) table(w *writer, r *Result) {
	w.line("")
	w.line("# What became of each line:")
	w.line("#   =  converted      -  not needed: VRRP's own matter")
	w.line("#   !  read this      x  left out: hawser has nothing like it")
	file := ""
	for _, l := range r.Lines {
		if l.File != file {
			file = l.File
			w.line("#")
			w.line("# %s (%s):", printable(file), strings.Join(a.readers(file), ", "))
		}
		text := fmt.Sprintf("# %4d %s %s", l.Line, marks()[l.Verdict], cut(l.Text, width-9))
		if l.Line == 0 {
			text = fmt.Sprintf("#      %s the whole file", marks()[l.Verdict])
		}
		if names := strings.Join(l.Comments, ", "); len(l.Comments) > 1 && !strings.Contains(
			strings.Join(l.Comments, ""), " ") {
			l.Comments = []string{names}
		}
		if len(l.Comments) == 1 && utf8.RuneCountInString(text) < beside &&
			utf8.RuneCountInString(l.Comments[0]) <= width-beside {
			pad := strings.Repeat(" ", beside-utf8.RuneCountInString(text))
			w.line("%s%s%s", text, pad, printable(l.Comments[0]))
			continue
		}
		w.line("%s", strings.TrimRight(text, " "))
		for _, comment := range l.Comments {
			filled := words.Fill(printable(comment), width-16)
			w.line("#               %s", strings.ReplaceAll(filled, "\n", "\n#               "))
		}
	}
}

// cut is the beginning of a line, as much as fits.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// readers are the nodes whose file it is.
func (a *adapter) readers(file string) []string {
	var out []string
	for _, n := range a.nodes {
		for _, s := range n.Config.Syntax.Sources {
			if s.Path == file {
				out = append(out, n.Config.Node)
			}
		}
	}
	return out
}

var (
	plain    = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./:-]*$|^\d+\.\d+\.\d+\.\d+$`)
	notPlain = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|~)$|: |:$`)
)

// scalar writes a value as YAML reads it back.
func scalar(text string) string {
	if plain.MatchString(text) && !notPlain.MatchString(text) {
		return text
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(quoted)
}

func scalars(all []string) string {
	out := slices.Clone(all)
	for i, text := range out {
		out[i] = scalar(text)
	}
	return strings.Join(out, ", ")
}

// Summary is what people are told beside the file: the lines that somebody has to read, those of
// several files that say the same together.
func (r *Result) Summary() []string {
	var order []string
	places := map[string][]string{}
	for _, l := range r.Lines {
		if len(l.serious) == 0 {
			continue
		}
		at := l.File
		if l.Line > 0 {
			at = fmt.Sprintf("%s:%d", l.File, l.Line)
		}
		text := strings.Join(l.serious, "; ")
		if l.Line > 0 {
			text = strings.TrimSpace(l.Text) + ": " + text
		}
		if places[text] == nil {
			order = append(order, text)
		}
		places[text] = append(places[text], at)
	}
	var out []string
	for _, text := range order {
		out = append(out, printable(strings.Join(places[text], ", ")+": "+text))
	}
	return out
}
