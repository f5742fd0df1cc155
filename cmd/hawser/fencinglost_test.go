package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// A node that could not be fenced is not taken for dead by another kind of fencing in the file.
func TestALostNodeKeepsItsFencing(t *testing.T) {
	fence := &crm.Primitive{Name: contract.FenceID, Class: "stonith", Type: "fence_droplet", Params: crm.Attrs{{Name: "token_file", Value: "/t"}}}
	lost := func(s *crm.Status) { s.Nodes[1].Unclean, s.Nodes[1].Online = true, false }
	for _, tc := range []struct {
		name, yaml string
		before     []crm.Object
		change     func(*crm.Status)
		code       int
		said       string
	}{
		{"off", "fencing: off\n", nil, lost, exitUsage, "lost and not fenced yet: lb-2; without fencing their resources start elsewhere at once"},
		{"off, all well", "fencing: off\n", nil, func(*crm.Status) {}, exitOK, ""},
		{"off as before", "fencing: off\n", []crm.Object{property("stonith-enabled", "false")}, lost, exitOK, ""},
		{"off in a new cluster", "fencing: off\n", nil, func(s *crm.Status) { lost(s); s.Resources = nil }, exitOK, ""},
		{"sbd", "fencing: sbd\n", []crm.Object{property("have-watchdog", "true")}, lost, exitUsage, "after stonith-watchdog-timeout, and whether SBD runs there is not known"},
		{"somebody's device stays", "fencing: off\n", []crm.Object{fence}, lost, exitOK, "it stays in use"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := crmtest.New("lb-1", "lb-2", "lb-3")
			require.NoError(t, fake.Edit(append(tc.before, property("no-quorum-policy", "stop"))...))
			status, err := fake.Status(t.Context())
			require.NoError(t, err)
			status.Quorum = true
			status.Resources = append(status.Resources, crm.ResourceStatus{ID: "FloatIP", Agent: "ocf:hawser:floatip", Role: "Started", Node: "lb-2", Active: true})
			tc.change(status)
			sys, _, stderr := testSystem(t, &told{Fake: fake, status: status})
			sys.SBD = func() (sbd.Daemon, error) { return sbd.Daemon{Running: true}, nil }
			sys.Group = func(context.Context, string) ([]int, error) { return []int{1, 2, 3}, nil }
			file := filepath.Join(t.TempDir(), "hawser.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tc.yaml+"haproxy: {}\n"), 0o600))
			require.Equal(t, tc.code, run([]string{"hawser", "apply", "--yes", "--no-wait", "-f", file}, sys), stderr)
			require.Contains(t, stderr.String(), tc.said)
			if tc.code != exitOK {
				require.Zero(t, fake.Applied())
				require.Contains(t, stderr.String(), "`stonith_admin --confirm=lb-2`")
			}
		})
	}
}

// losing is a cluster that loses a node just before the first plan is written.
type losing struct {
	*told
	lose func()
}

func (c *losing) Apply(ctx context.Context, p crm.Plan) error {
	if c.lose != nil {
		c.lose()
		c.lose = nil
		return crm.ErrStale
	}
	return c.told.Apply(ctx, p)
}

// Nor is one that was lost while the plan waited for its approval.
func TestANodeThatIsLostMeanwhileKeepsItsFencing(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2", "lb-3")
	require.NoError(t, fake.Edit(property("no-quorum-policy", "stop")))
	status, err := fake.Status(t.Context())
	require.NoError(t, err)
	status.Quorum = true
	status.Resources = append(status.Resources, crm.ResourceStatus{ID: "FloatIP", Agent: "ocf:hawser:floatip", Role: "Started", Node: "lb-2", Active: true})
	sys, _, stderr := testSystem(t, &losing{&told{Fake: fake, status: status}, func() { status.Nodes[1].Unclean, status.Nodes[1].Online = true, false }})
	file := filepath.Join(t.TempDir(), "hawser.yaml")
	require.NoError(t, os.WriteFile(file, []byte("fencing: off\nhaproxy: {}\n"), 0o600))
	require.Equal(t, exitConflict, run([]string{"hawser", "apply", "--yes", "--no-wait", "-f", file}, sys), stderr)
	require.Contains(t, stderr.String(), "lost and not fenced yet: lb-2")
	require.Zero(t, fake.Applied())
}
