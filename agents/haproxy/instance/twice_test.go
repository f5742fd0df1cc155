package instance

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
)

// What was done to the copies and could not be noted is done again by the next one, with the same result.
func TestAnOutcomeThatIsNotedTwice(t *testing.T) {
	for name, committed := range map[string]bool{"HAProxy ran from the copies": true,
		"they were put in place when it had loaded them": false} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "haproxy.cfg")
			in := Instance{Files: contract.Files{Dir: t.TempDir()}, Settings: Settings{Conffile: path}}
			former := []client.Source{{File: path, Text: "global\n"}}
			next := []client.Source{{File: path, Text: "global\n\tmaxconn 5\n"}}
			require.NoError(t, in.KeepCopies(former))
			l := &Loading{Name: "next", Committed: committed}
			var err error
			l.Copies, err = in.kept().Prepare(next, l.Name)
			require.NoError(t, err)
			for range 2 {
				require.NoError(t, in.kept().Commit(l.Copies, l.Name))
				same, _ := in.Copied(next)
				require.True(t, same)
			}
			for range 2 {
				s := State{Pending: &Pending{Loading: l}}
				require.ErrorIs(t, in.notLoaded(&s, ErrDied), ErrDied)
				same, _ := in.Copied(former)
				require.True(t, same)
			}
		})
	}
}
