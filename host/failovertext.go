package host

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/words"
)

// columns is how wide a terminal is taken to be, and stepColumn where the text of a step begins.
const columns, stepColumn = words.Screen, 25

// FailoverText is a failover for people. bold returns a text that stands out, and doubtful one to
// look at, where there are colours.
func FailoverText(f *corosync.Failover, bold, doubtful func(string) string) string {
	var b strings.Builder
	for _, line := range words.Wrap(fmt.Sprintf(
		"%s, by %s. Until the address of a lost node is served by another one:",
		words.Count(f.Nodes, "node"), f.Source), columns) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n")
	for _, step := range f.Steps {
		lead := fmt.Sprintf("  %7.2f s  %-10s  ", step.MS/1000, step.Name)
		for _, line := range words.Wrap(step.Text, columns-stepColumn) {
			b.WriteString(fmt.Sprintf("%-*s", stepColumn, lead) + line + "\n")
			lead = ""
		}
	}
	fmt.Fprintf(&b, "  %s on a LAN\n", bold(fmt.Sprintf("%7.2f s  at most", f.NodeLost/1000)))
	b.WriteString(words.Hang("             ", "in a cloud the provider's API has to move the address "+
		"as well, which usually takes some seconds, and has no limit", columns))
	if len(f.Findings) > 0 {
		b.WriteString("\nWorth a look:\n")
		for _, finding := range f.Findings {
			for i, line := range words.Wrap(finding.Name+": "+finding.Text, columns-4) {
				if i == 0 {
					line = "  " + strings.Replace(line, finding.Name, doubtful(finding.Name), 1)
				} else {
					line = "    " + line
				}
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}

// TotemComment says above a totem section for a network what it is, and where it goes.
func TotemComment(network string, e corosync.Effective) string {
	called := map[string]string{"lan": "LAN", "cloud": "cloud network"}[network]
	var b strings.Builder
	for _, text := range []string{
		fmt.Sprintf("For a %s: a lost node is out of the membership %s after its death at the latest.",
			called, e.Lost()),
		"In place of the totem section in " + corosync.ConfFile + ", on every node; then, on one: " +
			"`corosync-cfgtool -R`",
	} {
		for _, line := range words.Wrap(text, columns-len("# ")) {
			b.WriteString("# " + line + "\n")
		}
	}
	return b.String()
}
