package words

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestTableThatFits(t *testing.T) {
	var table Table
	long := "a reason with many words, which has no room beside the rest of its row"
	table.Row("lb-1", "running", "", "2 servers up", "")
	table.Row("lb-2", "degraded", "", "1 server up", long)
	require.Equal(t, `  lb-1  running   2 servers up
  lb-2  degraded  1 server up
      a reason with many words, which
      has no room beside the rest of its
      row
`, table.Fit(40, 6))
	require.Equal(t, table.String(), table.Fit(200, 6))
	var short Table
	short.Row("Fencing", "off", "nothing guarantees that it is down")
	require.Equal(t, `  Fencing  off  nothing guarantees
                that it is down
`, short.Fit(36, 6))
	for columns := range 60 {
		for line := range strings.Lines(table.Fit(20+columns, 6)) {
			require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")),
				max(20+columns, 30), "%d: %q", 20+columns, line)
		}
	}
}

// Colours take no room.
func TestTableWithColoursThatFits(t *testing.T) {
	var table Table
	table.Row("lb-1", "\x1b[32mrunning\x1b[0m", "since then")
	require.Equal(t, "  lb-1  \x1b[32mrunning\x1b[0m  since then\n", table.Fit(27, 6))
}
