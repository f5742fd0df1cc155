package pacemaker

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// findings runs the checks.
func findings(t *testing.T, b *bench.Cluster) []doctor.Finding {
	t.Helper()
	return doctor.Run(t.Context(), (&Cluster{
		Pacemaker: b, Files: b.Files, Node: "lb-1", Reported: b.Reported,
	}).Checks()).Findings
}

// TestHealthyCluster finds nothing in what `hawser apply` writes.
func TestHealthyCluster(t *testing.T) {
	b := bench.New(t)
	require.Empty(t, findings(t, b))
}

// provoked is a finding and how to have it.
type provoked struct {
	name    string
	provoke func(t *testing.T, b *bench.Cluster)
	want    doctor.Severity
	says    string   // among What and Why
	live    bool     // the commands need a running cluster, or a person
	also    []string // what other checks find of it too
}

// edit, sh and property make one change each.
func edit(old, with string) func(*testing.T, *bench.Cluster) {
	return func(t *testing.T, b *bench.Cluster) { b.Edit(t, old, with) }
}

func sh(command string) func(*testing.T, *bench.Cluster) {
	return func(t *testing.T, b *bench.Cluster) { b.Sh(t, command) }
}

func property(name, value string) func(*testing.T, *bench.Cluster) {
	return sh("crm_attribute --name " + name + " --update " + value)
}

// TestFindings provokes each finding in a valid configuration, and fixes it with the commands of
// the finding where they need no running cluster.
func TestFindings(t *testing.T) {
	hawser := bench.Hawser(t)
	for check, all := range map[string][]provoked{
		"fencing":            provokeFencing(),
		"sbd":                provokeSBD(),
		"quorum-policy":      provokeQuorum(),
		"nodes":              provokeNodes(),
		"unmanaged":          provokeUnmanaged(),
		"leftovers":          provokeLeftovers(),
		"failures":           provokeFailures(),
		"haproxy-clone":      provokeClone(),
		"address-colocation": provokeColocation(),
		"same-address":       provokeSameAddress(),
		"monitors":           provokeMonitors(),
		"operation-timeouts": provokeTimeouts(),
		"check-preferences":  provokePreferences(),
		"recovery":           provokeRecovery(),
		"resource-agents":    provokeAgents(),
	} {
		for _, p := range all {
			t.Run(check+"/"+p.name, func(t *testing.T) {
				b := bench.New(t)
				b.Commands = hawser
				p.provoke(t, b)
				b.Verify(t)
				f := p.only(t, check, findings(t, b))
				require.Equal(t, p.want, f.Severity, "%+v", f)
				require.Contains(t, f.What+"\n"+f.Why, p.says)
				require.NotEmpty(t, f.Why)
				require.NotEmpty(t, f.Remedies())
				bench.Pasteable(t, f)
				if p.live {
					return
				}
				for _, command := range f.Fix {
					b.Sh(t, doctor.Pasted(command, 40))
				}
				require.Empty(t, findings(t, b), "after %v", f.Fix)
			})
		}
	}
}

// only is the one finding of the check; others may have been found only where that is said.
func (p provoked) only(t *testing.T, check string, all []doctor.Finding) doctor.Finding {
	t.Helper()
	var found []doctor.Finding
	for _, f := range all {
		if f.Check == check {
			found = append(found, f)
		} else {
			require.Contains(t, p.also, f.Check, "not asked for: %+v", f)
		}
	}
	require.Len(t, found, 1, "%+v", all)
	return found[0]
}

// TestClusterThatDoesNotAnswer says so once.
func TestClusterThatDoesNotAnswer(t *testing.T) {
	c := &Cluster{Pacemaker: &crm.Tools{Dir: t.TempDir()}}
	r := doctor.Run(t.Context(), c.Checks())
	require.Len(t, r.Findings, 1)
	require.Equal(t, doctor.Unknown, r.Findings[0].Severity)
	require.Contains(t, r.Findings[0].What, "could not be read")
	require.Contains(t, r.Findings[0].Fix[0], "setup-balancer", "there is no Pacemaker to start")
}
