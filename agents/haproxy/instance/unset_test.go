package instance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
)

// A configuration that mentions a variable which HAProxy was not started with is not what it is brought
// back with: an empty word would be every address.
func TestNothingIsBroughtBackWithAVariableThatIsNotSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := "frontend f\n\tbind \"${HAWSER_PRIVATE_IP}:80\"\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	in := Instance{Settings: Settings{Conffile: path}}
	edited := []client.Source{{File: path, Text: text}}
	require.ErrorContains(t, in.refuseUnset(State{}, edited, false), "HAWSER_PRIVATE_IP")
	require.NoError(t, in.refuseUnset(State{}, edited, true), "the copies do not mention it")
	require.NoError(t, in.refuseUnset(State{Env: []string{"HAWSER_PRIVATE_IP=10.0.0.1"}}, edited, false))

	former := []client.Source{{File: path, Text: "global\n"}}
	require.Empty(t, in.MissingNow(former, "0123456789ab", nil), "the former one has been loaded")
	require.Equal(t, []string{"HAWSER_PRIVATE_IP"}, in.MissingNow(former, "", nil), "either may have been")
}
