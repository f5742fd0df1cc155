package preflight

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// TestUnitBesideTheCluster has systemd know of a HAProxy of its own on the node where plan or apply is given.
func TestUnitBesideTheCluster(t *testing.T) {
	const command = "`systemctl disable --now haproxy.service`"
	for name, c := range map[string]struct {
		unit systemd.Unit
		err  error
		says []string
	}{
		"enabled":            {systemd.Unit{File: "enabled", Active: "inactive"}, nil, []string{"at the next boot of lb-1", command}},
		"runs":               {systemd.Unit{File: "enabled", Active: "active", MainPID: 4711}, nil, []string{"on lb-1", "pid 4711", command}},
		"started by hand":    {systemd.Unit{File: "disabled", Active: "active", MainPID: 4711}, nil, []string{command}},
		"disabled":           {systemd.Unit{File: "disabled", Active: "inactive"}, nil, nil},
		"masked":             {systemd.Unit{File: "masked", Active: "inactive"}, nil, nil},
		"no such unit":       {systemd.Unit{}, nil, nil},
		"systemd is silent":  {systemd.Unit{}, errors.New("deadline exceeded"), []string{"not known", "deadline exceeded"}},
		"failed, not at all": {systemd.Unit{File: "disabled", Active: "failed"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			node := Node{Live: true, Name: "lb-1", Unit: func(_ context.Context, name string) (systemd.Unit, error) {
				unit := c.unit
				unit.Name = name
				return unit, c.err
			}, HAProxy: func(context.Context, HAProxy) error { return nil }}
			warnings, err := node.Check(t.Context(), &config.File{})
			require.NoError(t, err, "it forbids nothing")
			if c.says == nil {
				require.Empty(t, warnings)
				return
			}
			require.Len(t, warnings, 1)
			for _, words := range c.says {
				require.Contains(t, warnings[0], words)
			}
			node.Live = false // a file: of no machine's
			warnings, err = node.Check(t.Context(), &config.File{})
			require.NoError(t, err)
			require.Empty(t, warnings)
		})
	}
}

// TestFilesOfTheUnit: what systemd's HAProxy reads and the cluster's would not is said before
// anything is written.
func TestFilesOfTheUnit(t *testing.T) {
	says, fails := "", error(nil)
	node := Node{Live: true, Name: "lb-1", HAProxy: func(context.Context, HAProxy) error { return nil },
		UnitFiles: func(_ context.Context, h *config.HAProxy) (string, error) {
			require.Equal(t, "-f /x", h.Extra)
			return says, fails
		}}
	file := &config.File{HAProxy: config.HAProxy{Extra: "-f /x"}}
	warnings, err := node.Check(t.Context(), file)
	require.NoError(t, err)
	require.Empty(t, warnings)
	says = "conf.d is missing"
	warnings, err = node.Check(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, []string{says}, warnings)
	says, fails = "", errors.New("systemd does not answer")
	warnings, err = node.Check(t.Context(), file)
	require.NoError(t, err, "it forbids nothing")
	require.Equal(t, []string{"systemd does not answer"}, warnings)
	node.Live = false
	warnings, err = node.Check(t.Context(), file)
	require.NoError(t, err)
	require.Empty(t, warnings)
}
