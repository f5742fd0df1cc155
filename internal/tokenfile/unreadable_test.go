package tokenfile

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnreadableNamesTheFileOnce(t *testing.T) {
	err := unreadable("/etc/hawser/token",
		&fs.PathError{Op: "open", Path: "/etc/hawser/token", Err: syscall.EACCES})
	require.EqualError(t, err, "token file /etc/hawser/token cannot be read: permission denied")
	require.ErrorIs(t, err, fs.ErrPermission)
}
