package param_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/param"
)

func TestParseHost(t *testing.T) {
	for _, host := range []string{"qnetd", "qnetd.example.org", "q-1.example.org", "192.0.2.1", "2001:db8::1", "3com"} {
		got, err := param.ParseHost(host)
		require.NoError(t, err, host)
		require.Equal(t, host, got)
	}
	for _, host := range []string{"", " ", "a b", "-a", "a-", "a..b", "a.", "0.0.0.0", "::", "ff02::1", "a/b",
		"a;b", "a:5403", strings.Repeat("a", 254)} {
		_, err := param.ParseHost(host)
		require.Error(t, err, host)
	}
}
