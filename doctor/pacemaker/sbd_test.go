package pacemaker

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// provokeSBD provokes the findings of the check sbd.
func provokeSBD() []provoked {
	return []provoked{
		{name: "sbd runs, the property is missing", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.File(t, "/etc/default/sbd", "# sbd\nSBD_WATCHDOG_TIMEOUT=7\n")
		}, want: doctor.Error, says: "stonith-watchdog-timeout is not set"},
		{
			name: "the property, and no sbd", provoke: property("stonith-watchdog-timeout", "10"),
			want: doctor.Error, says: "no sbd runs", live: true,
		},
		{name: "the property is too short", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.File(t, "/etc/sysconfig/sbd", "SBD_WATCHDOG_TIMEOUT=\"15\"\n")
			b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update 10s")
		}, want: doctor.Error, says: "fires after 15s"},
		{name: "the property is short", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update 8s")
		}, want: doctor.Warning, says: "less than twice"},
		{name: "sbd's disk is nobody's", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.File(t, "/etc/default/sbd", "SBD_DEVICE=\"/dev/disk/by-id/a;/dev/disk/by-id/b\"\n")
		}, want: doctor.Error, says: "/dev/disk/by-id/a", live: true},
	}
}

// watched is a cluster whose nodes run sbd without a disk, lb-1 with this SBD_WATCHDOG_TIMEOUT and
// the others with what they tell.
func watched(t *testing.T, here, wait string, others map[string]string) *bench.Cluster {
	t.Helper()
	b := bench.New(t)
	b.File(t, "/proc/77/comm", "sbd\n")
	b.File(t, "/etc/default/sbd", "SBD_DEVICE=\nSBD_WATCHDOG_TIMEOUT="+here+"\n")
	if wait != "" {
		b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update="+wait)
	}
	told := map[string]map[string]string{}
	for node, fact := range others {
		told[node] = map[string]string{"hawser": "1.0"}
		if fact != "" {
			told[node][doctor.FactSBD] = fact
		}
	}
	b.Reported = func(context.Context) (map[string]map[string]string, error) { return told, nil }
	return b
}

