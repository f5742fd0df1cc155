package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/needs"
)

// Every option that this Pacemaker has is known without asking it.
func TestOptions(t *testing.T) {
	needs.Command(t, "cibadmin")
	names, err := (&crm.Tools{}).Options(t.Context())
	require.NoError(t, err)
	require.Contains(t, names, "stonith-enabled")
	require.Contains(t, names, "cluster-name")
	require.Contains(t, names, "enable-acl")
	for _, name := range names {
		require.True(t, crm.KnownOption(name), name)
	}
	_, err = (&crm.Tools{Dir: t.TempDir()}).Options(t.Context())
	require.ErrorIs(t, err, crm.ErrNotInstalled)
}
