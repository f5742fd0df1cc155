package packaging_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// TestReproducible builds the packages twice, in checkouts with other names, times and modes, in other time zones and by another user's
// habits: they are the same to the byte, and every time in them is the commit's.
func TestReproducible(t *testing.T) {
	source := needs.Source(t)
	listed, err := exec.CommandContext(t.Context(), "git", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	require.NoError(t, err, "git ls-files: packages are made in a checkout, of this user's: the times in them are the commit's")
	var present []string // what is deleted and not committed yet is listed too
	for _, file := range strings.Split(strings.TrimRight(string(listed), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(source, file)); err == nil {
			present = append(present, file)
		}
	}
	var sums [2]map[string]string
	for i, habits := range []string{
		"umask 022; export TZ=UTC LC_ALL=C",
		"umask 077; export TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOSTNAME=elsewhere GOAMD64=v3 GOARM64=v8.2 GOFLAGS=-tags=netgo",
	} {
		checkout := filepath.Join(t.TempDir(), strings.Repeat("x", 1+20*i))
		out := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "bash", "-ec", habits+`
			mkdir "$1"; tar -C "$2" --null -T - -cf - | tar -C "$1" --no-same-permissions -xf -
			cd "$1"; find . -exec touch -d @$((1000000000 + 12345 * $4)) {} +
			git init -q; git add -A
			GIT_AUTHOR_DATE="@1700000000 +0000" GIT_COMMITTER_DATE="@1700000000 +0000" git -c user.name=a -c user.email=b commit -qm all
			make package PACKAGES="$3" ARCHES=`+runtime.GOARCH+`
			[ -z "$(git status --porcelain)" ] || { git status; exit 1; }`,
			"build", checkout, source, out, fmt.Sprint(i))
		cmd.Stdin = strings.NewReader(strings.Join(present, "\x00") + "\x00")
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
		sums[i] = map[string]string{}
		for _, file := range files(t, out) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			sums[i][filepath.Base(file)] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
		deb := one(t, out, "hawser_*.deb")
		for path, words := range fields(output(t, "dpkg-deb", "--contents", deb)) {
			require.Equal(t, "2023-11-14", words[3], path)
		}
		require.Equal(t, "1700000000", output(t, "rpm", "-qp", "--queryformat", "%{buildtime}", one(t, out, "hawser-0*.rpm")))
	}
	require.Len(t, sums[0], 4)
	require.Equal(t, sums[0], sums[1])
}
