package haproxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHardStop(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500": 500 * time.Millisecond, "30s": 30 * time.Second, "15m": 15 * time.Minute,
		"2h": 2 * time.Hour, "1d": 24 * time.Hour, "100us": 100 * time.Microsecond,
		"7ms": 7 * time.Millisecond,
	} {
		got, said := HardStop([]Source{{Text: "global\n\thard-stop-after " + text + " # all\n"}}, noEnv)
		require.True(t, said, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "# hard-stop-after 5s", "hard-stop-after", "hard-stop-after soon",
		"hard-stop-after 5x", "hard-stop-after -1s"} {
		_, said := HardStop([]Source{{Text: "global\n\t" + text + "\n"}}, noEnv)
		require.False(t, said, text)
	}
	got, _ := HardStop([]Source{{Text: "global\n hard-stop-after 5s"}, {Text: "global\n hard-stop-after 6s"}},
		noEnv)
	require.Equal(t, 6*time.Second, got, "the last word counts")
	got, said := HardStop([]Source{{Text: "global\n setenv MOST 7s"}, {Text: "global\n hard-stop-after \"$MOST\""}},
		noEnv)
	require.True(t, said, "a file before it has set the variable")
	require.Equal(t, 7*time.Second, got)
	outside := func(name string) string { return map[string]string{"MOST": "8s"}[name] }
	got, _ = HardStop([]Source{{Text: "global\n hard-stop-after \"$MOST\""}}, outside)
	require.Equal(t, 8*time.Second, got)
	_, said = HardStop([]Source{{Text: "global\n hard-stop-after \"$MOST\""}}, noEnv)
	require.False(t, said, "only HAProxy knows")
}

func noEnv(string) string { return "" }
