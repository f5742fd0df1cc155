package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/lab"
)

// conformEnv says that this test binary runs inside a node, and which one it is.
const conformEnv = "HAWSER_E2E_CONFORM"

// TestToolsConformLive holds Pacemaker's tools on a real cluster to what the fake is held to. The suite calls them in its own process,
// so this test starts its binary again inside a node.
func TestToolsConformLive(t *testing.T) {
	if node := os.Getenv(conformEnv); node != "" {
		crmtest.ConformLive(t, &crm.Tools{}, node)
		return
	}
	c := fresh(t)
	c.equip(t, "lb-1")
	var out strings.Builder
	err := c.Run(t.Context(), "lb-1", lab.Command{
		Args: []string{stopwatchPath, "-test.run=^" + t.Name() + "$", "-test.v"}, Env: []string{conformEnv + "=lb-1"},
		Stdout: &out, Stderr: &out,
	})
	require.NoError(t, err, out.String())
	require.Contains(t, out.String(), "--- PASS: "+t.Name()+"/", "the suite ran")
}
