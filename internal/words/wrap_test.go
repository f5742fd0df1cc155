package words

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFill(t *testing.T) {
	require.Equal(t, "one two\nthree\n\n  as  it is, however long\nfour é é\nfive",
		Fill("one\ntwo three\n\n  as  it is, however long\nfour é é\nfive", 8))
	require.Empty(t, Fill("", 8))
}

func TestBeside(t *testing.T) {
	require.Equal(t, "-a   one two\n     three\n", Beside("-a", "one two three", 5, 12))
	require.Equal(t, "--long\n     one\n", Beside("--long", "one", 5, 12))
	require.Equal(t, "-abcd\n     one\n", Beside("-abcd", "one", 5, 12))
}

func TestWrapUsage(t *testing.T) {
	require.Equal(t, "cat [-a]\n    [-b X [Y Z]]…\n    FILE", WrapUsage("cat", "cat [-a] [-b X [Y Z]]… FILE", 14))
	require.Equal(t, "cat", WrapUsage("cat", "cat", 14))
}
