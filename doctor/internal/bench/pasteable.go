package bench

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/golden"
)

// Pasteable fails where a finding's commands cannot be pasted into a shell as they are: one that a
// shell cannot read, also where it goes on behind a backslash, that has something to fill in, or that
// only says what to do; and where its text is wider than a terminal.
func Pasteable(t *testing.T, f doctor.Finding) {
	t.Helper()
	toFillIn := regexp.MustCompile(`(^|[ /=])[A-Z][A-Z-]{3,}([ :]|$)|…`)
	for _, fix := range f.Fix {
		Readable(t, fix)
		command, _, _ := strings.Cut(fix, "   #")
		require.NotEmpty(t, command, fix)
		require.False(t, strings.HasPrefix(command, "#"), fix)
		require.NotRegexp(t, toFillIn, strings.ReplaceAll(command, "INFINITY", ""), fix)
		Readable(t, doctor.Pasted(strings.TrimSpace(command), 40))
	}
	text := doctor.Report{Findings: []doctor.Finding{f}}.Text(time.Now(),
		func(_ doctor.Severity, text string) string { return text })
	require.Empty(t, golden.TooWide(text), "longer than a terminal is wide")
}
