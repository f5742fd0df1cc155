package floatip_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/floatip"
)

func TestPrefix(t *testing.T) {
	for text, want := range map[string]int{"24": 24, "255.255.255.0": 24, "255.255.255.255": 32, "128.0.0.0": 1, "64": 64, "128": 128, "1": 1} {
		n, err := floatip.ParsePrefix(text)
		require.NoError(t, err, text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "0", "129", "255.0.255.0", "0.0.0.0", "024", "+24", "24 ", "ffff::", "9999999999999999999999"} {
		_, err := floatip.ParsePrefix(text)
		require.Error(t, err, text)
	}
}

func FuzzPrefix(f *testing.F) {
	f.Add("24")
	f.Add("255.255.254.0")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := floatip.ParsePrefix(text); err == nil {
			require.GreaterOrEqual(t, n, 1)
			require.LessOrEqual(t, n, 128)
		}
	})
}
