package keepalived

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// TestMeaning starts keepalived on configurations, in namespaces of its own, and compares what it says
// that it has made of them with hawser's model.
func TestMeaning(t *testing.T) {
	needs.Root(t)
	compared := 0
	for _, name := range []string{"usual", "smallweight", "nopreemptmaster", "nopreempt", "preemptdelay", "owner",
		"equal", "syncgroup", "addresses", "unicast", "differing", "definitions", "conditional", "reverse",
		"strict", "deaf", "trackers", "misspelt", "crlf", "notify", "activeactive"} {
		for _, file := range filesOf(t, "testdata/"+name) {
			node := strings.TrimSuffix(filepath.Base(file), ".conf")
			if node == "keepalived" {
				node = "nfs1"
			}
			quiet := harmless(t, file)
			read, err := syntax.Read(quiet, syntax.Options{Node: node})
			require.NoError(t, err)
			theirs := dumped(t, quiet, node)
			require.Equal(t, theirs, described(model.Of(node, read)), file)
			compared += strings.Count(theirs, "\n")
		}
	}
	require.Greater(t, compared, 200, "settings that were compared")
}

// harmless is a copy of a configuration whose scripts do nothing: keepalived is going to run them.
func harmless(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	quiet := regexp.MustCompile(`(?m)^(\s*)(script|notify|notify_master|notify_backup|notify_fault|notify_stop)`+
		`[ \t]+\S[^\r\n]*`).ReplaceAll(text, []byte(`${1}${2} "/bin/true"`))
	quiet = regexp.MustCompile(`(?m)^\s*(notify_fifo\S*|startup_script|shutdown_script|nftables) .*$`).
		ReplaceAll(quiet, nil)
	path := filepath.Join(t.TempDir(), filepath.Base(file))
	require.NoError(t, os.WriteFile(path, quiet, 0o644)) //nolint:gosec // no secret
	return path
}

// dumped is what keepalived says that it has made of a configuration.
func dumped(t *testing.T, file, node string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, needs.Command(t, "unshare"), "--net", "--mount", "--pid", "--fork",
		"--kill-child", "/bin/sh", "-c", "mount -t tmpfs tmpfs /run && "+world, "sh", needs.Command(t, "keepalived"),
		"--dont-fork", "--log-console", "--dump-conf", "--vrrp", "--config-id", node, "-f", file)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	var lines []string
	for all := bufio.NewScanner(out); all.Scan(); {
		line := regexp.MustCompile(`^\w+ \w+ +\d+ [\d:]+ \d+: `).ReplaceAllString(all.Text(), "")
		if strings.Contains(line, "------< Interfaces >") {
			cancel()
			_ = cmd.Wait()
			return topology(t, lines)
		}
		lines = append(lines, line)
	}
	t.Fatalf("keepalived has not said what it made of %s: %v\n%s", file, cmd.Wait(), strings.Join(lines, "\n"))
	return ""
}

// topology is what the lines say about instances, in the words of described.
func topology(t *testing.T, lines []string) string {
	t.Helper()
	var b strings.Builder
	list := ""
	for _, line := range lines {
		text := strings.TrimSpace(line)
		key, value, pair := strings.Cut(text, " = ")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case strings.Contains(text, "------< VRRP Scripts >"), strings.HasPrefix(text, "VRRP Sync Group"):
			list = "over"
		case strings.Contains(text, "------<"):
			list = ""
		case list == "over":
		case indent > 3 && list != "":
			fmt.Fprintf(&b, "%s %s\n", list, entryOf(t, list, text))
		case key == "VRRP Instance":
			fmt.Fprintf(&b, "instance %s\n", value)
		case pair && wanted[key] != "":
			fmt.Fprintf(&b, "%s %s\n", wanted[key], strings.TrimSuffix(value, " secs"))
		case key == "Preempt":
			if value == "disabled" {
				b.WriteString("nopreempt\n")
			}
		default:
			list = map[string]string{"Virtual IP": "address", "Virtual IP Excluded :": "excluded",
				"Tracked scripts :": "script", "Tracked interfaces :": "tracks",
				"Tracked processes :": "process"}[regexp.MustCompile(` \(\d+\):$`).ReplaceAllString(text, "")]
			continue
		}
		if indent <= 3 && list != "over" {
			list = ""
		}
	}
	return b.String()
}

// wanted are the settings that are compared.
var wanted = map[string]string{"VRRP Version": "version", "Wantstate": "state", "Interface": "interface",
	"Virtual Router ID": "id", "Priority": "priority", "Preempt delay": "delay", "Sync group": "sync"}

// entryOf is a line of a list.
func entryOf(t *testing.T, list, text string) string {
	t.Helper()
	fields := strings.Fields(text)
	if list == "script" || list == "tracks" || list == "process" {
		return strings.ReplaceAll(text, ",", "")
	}
	out := fields[0]
	if !strings.Contains(out, "/") {
		ip, err := netip.ParseAddr(out)
		require.NoError(t, err, text)
		out = fmt.Sprintf("%s/%d", out, ip.BitLen())
	}
	for i, field := range fields {
		if (field == "dev" || field == "label") && i+1 < len(fields) {
			out += " " + fields[i+1]
		}
	}
	return out
}

// described is the same of hawser's model.
func described(c *model.Config) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, i := range c.Instances {
		state := "BACKUP"
		if i.Master {
			state = "MASTER"
		}
		say("instance %s\nversion %d", i.Name, i.Version)
		if i.Sync != nil {
			say("sync %s", i.Sync.Name)
		}
		say("state %s\ninterface %s\nid %d\npriority %d", state, i.Interface, i.VRID, i.Priority)
		if i.NoPreempt {
			say("nopreempt")
		}
		if i.Delay > 0 {
			say("delay %g", i.Delay)
		}
		for _, excluded := range []bool{false, true} {
			for _, a := range i.Addresses {
				if a.Excluded == excluded {
					kind := map[bool]string{false: "address", true: "excluded"}[excluded]
					say("%s", strings.TrimSpace(fmt.Sprintf("%s %s %s %s", kind, a.Prefix,
						firstNonEmpty(a.Dev, i.Interface), a.Label)))
				}
			}
		}
		tracked(say, "tracks", i.Interfaces)
		tracked(say, "script", i.Scripts)
		tracked(say, "process", i.Processes)
	}
	return b.String()
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func tracked(say func(string, ...any), kind string, list []*model.Track) {
	for _, t := range list {
		reverse := ""
		if t.Reverse {
			reverse = " reverse"
		}
		say("%s %s weight %d%s", kind, t.Name, t.Weight, reverse)
	}
}
