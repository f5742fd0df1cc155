package instance

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

func TestReasonForAReloadThatGaveNone(t *testing.T) {
	_, hard, err := procfs.Default.OpenFiles(os.Getpid())
	require.NoError(t, err)
	s := &State{Master: Process{PID: os.Getpid()}}
	sources := func(text string) []client.Source { return []client.Source{{File: "a", Text: text}} }
	if hard < math.MaxInt/4 {
		require.ErrorContains(t, guess(&client.ReloadError{}, s,
			sources("global\n maxconn 4000000000000000\n")), "LimitNOFILE")
	}
	for _, text := range []string{"global\n maxconn 1\n", "",
		"frontend f\n maxconn 4000000000000000\n",
		"global\n .if defined(X)\n maxconn 4000000000000000\n .endif\n"} {
		require.Equal(t, error(&client.ReloadError{}), guess(&client.ReloadError{}, s, sources(text)))
	}
	said := &client.ReloadError{Complaint: "x"}
	require.Equal(t, error(said), guess(said, s, sources("global\n maxconn 4000000000000000\n")))
}
