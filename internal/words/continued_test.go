package words

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContinued(t *testing.T) {
	require.Equal(t, "tag hawser a \\\n\tb c \\\n\td e", Continued("tag hawser a b c d e", 14, "\t", Quotes))
	require.Equal(t, "short", Continued("short", 5, "\t", Quotes))
	require.Equal(t, "primitive x \\\n\tparams a=b \\\n\t    c=d \\\n\tmeta e=f",
		Continued("primitive x \\\n\tparams a=b c=d \\\n\tmeta e=f", 21, "\t", Quotes), "lines stay")
	require.Equal(t, "a \"b  c \\\" d\" \\\n  'e f' \\\n  g\\ h", Continued(`a "b  c \" d" 'e f' g\ h`, 4, "  ", Quotes))
}

// A shell does the same with the lines as with the one.
func TestContinuedForAShell(t *testing.T) {
	for _, command := range []string{
		`printf '%s|' a "b  c" 'd  e' f\ g "h \" i" $(printf '%s ' j k l) "$(echo m  n)" o`,
		`for i in 1 2 3; do printf '%s|' "$i  $i" 'x  y' || exit 1; done && printf '%s|' last words`,
	} {
		want, err := exec.CommandContext(t.Context(), "bash", "-c", command).Output()
		require.NoError(t, err)
		for columns := range 60 {
			text := Continued(command, columns, "    ", Quotes)
			got, err := exec.CommandContext(t.Context(), "bash", "-c", text).Output()
			require.NoError(t, err, text)
			require.Equal(t, string(want), string(got), text)
		}
	}
}

func TestWrapKeepsCommandsTogether(t *testing.T) {
	require.Equal(t, []string{"type", "`hawser move A`,", "or not"},
		Wrap("type `hawser move A`, or not", 16))
	require.Equal(t, []string{"type", "`hawser move A lb-1 now`", "now"}, Wrap("type `hawser move A lb-1 now` now", 12))
	require.Len(t, Wrap("`"+strings.Repeat("x ", 200)+"`", 80), 6, "that is no command")
	require.Equal(t, []string{"a `b c", "d"}, Wrap("a `b c d", 6), "nothing is quoted")
	require.Equal(t, []string{"\x1b[31mred\x1b[0m text"}, Wrap("\x1b[31mred\x1b[0m text", 8))
}

func TestLinesAndHang(t *testing.T) {
	require.Equal(t, "ab cd\n  ab\n    cd\n    ef\n\n", Lines("ab cd\n  ab cd ef\n\n", 6, 2))
	require.Equal(t, "Note: a b\n      c\n", Hang("Note: ", "a b c", 9))
	require.Equal(t, strings.Repeat(" ", 2)+"x\n", Lines("  x\n", 80, 0))
}
