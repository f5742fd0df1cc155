package words

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNear(t *testing.T) {
	for _, typed := range []string{"config", "confg", "konfig", "configs", "CONFIG", "cnofig", "ocnfig", "confgi"} {
		require.True(t, Near(typed, "config"), typed)
	}
	require.True(t, Near("token-file", "token_file"))
	for _, other := range []string{"", "conf", "binary", "cnfoig", "cofnig x", "nocfig"} {
		require.False(t, Near(other, "config"), other)
	}
}
