package node_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// After a disk was full once Pacemaker saves no more, also when there is room again.
func TestPacemakerThatDoesNotSave(t *testing.T) {
	w := newWorld(t)
	require.Empty(t, w.finds("cib-saved"), "of a file or a shadow nothing is saved")
	w.SavedCIB = filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(w.SavedCIB,
		[]byte(`<cib admin_epoch="0" epoch="5" num_updates="0"><configuration/></cib>`), 0o600))
	now := crm.Version{Epoch: 5, NumUpdates: 77}
	w.InForce = func(context.Context) (crm.Version, error) { return now, nil }
	require.Empty(t, w.finds("cib-saved"), "the status is never saved")
	now.Epoch = 9
	w.findsOne("cib-saved", doctor.Error, "is of version 0.5.0, 0.9.77 is in force",
		"systemctl restart pacemaker")
	w.InForce = func(context.Context) (crm.Version, error) { return now, crm.ErrNotRunning }
	for _, c := range w.Checks() {
		if c.Name == "cib-saved" {
			_, err := c.Run(t.Context())
			require.ErrorIs(t, err, crm.ErrNotRunning)
		}
	}
}
