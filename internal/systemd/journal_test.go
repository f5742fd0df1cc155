package systemd

import (
	"bufio"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout")
	_, err := journal(path, "haproxy")
	require.ErrorContains(t, err, path)
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	file, err := journal(path, "haproxy")
	require.NoError(t, err)
	_, err = file.WriteString("a line\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	conn, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	var lines []string
	for scanner := bufio.NewScanner(conn); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	require.Equal(t, []string{"haproxy", "", "6", "1", "0", "0", "0", "a line"}, lines)
}