// What each node's sbd does is compared with the others', and Pacemaker's time with the slowest
// one. A command that the doctor gives must never write a time at which Pacemaker ends itself on a
// node.
func TestWatchdogsOfAllNodes(t *testing.T) {
	same := func(fact string) map[string]string {
		return map[string]string{
			"lb-2": fact, "lb-3": fact,
		}
	}
	const warns, fails, asks = doctor.Warning, doctor.Error, doctor.Unknown
	sbdIdle, sbdDisk := doctor.SBDFact(sbd.Daemon{}), doctor.SBDFact(sbd.Daemon{Running: true, Disks: "/dev/sdb"})
	for name, c := range map[string]struct {
		here, wait string
		others     map[string]string
		want       map[doctor.Severity]string // what is said, by severity
		fix        string                     // among the commands
		never      string                     // not among them
	}{
		"twice, and the same":     {here: "5", wait: "10s", others: same("5s")},
		"each node twice its own": {here: "5", wait: "-1", others: same("5s")},
		"the slowest is another node": {
			"5", "10s", map[string]string{"lb-2": "5s", "lb-3": "15s"},
			map[doctor.Severity]string{
				fails: "the watchdog of lb-3 fires after 15s",
				warns: "5s on lb-1, lb-2; 15s on lb-3",
			},
			"--update 30s", "--update 10s",
		},
		"less than twice the slowest": {
			"5", "12s", map[string]string{"lb-2": "5s", "lb-3": "8s"},
			map[doctor.Severity]string{warns: "less than twice SBD_WATCHDOG_TIMEOUT (8s on lb-3)"},
			"--update 16s", "",
		},
		"twice the slowest": {
			"5", "16s", map[string]string{"lb-2": "5s", "lb-3": "8s"},
			map[doctor.Severity]string{warns: "the nodes differ in SBD_WATCHDOG_TIMEOUT"},
			"grep -H", "--update",
		},
		"each its own, one too slow": {
			"5", "-1", map[string]string{"lb-2": "5s", "lb-3": "15s"},
			map[doctor.Severity]string{
				fails: "on one of them 10s: the watchdog of lb-3 fires after 15s", warns: "differ",
			},
			"--update 30s", "",
		},
		"each its own, one slow": {
			"5", "-1", map[string]string{"lb-2": "5s", "lb-3": "8s"},
			map[doctor.Severity]string{warns: "less than twice that of lb-3 (8s)"}, "--update 16s",
			"",
		},
		"not relied on, one slower": {
			"5", "", map[string]string{"lb-2": "5s", "lb-3": "15s"},
			map[doctor.Severity]string{
				fails: "stonith-watchdog-timeout is not set", warns: "differ",
			},
			"--update 30s", "--update 10s",
		},
		"one without sbd": {
			"5", "10s", map[string]string{"lb-2": "5s", "lb-3": sbdIdle},
			map[doctor.Severity]string{
				fails: "no sbd runs on lb-3", warns: "sbd runs on lb-1, lb-2 and not on lb-3",
			},
			"systemctl enable sbd.service    # on lb-3", "--update",
		},
		"not relied on, one without": {
			"5", "", map[string]string{"lb-2": "5s", "lb-3": sbdIdle},
			map[doctor.Severity]string{fails: "is not set", warns: "not on lb-3"},
			"only once sbd runs on every node", "",
		},
		"one tells nothing of it": {
			"5", "10s", map[string]string{"lb-2": "5s", "lb-3": ""},
			map[doctor.Severity]string{asks: "whether sbd runs on lb-3"},
			"hawser doctor --tell    # on lb-3", "",
		},
		"no time there": {
			"5", "10s", map[string]string{"lb-2": "5s", "lb-3": "soon"},
			map[doctor.Severity]string{fails: `is "soon", which is not a number`, warns: "differ"},
			"# on lb-3", "",
		},
		"no time here": {
			"soon", "10s", same("5s"),
			map[doctor.Severity]string{fails: `in /etc/default/sbd is "soon"`, warns: "differ"},
			"sed -i", "",
		},
		"the option is no time": {
			"5", "soon", map[string]string{"lb-2": "5s", "lb-3": "15s"},
			map[doctor.Severity]string{fails: `"soon", which is not a time`}, "--update 30s", "",
		},
		"one with a disk": {
			"5", "10s", map[string]string{"lb-2": "5s", "lb-3": sbdDisk},
			map[doctor.Severity]string{warns: "with a disk on lb-3"}, "grep -H", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := watched(t, c.here, c.wait, c.others)
			said := map[doctor.Severity]string{}
			var fix []string
			for _, f := range findings(t, b) {
				require.Equal(t, "sbd", f.Check, "%+v", f)
				require.NotEmpty(t, f.Why)
				require.NotEmpty(t, f.Remedies())
				said[f.Severity] += f.What + "\n"
				fix = append(fix, f.Fix...)
			}
			require.Len(t, said, len(c.want), "%v", said)
			for severity, text := range c.want {
				require.Contains(t, said[severity], text)
			}
			all := strings.Join(fix, "\n")
			require.Contains(t, all, c.fix)
			require.NotContains(t, all, "restart sbd", "systemd refuses that (RefuseManualStart)")
			if c.never != "" {
				require.NotContains(t, all, c.never)
			}
		})
	}
}

// The time that the check of fencing gives is the slowest node's too.
func TestRelyingOnWatchdogsAlone(t *testing.T) {
	b := watched(t, "5", "", map[string]string{"lb-2": "5s", "lb-3": "20s"})
	b.Edit(t, bench.PrimitiveFence, "")
	b.Edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
	for _, f := range findings(t, b) {
		if f.Check == "fencing" {
			require.Equal(t, []string{
				"crm_attribute --name stonith-watchdog-timeout --update 40s",
			}, f.Fix)
			b.Sh(t, f.Fix[0])
		}
	}
	for _, f := range findings(t, b) {
		require.Equal(t, doctor.Warning, f.Severity, "only that they differ: %+v", f)
	}
	b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update 0min")
	found := false
	for _, f := range findings(t, b) {
		found = found || f.Check == "fencing" && strings.Contains(f.What, "is not set")
	}
	require.True(t, found, "0 in any unit is none")
}

// Where the others cannot be asked that is said, if it matters.
func TestWatchdogsOfNodesThatCannotBeAsked(t *testing.T) {
	b := watched(t, "5", "10s", nil)
	b.Reported = func(context.Context) (map[string]map[string]string, error) {
		return nil, errors.New("attrd does not answer")
	}
	var said []string
	for _, f := range findings(t, b) {
		require.Equal(t, doctor.Unknown, f.Severity, "%+v", f)
		said = append(said, f.What)
	}
	require.Contains(t, strings.Join(said, "\n"), "attrd does not answer")
	idle := bench.New(t)
	idle.Reported = b.Reported
	require.Empty(t, findings(t, idle))
}
