package crm_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// onFile is Pacemaker's tools working on a file instead of a cluster.
func onFile(t testing.TB, cib []byte) (tools *crm.Tools, path string) {
	t.Helper()
	needs.Command(t, "cibadmin")
	path = filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(path, cib, 0o600))
	return &crm.Tools{Env: append(os.Environ(), "CIB_file="+path)}, path
}

func TestToolsConform(t *testing.T) {
	crmtest.Conform(t, func(t *testing.T) crm.Cluster {
		tools, _ := onFile(t, crmtest.Seed("lb-1", "lb-2", "lb-3"))
		return tools
	})
}

func TestQueryOfAFileThatIsMissing(t *testing.T) {
	needs.Command(t, "cibadmin")
	tools := &crm.Tools{Env: append(os.Environ(), "CIB_file=/nonexistent/cib.xml")}
	_, err := tools.Query(context.Background())
	require.ErrorContains(t, err, "/nonexistent/cib.xml cannot be read")
}
