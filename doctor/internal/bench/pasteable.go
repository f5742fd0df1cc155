package bench

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
)

// Pasteable fails where a finding's commands cannot be pasted into a shell as they are: one that a
// shell cannot read, that has something to fill in, or that only says what to do.
func Pasteable(t *testing.T, f doctor.Finding) {
	t.Helper()
	toFillIn := regexp.MustCompile(`(^|[ /=])[A-Z][A-Z-]{3,}([ :]|$)|…`)
	for _, fix := range f.Fix {
		Readable(t, fix)
		command, _, _ := strings.Cut(fix, "   #")
		require.NotEmpty(t, command, fix)
		require.False(t, strings.HasPrefix(command, "#"), fix)
		require.NotRegexp(t, toFillIn, strings.ReplaceAll(command, "INFINITY", ""), fix)
	}
}
