package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

const two = `# Changelog

What users notice.

## Unreleased

- **One thing**, which is told in
  two lines.
- Another.

## 1.2.0-rc1 - 2026-01-02

- The first.
`

func made(t *testing.T, text, version string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "CHANGELOG.md")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	var b bytes.Buffer
	err := run(&b, "hawser", version, "@1800000000", path)
	return b.String(), err
}

func TestChangelog(t *testing.T) {
	got, err := made(t, two, "1.2.0-1")
	require.NoError(t, err)
	require.Equal(t, `hawser (1.2.0-1) unstable; urgency=medium

  * One thing, which is told in two lines.
  * Another.

 -- hawser maintainers <hawser-ha@users.noreply.github.com>  Fri, 15 Jan 2027 08:00:00 +0000

hawser (1.2.0~rc1-1) unstable; urgency=medium

  * The first.

 -- hawser maintainers <hawser-ha@users.noreply.github.com>  Fri, 02 Jan 2026 00:00:00 +0000
`, got)
	cmd := exec.CommandContext(t.Context(), needs.Command(t, "dpkg-parsechangelog"), "--file", "-", "--all")
	cmd.Stdin = bytes.NewBufferString(got)
	var said bytes.Buffer
	cmd.Stderr = &said
	require.NoError(t, cmd.Run(), "%s", &said)
	require.Empty(t, said.String())
}

func TestBuildAfterARelease(t *testing.T) {
	const released = "## 1.2.0 - 2026-01-02\n\n- The first.\n"
	got, err := made(t, released, "1.2.0+3.gabc1234-1")
	require.NoError(t, err)
	require.Contains(t, got, "hawser (1.2.0+3.gabc1234-1) unstable")
	require.Contains(t, got, "hawser (1.2.0-1) unstable")
	got, err = made(t, released, "1.2.0-1")
	require.NoError(t, err)
	require.NotContains(t, got, "between two releases")
}

func TestHeadingThatIsNone(t *testing.T) {
	_, err := made(t, "## Version two\n", "2-1")
	require.ErrorContains(t, err, `CHANGELOG.md: line 1: "## Version two" is neither "## Unreleased" nor`)
	_, err = made(t, "nothing\n", "2-1")
	require.ErrorContains(t, err, "no heading")
}
