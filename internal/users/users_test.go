package users_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/users"
)

// directory is a name service that knows one user and one group beside those of the files.
func directory(t *testing.T) users.Service {
	t.Helper()
	path := filepath.Join(t.TempDir(), "getent")
	require.NoError(t, os.WriteFile(path, []byte(`#!/bin/sh
case "$*" in
"passwd -- ada@example.org") echo "ada@example.org:*:70001:70002:Ada Lovelace:/home/ada:/bin/sh";;
"initgroups -- ada@example.org") echo "ada@example.org       70002 70003";;
"group -- balancers") echo "balancers:*:70004:ada@example.org";;
"passwd -- odd") echo odd;;
"passwd -- broken") exit 1;;
"passwd -- slow") exec sleep 60;;
*) exit 2;;
esac
`), 0o700)) //nolint:gosec // a program
	return users.Service{Getent: path}
}

func TestUsersOfADirectory(t *testing.T) {
	s := directory(t)
	ada, err := s.User(t.Context(), "ada@example.org")
	require.NoError(t, err)
	require.Equal(t, users.User{UID: 70001, GID: 70002, Groups: []uint32{70002, 70002, 70003}}, ada)
	gid, err := s.Group(t.Context(), "balancers")
	require.NoError(t, err)
	require.EqualValues(t, 70004, gid)

	root, err := s.User(t.Context(), "root")
	require.NoError(t, err, "of /etc/passwd")
	require.Zero(t, root.UID)
	gid, err = s.Group(t.Context(), "root")
	require.NoError(t, err)
	require.Zero(t, gid)

	for name, says := range map[string]string{"nobody-here": "neither /etc/passwd", "odd": "not understood",
		"broken": "exit status 1"} {
		_, err = s.User(t.Context(), name)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, fmt.Sprintf("user %s", name))
	}
	brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = s.User(brief, "slow")
	require.ErrorContains(t, err, "did not answer")
	_, err = s.Group(t.Context(), "nobody-here")
	require.ErrorIs(t, err, users.ErrUnknown)
}

// The machine's own getent says the same of its own users.
func TestGetentOfThisMachine(t *testing.T) {
	_, err := users.Service{}.User(t.Context(), "no-such-user-here")
	require.ErrorIs(t, err, users.ErrUnknown)
}
