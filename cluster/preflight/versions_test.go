package preflight

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
)

// Agents of another version count where they run what is planned.
func TestAgentsOfAnotherVersion(t *testing.T) {
	file, err := config.Parse("f", []byte("haproxy: {}\n"))
	require.NoError(t, err)
	const old = "this hawser is old"
	n := Node{
		Live: true, HAProxy: func(context.Context, HAProxy) error { return nil },
		OtherVersions: func(context.Context) string { return old },
	}
	warnings, err := n.Check(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, []string{old}, warnings)
	n.Live = false
	warnings, err = n.Check(t.Context(), file)
	require.NoError(t, err)
	require.Empty(t, warnings)
}
