package keepalived

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// world runs commands where there are the interfaces that the configurations name.
const world = `for i in eth0 eth1 eth2 eth3 ens18 'eth0;'; do
	ip link add "$i" type veth peer name "p$i" && ip link set "$i" up && ip link set "p$i" up || exit 99
done
ip addr add 192.0.2.1/24 dev eth0 && exec "$@"`

// complaints are keepalived's own about a file.
func complaints(t *testing.T, file string) string {
	t.Helper()
	needs.Root(t)
	program := needs.Command(t, "keepalived")
	full, err := filepath.Abs(file)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), needs.Command(t, "unshare"), "-n", "/bin/sh", "-c", world, "sh",
		program, "--config-test", "--config-id", strings.TrimSuffix(filepath.Base(file), ".conf"), "-f", full)
	out, err := cmd.CombinedOutput() // an exit code is that of complaints
	var ended *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &ended, string(out))
		require.NotEqual(t, 99, ended.ExitCode(), string(out))
	}
	return string(out)
}

// equals are what keepalived says, and what hawser says of the same.
func equals() [][2]string {
	return [][2]string{
		{
			`Line (\d+)\) Unknown keyword '([^}].*)'`,
			`Line (\d+)\) "(.*)" is no keyword here`,
		},
		{
			`Line (\d+)\) (Unexpected) '\{'`,
			`Line (\d+)\) a { that belongs (to) no block`,
		},
		{
			`Line (\d+)\) (Extra) '\}' found`,
			`Line (\d+)\) a } (too) many`,
		},
		{
			`Line (\d+)\) vrrp instance (\S+) already defined`,
			`Line (\d+)\) vrrp_instance (\S+) is already defined`,
		},
		{
			`Line (\d+)\) (vrrp_instance) must have a name`,
			`Line (\d+)\) (vrrp_instance) has 0 names`,
		},
		{
			`Line (\d+)\) \(\S+\) state previously set as (MASTER)`,
			`Line (\d+)\) keepalived stays with the (MASTER)`,
		},
		{
			`Line (\d+)\) \(\S+\) unknown state '(\S+)'`,
			`Line (\d+)\) keepalived does not know the state (\S+)`,
		},
		{
			`Line (\d+)\) \(\S+\) (Priority) not valid`,
			`Line (\d+)\) (priority) \S+: keepalived takes 100`,
		},
		{
			`Line (\d+)\) \(\S+\) unknown authentication type '(\S+)'`,
			`Line (\d+)\) keepalived does not know (\S+), so the`,
		},
		{
			`Line (\d+)\) \(\S+\) (notify\S*) script already specified`,
			`Line (\d+)\) keepalived takes the first (notify\S*),`,
		},
		{
			`Line (\d+)\) \(\S+\) track script (\S+) not found`,
			`Line (\d+)\) keepalived passes over it: vrrp_script (\S+) is`,
		},
		{
			`Line (\d+)\) \(\S+\) duplicate track_script (\S+) -`,
			`Line (\d+)\) keepalived tracks (\S+) once`,
		},
		{
			`Line (\d+)\) VRRP .* (skipping) (?:VIP|IP)\.\.\.`,
			`Line (\d+)\) keepalived leaves the (address) out`,
		},
		{
			`Line (\d+)\) Config files missing '(.*)'`,
			`Line (\d+)\) no file is there for (.*): what`,
		},
		{
			`Line (\d+)\) (Unterminated) quote`,
			`Line (\d+)\) a quote has no (end) in this line`,
		},
		{
			`There are (\d) missing ('\})'s`,
			`(\d) (}) missing at its end`,
		},
		{
			`()Warning - nopreempt will not work (with) initial`,
			`()keepalived clears nopreempt (beside) state MASTER`,
		},
		{
			`()nopreempt is incompatible with priority (255)`,
			`()keepalived clears nopreempt with priority (255)`,
		},
		{
			`()preempt delay will not work with initial (state)`,
			`()keepalived clears preempt_delay beside (state)`,
		},
		{
			`()ignoring tracked script (\S+) with weights`,
			`()a weight means nothing: keepalived passes over (\S+)`,
		},
		{
			`()ignoring (\S+) tracked interface weight due to SYNC group`,
			`()keepalived takes (\S+) without it, and gives`,
		},
		{
			`()(the) virtual router id must be set`,
			`()it has (no) virtual_router_id`,
		},
	}
}

// places are where one of them speaks of what a pattern says, and about what where both name it.
func places(pattern, text string) []string {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// TestAsKeepalived has keepalived check each configuration: what it complains about is what hawser
// complains about, in the same lines.
func TestAsKeepalived(t *testing.T) {
	compared := 0
	for _, dir := range cases(t) {
		for _, file := range filesOf(t, dir) {
			theirs := complaints(t, file)
			node := strings.TrimSuffix(filepath.Base(file), ".conf")
			read, err := syntax.Read(file, syntax.Options{Node: node})
			require.NoError(t, err)
			ours := spoken(model.Of(node, read))
			for _, both := range equals() {
				pattern, own := both[0], both[1]
				want, got := places(pattern, theirs), places(own, ours)
				if strings.Contains(theirs, "Segmentation fault") || len(want) == 0 && refused(theirs) {
					continue // it ended before it came so far
				}
				require.Equal(t, want, got, "%s: "+
					"%s\nkeepalived:\n%s\nhawser:\n%s", file, pattern, theirs, ours)
				compared += len(want)
			}
		}
	}
	require.Greater(t, compared, 40, "complaints that were compared")
}

// refused reports whether keepalived has ended because of something in a file.
func refused(text string) bool {
	return strings.Contains(text, "must be set") || strings.Contains(text, "Non-existent interface") ||
		strings.Contains(text, "both use VRID")
}

// spoken is all that hawser has to say about a configuration.
func spoken(c *model.Config) string {
	var b strings.Builder
	for _, n := range c.Syntax.Notices {
		fmt.Fprintf(&b, "(%s: Line %d) %s\n", n.File, n.Line, n.Text)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "(%s: Line %d) %s\n", n.At.File, n.At.Line, n.Text)
	}
	return b.String()
}

// TestWhoHoldsIt names who has the address in the set-ups, as the priorities and weights say it.
func TestWhoHoldsIt(t *testing.T) {
	for dir, want := range map[string]string{
		"usual": "lb-1 back", "smallweight": "lb-1 back", "nopreemptmaster": "lb-1 back",
		"nopreempt": "lb-1 stays", "nopreemptweight": "lb-1 stays", "preemptdelay": "lb-1 back " +
			"after 300",
		"equal": " stays", "owner": "lb-1 back", "three": "lb-1 back", "alone": " stays",
		"unicast": "lb-1 back",
	} {
		report, err := Import(filesOf(t, "testdata/"+dir), nil)
		require.NoError(t, err, dir)
		got := ""
		prefer := regexp.MustCompile(`(?m)^    prefer: [\[{](lb-\d)`)
		if m := prefer.FindStringSubmatch(report.YAML); m != nil {
			got = m[1]
		}
		if got += " stays"; strings.Contains(report.YAML, "\n    failback: true") {
			got = strings.Replace(got, "stays", "back", 1)
		}
		if m := regexp.MustCompile(`failback_after: (\d+)s\n`).FindStringSubmatch(report.YAML); m != nil {
			got += " after " + m[1]
		}
		require.Equal(t, want, got, dir)
	}
}
