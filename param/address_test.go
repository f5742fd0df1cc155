package param

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrefixLength(t *testing.T) {
	for text, want := range map[string]int{"24": 24, "255.255.255.0": 24, "255.255.255.255": 32,
		"128.0.0.0": 1, "64": 64, "128": 128, "1": 1} {
		n, err := ParsePrefixLength(text)
		require.NoError(t, err, text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "0", "129", "255.0.255.0", "0.0.0.0", "024", "+24", "24 ",
		"ffff::", "9999999999999999999999"} {
		_, err := ParsePrefixLength(text)
		require.Error(t, err, text)
	}
}

func FuzzPrefixLength(f *testing.F) {
	f.Add("24")
	f.Add("255.255.254.0")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := ParsePrefixLength(text); err == nil {
			require.GreaterOrEqual(t, n, 1)
			require.LessOrEqual(t, n, 128)
		}
	})
}
